/** TLS in front of a server on loopback, and the certificate authority that vouches for it, made anew with openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';

export interface TlsFront extends AsyncDisposable {
  /** The address behind it with https and `localhost`. */
  url: string;
  /** The path of the authority's certificate, a PEM file. */
  authority: string;
  /** Connections that were tried, refused certificates included. */
  readonly connections: number;
}

export async function startTlsFront(serverUrl: string): Promise<TlsFront> {
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-tls-'));
  const files = makeCertificates(folder);
  const behind = new URL(serverUrl);
  const sockets = new Set<TLSSocket>();
  let connections = 0;
  const server = createServer({ key: readFileSync(files.key), cert: readFileSync(files.certificate) }, (client) => {
    sockets.add(client);
    const upstream = connect(Number(behind.port), behind.hostname);
    client.on('error', () => upstream.destroy()).on('close', () => sockets.delete(client));
    upstream.on('error', () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  server.on('connection', () => (connections += 1)).on('tlsClientError', () => undefined);
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  const { port } = server.address() as AddressInfo;
  const url = new URL(serverUrl);
  url.protocol = 'https:';
  url.host = `localhost:${port}`;
  return {
    url: `https://localhost:${port}${behind.pathname}`,
    authority: files.authority,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function makeCertificates(folder: string): { authority: string; key: string; certificate: string } {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  );
  openssl(
    'req',
    ...newKey,
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
    '-keyout',
    at('key'),
    '-out',
    at('csr'),
  );
  const signedBy = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-copy_extensions', 'copy'];
  openssl('x509', '-req', '-in', at('csr'), ...signedBy, '-days', '2', '-out', at('cert.pem'));
  return { authority: at('ca.pem'), key: at('key'), certificate: at('cert.pem') };
}
