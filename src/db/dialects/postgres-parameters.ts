/**
 * What libpq lets one say about a connection (postgresql.org/docs/current/libpq-connect.html, libpq-envars.html), in a URL,
 * in a service file or in the environment: which names there are, which values, and which of them this program cannot honour.
 * What cannot be honoured is refused: a connection must not be less safe than its owner believes.
 */
import { UsageError } from '../../errors.ts';
import { nearestWord } from '../../nearest-word.ts';

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

export const sessionAttributes = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
export type SessionAttributes = (typeof sessionAttributes)[number];

export const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
const switches = ['0', '1'];

interface Rule {
  /** The environment's variable of the same meaning. */
  variable?: string;
  /** What may stand there, exactly as written; anything when absent. */
  values?: readonly string[];
  isInteger?: boolean;
  /** Values that libpq knows and this program cannot do, or `'*'` for all of them, and what to do instead. */
  refused?: { values: readonly string[] | '*'; instead: string };
}

const takeOut = 'Take it out; slackingest cannot do it.';

const rules = {
  host: { variable: 'PGHOST' },
  hostaddr: { variable: 'PGHOSTADDR' },
  port: { variable: 'PGPORT' },
  dbname: { variable: 'PGDATABASE' },
  user: { variable: 'PGUSER' },
  password: { variable: 'PGPASSWORD' },
  passfile: { variable: 'PGPASSFILE' },
  service: { variable: 'PGSERVICE' },
  servicefile: { variable: 'PGSERVICEFILE' },
  options: { variable: 'PGOPTIONS' },
  application_name: { variable: 'PGAPPNAME' },
  fallback_application_name: {},
  connect_timeout: { variable: 'PGCONNECT_TIMEOUT', isInteger: true },
  target_session_attrs: { variable: 'PGTARGETSESSIONATTRS', values: sessionAttributes },
  load_balance_hosts: { variable: 'PGLOADBALANCEHOSTS', values: ['disable', 'random'] },

  sslmode: { variable: 'PGSSLMODE', values: sslModes },
  sslnegotiation: { variable: 'PGSSLNEGOTIATION', values: ['postgres', 'direct'] },
  sslrootcert: { variable: 'PGSSLROOTCERT' },
  sslcert: { variable: 'PGSSLCERT' },
  sslkey: { variable: 'PGSSLKEY' },
  sslpassword: {},
  sslcrl: { variable: 'PGSSLCRL' },
  ssl_min_protocol_version: { variable: 'PGSSLMINPROTOCOLVERSION', values: tlsVersions },
  ssl_max_protocol_version: { variable: 'PGSSLMAXPROTOCOLVERSION', values: tlsVersions },
  channel_binding: { variable: 'PGCHANNELBINDING', values: ['disable', 'prefer', 'require'] },

  // Known, and without any effect on what is safe or stored: the session sets its own encoding, watches its own silence,
  // and never compresses; the others only matter with GSS, which is refused where it is asked for.
  client_encoding: { variable: 'PGCLIENTENCODING' },
  keepalives: { isInteger: true },
  keepalives_idle: { isInteger: true },
  keepalives_interval: { isInteger: true },
  keepalives_count: { isInteger: true },
  tcp_user_timeout: { isInteger: true },
  sslcompression: { variable: 'PGSSLCOMPRESSION', values: switches },
  krbsrvname: { variable: 'PGKRBSRVNAME' },
  gsslib: { variable: 'PGGSSLIB' },
  gssdelegation: { variable: 'PGGSSDELEGATION', values: switches },
  max_protocol_version: { variable: 'PGMAXPROTOCOLVERSION', values: ['3.0', '3.2', 'latest'] },
  // The driver's own word for what is done here anyway.
  uselibpqcompat: { values: ['true'] },

  gssencmode: {
    variable: 'PGGSSENCMODE',
    values: ['disable', 'prefer', 'require'],
    refused: { values: ['require'], instead: 'Use TLS instead: sslmode=verify-full.' },
  },
  sslsni: { variable: 'PGSSLSNI', values: switches, refused: { values: ['0'], instead: takeOut } },
  sslcertmode: {
    variable: 'PGSSLCERTMODE',
    values: ['disable', 'allow', 'require'],
    refused: { values: ['require'], instead: takeOut },
  },
  sslcrldir: {
    variable: 'PGSSLCRLDIR',
    refused: { values: '*', instead: 'Give the revocations as one file: sslcrl=/path/to/root.crl.' },
  },
  sslkeylogfile: { refused: { values: '*', instead: takeOut } },
  requirepeer: {
    variable: 'PGREQUIREPEER',
    refused: { values: '*', instead: 'Connect by TCP and TLS instead: sslmode=verify-full.' },
  },
  require_auth: {
    variable: 'PGREQUIREAUTH',
    refused: { values: '*', instead: 'Say channel_binding=require instead.' },
  },
  min_protocol_version: {
    variable: 'PGMINPROTOCOLVERSION',
    values: ['3.0', '3.2', 'latest'],
    refused: { values: ['3.2', 'latest'], instead: takeOut },
  },
  replication: { refused: { values: '*', instead: takeOut } },
  scram_client_key: { refused: { values: '*', instead: takeOut } },
  scram_server_key: { refused: { values: '*', instead: takeOut } },
  oauth_issuer: { refused: { values: '*', instead: takeOut } },
  oauth_client_id: { refused: { values: '*', instead: takeOut } },
  oauth_client_secret: { refused: { values: '*', instead: takeOut } },
  oauth_scope: { refused: { values: '*', instead: takeOut } },
} satisfies Record<string, Rule>;

