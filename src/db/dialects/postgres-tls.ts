/** TLS as libpq means its modes (postgresql.org/docs/current/libpq-ssl.html), in the words of Node. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import {
  type ConnectionOptions,
  checkServerIdentity,
  createSecureContext,
  rootCertificates,
  type SecureContext,
} from 'node:tls';
import { UsageError } from '../../errors.ts';
import type { Environment, PostgresHost, PostgresTarget, TlsWish } from './postgres-target.ts';

/** Whether a connection is tried with TLS or without, and what comes next when the server does not want it so. */
export function encryptionsOf({ host, sslMode }: PostgresHost): readonly ('tls' | 'plain')[] {
  // Nobody listens in on a socket, and the server offers no TLS there.
  if (host.startsWith('/') || sslMode === 'disable') return ['plain'];
  if (sslMode === 'allow') return ['plain', 'tls'];
  if (sslMode === 'prefer') return ['tls', 'plain'];
  return ['tls'];
}

/** How to secure a connection to each of the target's hosts. Throws `UsageError` for files that cannot be used. */
export function tlsOptions(target: PostgresTarget, env: Environment): (host: PostgresHost) => ConnectionOptions {
  const { rootCert } = target.tls;
  let secureContext: SecureContext | undefined;
  return ({ host, address, sslMode }) => {
    secureContext ??= secureContextOf(target.tls, env);
    // `require` asks for a secret line, not for proof of who is at its end, unless an authority is at hand.
    const isVerified = sslMode.startsWith('verify') || (sslMode === 'require' && rootCert !== undefined);
    const isNamed = sslMode === 'verify-full';
    return {
      secureContext,
      rejectUnauthorized: isVerified,
      ...(address === undefined ? {} : { servername: host }),
      checkServerIdentity: (_, certificate) => (isNamed ? checkServerIdentity(host, certificate) : undefined),
    };
  };
}

function secureContextOf(tls: TlsWish, env: Environment): SecureContext {
  if (tls.cert !== undefined && tls.key === undefined)
    throw new UsageError(`the certificate ${tls.cert} has no private key`, 'Name it: sslkey=/path/to/client.key.');
  const files = {
    ca: authoritiesOf(tls, env),
    cert: tls.cert === undefined ? undefined : readPem(tls.cert),
    key: tls.key === undefined ? undefined : readKey(tls.key),
    crl: tls.revoked === undefined ? undefined : readPem(tls.revoked),
  };
  try {
    return createSecureContext({
      ...files,
      passphrase: tls.keyPassword,
      minVersion: tls.minVersion ?? 'TLSv1.2',
      ...(tls.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
    });
  } catch (error) {
    const used = [tls.rootCert, tls.cert, tls.key, tls.revoked].filter((path) => path !== undefined).join(', ');
    throw new UsageError(
      `the certificates for Postgres cannot be used (${used}): ${error instanceof Error ? error.message : String(error)}`,
      'Check sslrootcert, sslcert, sslkey and sslpassword: they name files in PEM, and a key belongs to its certificate.',
      error,
    );
  }
}

/** The authorities that may vouch for the server; undefined for those that Node trusts by itself. */
function authoritiesOf({ rootCert }: TlsWish, env: Environment): string[] | undefined {
  if (rootCert === undefined) return undefined;
  if (rootCert !== 'system') return [readPem(rootCert)];
  const added = [systemAuthorities(env), env['NODE_EXTRA_CA_CERTS'] || undefined].flatMap((path) =>
    path === undefined ? [] : readIfThere(path),
  );
  return added.length === 0 ? undefined : [...rootCertificates, ...added];
}

/** Where OpenSSL's own variable points, else where the distributions keep what they trust. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

function systemAuthorities(env: Environment): string | undefined {
  return env['SSL_CERT_FILE'] || systemBundles.find((path) => existsSync(path));
}

function readIfThere(path: string): string[] {
  return existsSync(path) ? [readPem(path)] : [];
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(
      `${path}, named for the connection to Postgres, cannot be read`,
      'Correct the path or its permissions.',
      error,
    );
  }
}

/** As libpq refuses it: whoever can read the key can be us. Root's keys may be shared with a group. */
function readKey(path: string): string {
  const text = readPem(path);
  const { mode, uid } = statSync(path);
  if (process.platform !== 'win32' && (mode & (uid === 0 ? 0o027 : 0o077)) !== 0)
    throw new UsageError(`the private key ${path} can be read by others`, `Mend it with: chmod 600 ${path}`);
  return text;
}
