/** The server's and the driver's errors, in words a person can act on, and what they mean for the next try. */
import pg from 'pg';
import { AppError, DatabaseError, RefusedContentError } from '../../errors.ts';
import type { Access } from './dialect.ts';
import { statementTimeoutMs } from './postgres-session.ts';
import type { PostgresTarget } from './postgres-target.ts';

/** A server that is there, and none of the kind that `target_session_attrs` asks for. */
export class UnfitServerError extends DatabaseError {
  override readonly name = 'UnfitServerError';
}

export function missingPassword(address: string, file: string): DatabaseError {
  return new DatabaseError(
    `Postgres at ${address} refuses the user or the password: it asks for a password, and none was given`,
    `Set PGPASSWORD, or write a line host:port:database:user:password into ${file} (chmod 600), or put it into the URL, percent-encoded: postgres://user:password@host/database.`,
  );
}

function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The server is busy starting, or has no connection left: worth a later try. */
export function isBusy(error: unknown): boolean {
  return ['53300', '57P03'].includes(sqlState(error) ?? '');
}

/** Nobody answered there, or one who cannot serve: another host may. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof UnfitServerError) return true;
  if (error instanceof AppError || !(error instanceof Error)) return false;
  return error instanceof pg.DatabaseError ? sqlState(error) === '57P03' : !isEncryptionRefused(error);
}

/** Where it wants TLS, or wants none, or cannot be trusted, the server may be reached in another way. */
export function isEncryptionRefused(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof AppError) return false;
  const code = sqlState(error) ?? '';
  return code === '28000' || tlsCode.test(code) || tlsText.test(error.message);
}

/** By a pooler, which knows few of the parameters that the start of a connection may carry. */
export function isParameterRefused(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /unsupported startup parameter/i.test(error.message);
}

/** OpenSSL's words for what it thinks of a certificate (nodejs.org/api/tls.html, "X509 certificate error codes"), and Node's. */
const tlsCode =
  /^(ERR_(SSL|TLS|OSSL)_.*|EPROTO|(UNABLE_TO|CERT|CRL|ERROR_IN|SELF_SIGNED|DEPTH_ZERO|INVALID|PATH_LENGTH|HOSTNAME)_\w+)$/;
const tlsText = /^(The server does not support SSL|There was an error establishing an SSL)/;

/** Undefined for errors that are none of the database's. */
export function explainPostgresError(
  error: unknown,
  target: PostgresTarget,
  access: Access,
): DatabaseError | undefined {
  // Errors of Slack's side have codes like ECONNREFUSED too, and are worded already.
  if (!(error instanceof Error) || error instanceof AppError) return undefined;
  const { address } = target;
  const code = sqlState(error) ?? '';
  if (access === 'read' && (/^(42501|25006)$/.test(code) || /during recovery$/.test(error.message)))
    return refusedToReader(error, address);
  for (const [matches, message, hint] of errorTexts) {
    if (matches(code, error.message))
      return new DatabaseError(
        message(address, error.message, target),
        typeof hint === 'string' ? hint : hint(target, code),
        error,
      );
  }
  if (!(error instanceof pg.DatabaseError)) return undefined;
  // Data exceptions, constraints, and limits of the program (postgresql.org/docs/current/errcodes-appendix.html).
  const isContent = /^(22|23|54)/.test(code);
  return new (isContent ? RefusedContentError : DatabaseError)(
    `Postgres at ${address} failed: ${error.message} (${code})`,
    'Run again; if it happens again, report it.',
    error,
  );
}

function refusedToReader(error: Error, address: string): DatabaseError {
  return sqlState(error) === '42501'
    ? new DatabaseError(
        `Postgres at ${address} does not let this user read: ${error.message}`,
        'Reading takes: grant usage on schema NAME to USER; grant select on all tables in schema NAME to USER. What is tried out also takes: grant temporary on database NAME to USER.',
        error,
      )
    : new DatabaseError(
        `Postgres at ${address} can hold no temporary tables, in which this command tries out what it would write: ${error.message}`,
        'Connect to the primary instead of a standby.',
        error,
      );
}

type ErrorText = [
  matches: (code: string, message: string) => boolean,
  message: (address: string, detail: string, target: PostgresTarget) => string,
  hint: string | ((target: PostgresTarget, code: string) => string),
];