export type ParameterName = keyof typeof rules;

/** Where a value was said, as a person would call it. */
export interface Given {
  value: string;
  /** `the database URL`, `PGSSLMODE`, `[slack] of /home/ada/.pg_service.conf`. */
  origin: string;
}

export type Parameters = ReadonlyMap<ParameterName, Given>;

const names = Object.keys(rules).filter(isParameter);

export function isParameter(name: string): name is ParameterName {
  return Object.hasOwn(rules, name);
}

/** For a name that libpq does not know. */
export function unknownParameter(name: string, origin: string): UsageError {
  const nearest = nearestWord(name.toLowerCase(), names);
  return new UsageError(
    `${origin}: there is no parameter "${name}"${nearest === undefined ? '' : `, did you mean "${nearest}"?`}`,
    'The parameters are those of libpq. A setting of the server is written options=-cNAME%3DVALUE: a schema of one’s own is options=-csearch_path%3DNAME.',
  );
}

/** The parameters that the environment gives. Set to nothing counts as not set, as CI systems do with missing secrets. */
export function readVariables(env: Readonly<Record<string, string | undefined>>): Map<ParameterName, Given> {
  const found = new Map<ParameterName, Given>();
  for (const name of names) {
    const { variable }: Rule = rules[name];
    const value = variable === undefined ? undefined : env[variable];
    if (variable !== undefined && value !== undefined && value !== '') found.set(name, { value, origin: variable });
  }
  // Older than PGSSLMODE, and still obeyed by libpq.
  if (!found.has('sslmode') && env['PGREQUIRESSL']?.startsWith('1') === true)
    found.set('sslmode', { value: 'require', origin: 'PGREQUIRESSL' });
  assertNoStrangeTls(env);
  return found;
}

/** Every program may have variables that begin with PG, but those about TLS are libpq's: a slip there would cost the encryption. */
function assertNoStrangeTls(env: Readonly<Record<string, string | undefined>>): void {
  const known = names.flatMap((name) => (rules[name] as Rule).variable ?? []);
  const strange = Object.keys(env).find((name) => name.startsWith('PGSSL') && !known.includes(name));
  if (strange === undefined) return;
  throw new UsageError(
    `${strange} is no variable of libpq, did you mean ${nearestWord(strange, known) ?? 'PGSSLMODE'}?`,
    'Correct its name or remove it.',
  );
}

/** Throws `UsageError` where a value is none that its parameter takes, or asks for what this program cannot do. */
export function checkParameters(parameters: Parameters): void {
  for (const [name, given] of parameters) checkParameter(name, given);
}

function checkParameter(name: ParameterName, { value, origin }: Given): void {
  const { values, refused, isInteger }: Rule = rules[name];
  if (values !== undefined && !values.includes(value)) {
    const nearest = nearestWord(value.toLowerCase(), values);
    throw new UsageError(
      `${origin}: "${value}" is no ${name}${nearest === undefined ? '' : `, did you mean "${nearest}"?`}`,
      `Write one of ${values.join(', ')}.`,
    );
  }
  if (isInteger === true && !/^\s*-?\d{1,9}\s*$/.test(value))
    throw new UsageError(`${origin}: "${value}" is no ${name}`, 'Write a whole number.');
  if (refused !== undefined && (refused.values === '*' || refused.values.includes(value)))
    throw new UsageError(
      `${origin}: ${name}${refused.values === '*' ? '' : `=${value}`} is not supported`,
      refused.instead,
    );
}
