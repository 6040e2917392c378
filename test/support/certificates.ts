/** Certificates of an authority of the test's own, made by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Authority extends Disposable {
  folder: string;
  /** The path of its own certificate. */
  file: string;
  /** A certificate for this name and its key, as paths. */
  issue(name: string): { cert: string; key: string };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function makeAuthority(name: string): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-authority-'));
  const path = (file: string) => join(folder, file);
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-subj',
    `/CN=${name}`,
    '-days',
    '2',
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.crt'),
  );
  return {
    folder,
    file: path('ca.crt'),
    issue(subject) {
      const cert = path(`${subject}.crt`);
      const key = path(`${subject}.key`);
      const request = path(`${subject}.csr`);
      const names = path(`${subject}.ext`);
      openssl('req', ...newKey, '-subj', `/CN=${subject}`, '-keyout', key, '-out', request);
      writeFileSync(names, `subjectAltName=DNS:${subject}\n`);
      const by = ['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-CAcreateserial'];
      openssl('x509', '-req', '-in', request, ...by, '-days', '2', '-extfile', names, '-out', cert);
      return { cert, key };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

export function pem({ cert, key }: { cert: string; key: string }): { cert: string; key: string } {
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}