const errorTexts: readonly ErrorText[] = [
  [
    (_, message) => /does not support SSL/.test(message),
    (address, _, { tls }) =>
      tls.isChosen
        ? `Postgres at ${address} offers no TLS, and sslmode asks for it`
        : `Postgres at ${address} offers no TLS, and is on another machine: everything would be sent in plain text`,
    'Turn on ssl at the server. Where the network between is your own and safe, sslmode=disable says that plain text will do.',
  ],
  [
    (code) => code === 'ERR_TLS_CERT_ALTNAME_INVALID',
    (address, detail) => `the certificate of Postgres at ${address} is for another name: ${detail}`,
    'Connect by a name that stands in the certificate (hostaddr= gives the address for it), or check the authority alone: sslmode=verify-ca.',
  ],
  [
    (code) => code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID' || code === 'CERT_REVOKED',
    (address, detail) => `the certificate of Postgres at ${address} is not valid: ${detail}`,
    'Renew it at the server, and check the clock of this machine.',
  ],
  [
    (code) => tlsCode.test(code) && !/^(ERR|EPROTO)/.test(code),
    (address, detail) => `the certificate of Postgres at ${address} is not trusted: ${detail}`,
    trustHint,
  ],
  [
    (code, message) => tlsCode.test(code) || tlsText.test(message),
    (address, detail) => `no secure connection to Postgres at ${address}: ${detail}`,
    'Check that the server’s ssl settings and the versions of TLS on both sides fit (ssl_min_protocol_version).',
  ],
  [
    (_, message) => /unsupported startup parameter/i.test(message),
    (address, detail) => `the pooler before Postgres at ${address} refuses what the connection starts with: ${detail}`,
    'Let it pass (PgBouncer: ignore_startup_parameters = options), or take options out of the URL and set search_path for the role.',
  ],
  [
    (code, message) => /^(22023|42704|55P02)$/.test(code) && /parameter/.test(message),
    (address, detail) => `Postgres at ${address} refuses a setting that options asks for: ${detail}`,
    'Correct options in DATABASE_URL (or PGOPTIONS): -c NAME=VALUE, with a setting that the server has.',
  ],
  [
    // PgBouncer's only code, whatever it is that it cannot do.
    (code) => code === '08P01',
    (address, detail) => `the pooler before Postgres at ${address} refuses: ${detail}`,
    'Check the name of the database and the pooler’s own log and limits. Everything committed before is kept.',
  ],
  [
    (code) => code === 'ECONNREFUSED' || code === 'ENOENT',
    (address) => `Postgres at ${address} refuses the connection`,
    'Check that the server runs and that DATABASE_URL names its host and port.',
  ],
  [
    (code) => code === 'ENOTFOUND' || code === 'EAI_AGAIN',
    (address) => `the host of Postgres at ${address} cannot be found`,
    'Check the host name in DATABASE_URL and the network.',
  ],
  [
    (code, message) => code === 'ETIMEDOUT' || /timeout expired/i.test(message),
    (address, _, { connectTimeoutMs }) =>
      connectTimeoutMs === 0
        ? `Postgres at ${address} does not answer`
        : `Postgres at ${address} does not answer within ${connectTimeoutMs / 1000} seconds`,
    'Check the host, the port and any firewall between.',
  ],
  [
    (code, message) => code === '28000' && /certificate/i.test(message),
    (address, detail) => `Postgres at ${address} wants a certificate of the client: ${detail}`,
    'Give one that it trusts, with its key: sslcert=/path/to/client.crt and sslkey=/path/to/client.key (or PGSSLCERT and PGSSLKEY).',
  ],
  [
    (code, message) => code === '28P01' || code === '28000' || /^SASL/.test(message),
    (address, detail) => `Postgres at ${address} refuses the user or the password: ${detail}`,
    'Check user and password in DATABASE_URL (or PGUSER and PGPASSWORD); special characters in a URL are percent-encoded.',
  ],
  [
    (code) => code === '3D000',
    (address, detail) => `Postgres at ${address}: ${detail}`,
    'Create it first: createdb NAME, or correct the name in DATABASE_URL.',
  ],
  [
    (code) => code === '53300',
    (address) => `Postgres at ${address} has no connection left (too many clients), also after waiting`,
    'Close idle clients, raise max_connections, or put PgBouncer in session mode before it.',
  ],
  [
    (code) => code === '57014',
    (address) => `a statement on Postgres at ${address} took longer than ${statementTimeoutMs / 1000} seconds`,
    'Check the load of the server and for locks held by others; the next run goes on.',
  ],
  [
    (code) => code === '53100' || code === '53200',
    (address, detail) => `Postgres at ${address} is out of resources: ${detail}`,
    'Free disk or memory on the server and run again; everything committed before is kept.',
  ],
  [
    (code) => code === '25006',
    (address, detail) => `Postgres at ${address} does not let this user write: ${detail}`,
    'Connect to the primary (among several hosts, target_session_attrs=read-write finds it); where it is the primary, default_transaction_read_only is on for this user or database: alter role … reset default_transaction_read_only.',
  ],
  [
    (code) => code === '42501',
    (address, detail) => `Postgres at ${address} does not let this user write: ${detail}`,
    'Grant the user its rights on the schema (create for migrations, insert, update, delete for the rest), and connect to the primary.',
  ],
  [
    (code, message) =>
      /^(57P0[1-5]|25P0[34]|08...|ECONNRESET|EPIPE)$/.test(code) ||
      /connection terminated|not queryable|client has encountered a connection error/i.test(message),
    (address, detail) => `the connection to Postgres at ${address} was lost: ${detail}`,
    'Everything committed before is kept; run again when the server is back.',
  ],
];

function trustHint({ tls }: PostgresTarget): string {
  const ask = 'Ask whoever runs the server for the certificate of its authority';
  return tls.rootCert === undefined || tls.rootCert === 'system'
    ? `${ask}, and name the file: sslrootcert=/path/to/ca.crt in the URL, PGSSLROOTCERT, or NODE_EXTRA_CA_CERTS. sslmode=require encrypts without checking who answers.`
    : `${ask}: ${tls.rootCert} holds another one.`;
}
