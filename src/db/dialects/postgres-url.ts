/**
 * Reads a `postgres://` URL as libpq does (postgresql.org/docs/current/libpq-connect.html, "Connection URIs"): several hosts,
 * sockets, parameters. What cannot be understood is never quoted where it may be a piece of a password.
 */
import { UsageError } from '../../errors.ts';
import { type Given, isParameter, type ParameterName, unknownParameter } from './postgres-parameters.ts';

const origin = 'the database URL';

/** What the URL says, by libpq's names. Throws `UsageError` for a URL that libpq would not understand. */
export function readPostgresUrl(url: string): Map<ParameterName, Given> {
  const found = new Map<ParameterName, Given>();
  const give = (name: ParameterName, value: string) => {
    if (value !== '') found.set(name, { value, origin });
  };
  const { credentials, hosts, database, query } = partsOf(url);
  if (credentials !== undefined) {
    const colon = credentials.indexOf(':');
    give('user', decode(colon === -1 ? credentials : credentials.slice(0, colon)));
    if (colon !== -1) give('password', decode(credentials.slice(colon + 1)));
  }
  const each = hosts.split(',').map(readHost);
  if (each.some(({ host }) => host !== '')) give('host', each.map(({ host }) => host).join());
  if (each.some(({ port }) => port !== '')) give('port', each.map(({ port }) => port).join());
  give('dbname', decode(database));
  for (const [name, value] of readQuery(query)) found.set(name, { value, origin });
  return found;
}

interface Parts {
  credentials: string | undefined;
  hosts: string;
  database: string;
  query: string;
}

/** Name and password end at the first `@`, and are there only when it comes before the first `/`. */
function partsOf(url: string): Parts {
  const text = url.slice(url.indexOf('://') + 3);
  const sign = text.search(/[@/]/);
  const credentials = text[sign] === '@' ? text.slice(0, sign) : undefined;
  const rest = credentials === undefined ? text : text.slice(sign + 1);
  const question = rest.indexOf('?');
  const place = question === -1 ? rest : rest.slice(0, question);
  const query = question === -1 ? '' : rest.slice(question + 1);
  // An `@` here was meant to end a password that holds an `@` or a `/` of its own.
  if (place.includes('@')) throw unreadable();
  const slash = place.indexOf('/');
  return {
    credentials,
    hosts: slash === -1 ? place : place.slice(0, slash),
    database: slash === -1 ? '' : place.slice(slash + 1),
    query,
  };
}

function readHost(text: string): { host: string; port: string } {
  const match = /^(?:\[([\da-f:.%]+)\]|([^:[\]]*))(?::(\d*))?$/i.exec(text);
  if (match === null) throw unreadable();
  const [, address, name = '', port = ''] = match;
  const host = address ?? decode(name);
  if (host !== '' && !/^(\/|[\p{L}\d._:%-]+$)/u.test(host)) throw unreadable();
  return { host, port };
}

function readQuery(query: string): [ParameterName, string][] {
  return query.split('&').flatMap((pair): [ParameterName, string][] => {
    if (pair === '') return [];
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    // As JDBC writes it, and libpq understands it.
    if (name === 'ssl' && value === 'true') return [['sslmode', 'require']];
    if (equals !== -1 && isParameter(name)) return [[name, name === 'options' ? withSpaces(value) : value]];
    // After an `@` all of this may have been meant as a password.
    if (query.includes('@') || !/^\w+$/.test(name)) throw unreadable();
    throw unknownParameter(name, origin);
  });
}

/** Forms write a space as `+`, libpq does not; between two settings it can be nothing else. */
function withSpaces(options: string): string {
  return options.replaceAll('+-', ' -');
}

function decode(text: string): string {
  if (/%(?![\da-f]{2})|%00/i.test(text)) throw unreadable();
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) throw unreadable();
    throw error;
  }
}

function unreadable(): UsageError {
  return new UsageError(
    'the Postgres URL cannot be read',
    'Write postgres://user:password@host:5432/database. In user and password @ is written %40, / %2F, : %3A, ? %3F, # %23, % %25; or give the password in PGPASSWORD, as it is.',
  );
}
