/**
 * Which server is meant, and how it is to be reached: the URL, the service it may name, the variables of libpq and libpq's
 * defaults, put together once. Everything that connects starts from here; the driver is left nothing to guess.
 */
import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SecureVersion } from 'node:tls';
import { UsageError } from '../../errors.ts';
import {
  checkParameters,
  type Given,
  type ParameterName,
  type Parameters,
  readVariables,
  type SessionAttributes,
  type SslMode,
  sessionAttributes,
  sslModes,
  tlsVersions,
} from './postgres-parameters.ts';
import { readService } from './postgres-service.ts';
import { readPostgresUrl } from './postgres-url.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface PostgresTarget {
  /** In the order in which they are tried; at least one. */
  readonly hosts: readonly PostgresHost[];
  readonly user: string;
  readonly database: string;
  readonly password: string | undefined;
  readonly passwordFile: PasswordFile;
  readonly options: string;
  readonly applicationName: string;
  /** Milliseconds for one host; 0 for as long as it takes. */
  readonly connectTimeoutMs: number;
  readonly attributes: SessionAttributes;
  readonly channelBinding: boolean;
  readonly tls: TlsWish;
  /** Hosts, ports and database for messages, without secrets. */
  readonly address: string;
}

export interface PostgresHost {
  /** A name, an IP address, or the folder of a socket, which begins with `/`. */
  readonly host: string;
  /** Where to connect to when the name is not to be looked up; the name still counts for certificate and password file. */
  readonly address: string | undefined;
  readonly port: number;
  readonly sslMode: SslMode;
}

export interface PasswordFile {
  readonly path: string;
  /** Somebody named it: then it has to be there. */
  readonly isNamed: boolean;
}

/** What is wished of TLS. Files by their paths; those that libpq looks for by itself only when they are there. */
export interface TlsWish {
  /** Whether somebody said what is wanted, or it is the default. */
  readonly isChosen: boolean;
  readonly isDirect: boolean;
  /** `system` for the authorities that this machine trusts. */
  readonly rootCert: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly keyPassword: string | undefined;
  readonly revoked: string | undefined;
  readonly minVersion: SecureVersion | undefined;
  readonly maxVersion: SecureVersion | undefined;
}

const defaultPort = 5432;
const defaultConnectTimeoutMs = 10_000;
/** Where Debian and Red Hat, Alpine, and everyone else put the server's socket. */
const socketFolders = ['/var/run/postgresql', '/run/postgresql', '/tmp'];
const systemServiceFolder = '/etc/postgresql-common';

/** Throws `UsageError` for everything that is unknown, contradicts itself, or cannot be done. */
export function postgresTarget(url: string, env: Environment): PostgresTarget {
  const home = homeOf(env);
  const parameters = collect(url, env, home);
  checkParameters(parameters);
  const text = (name: ParameterName) => parameters.get(name)?.value;
  const user = text('user') ?? systemUser();
  const database = text('dbname') ?? user;
  const tls = tlsWish(parameters, home);
  const hosts = hostsOf(parameters, sslModeOf(parameters));
  assertModesFit(hosts, tls, parameters);
  return {
    hosts: text('load_balance_hosts') === 'random' ? shuffled(hosts) : hosts,
    user,
    database,
    password: text('password'),
    passwordFile: { path: text('passfile') ?? join(home, '.pgpass'), isNamed: parameters.has('passfile') },
    options: text('options') ?? '',
    applicationName: text('application_name') ?? text('fallback_application_name') ?? 'slackingest',
    connectTimeoutMs: connectTimeoutOf(text('connect_timeout')),
    attributes: oneOf(sessionAttributes, text('target_session_attrs')) ?? 'any',
    channelBinding: text('channel_binding') === 'require',
    tls,
    address: `${hosts.map(placeOf).join()}/${database}`,
  };
}

/** Whoever speaks first counts: the URL, the service it names, the environment. */
function collect(url: string, env: Environment, home: string): Parameters {
  const said = readPostgresUrl(url);
  const variables = readVariables(env);
  const service = said.get('service') ?? variables.get('service');
  const named = said.get('servicefile') ?? variables.get('servicefile');
  const ofService =
    service === undefined
      ? []
      : readService(service, [
          { path: named?.value ?? join(home, '.pg_service.conf'), isRequired: named !== undefined },
          { path: join(env['PGSYSCONFDIR'] || systemServiceFolder, 'pg_service.conf'), isRequired: false },
        ]);
  return new Map([...variables, ...ofService, ...said]);
}

function hostsOf(parameters: Parameters, sslMode: SslMode | undefined): PostgresHost[] {
  const list = (name: ParameterName) => parameters.get(name)?.value.split(',');
  const names = list('host');
  const addresses = list('hostaddr');
  const ports = list('port') ?? [''];
  const count = addresses?.length ?? names?.length ?? 1;
  if (names !== undefined && names.length !== count)
    throw new UsageError(
      `there are ${names.length} names in host and ${count} addresses in hostaddr`,
      'Give one for each.',
    );
  if (ports.length !== 1 && ports.length !== count)
    throw new UsageError(
      `there are ${ports.length} ports and the hosts are ${count}`,
      'Give one port for each, or one.',
    );
  return Array.from({ length: count }, (_, i) => {
    const port = portOf(ports[ports.length === 1 ? 0 : i] ?? '', parameters.get('port'));
    const address = addresses?.[i] || undefined;
    const host = names?.[i] || address || defaultHost(port);
    return { host, address, port, sslMode: sslMode ?? (isThisMachine(address ?? host) ? 'prefer' : 'require') };
  });
}

function portOf(text: string, given: Given | undefined): number {
  if (text === '') return defaultPort;
  const port = Number(text);
  if (/^\s*\d+\s*$/.test(text) && port > 0 && port < 65_536) return port;
  throw new UsageError(`${given?.origin}: the port is none`, 'A port is a number from 1 to 65535.');
}

/** A socket where there is one, as psql does; else this machine by TCP. */
function defaultHost(port: number): string {
  return socketFolders.find((folder) => existsSync(join(folder, `.s.PGSQL.${port}`))) ?? 'localhost';
}

/** Nothing that is sent there leaves the machine. */
function isThisMachine(host: string): boolean {
  return host.startsWith('/') || /^(localhost|.+\.localhost|127\.[\d.]+|::1)$/i.test(host);
}

/** What somebody asked for; undefined leaves it to where the host is. */
function sslModeOf(parameters: Parameters): SslMode | undefined {
  const chosen = oneOf(sslModes, parameters.get('sslmode')?.value);
  // With the authorities of the whole world, only the name tells who answers.
  return chosen ?? (parameters.get('sslrootcert')?.value === 'system' ? 'verify-full' : undefined);
}

function tlsWish(parameters: Parameters, home: string): TlsWish {
  const text = (name: ParameterName) => parameters.get(name)?.value;
  const own = (name: string) => {
    const path = join(home, '.postgresql', name);
    return existsSync(path) ? path : undefined;
  };
  const cert =
    parameters.get('sslcertmode')?.value === 'disable' ? undefined : (text('sslcert') ?? own('postgresql.crt'));
  return {
    isChosen: sslModeOf(parameters) !== undefined,
    isDirect: text('sslnegotiation') === 'direct',
    // libpq would refuse to check without a file; the authorities that everybody trusts are as good as its `system`.
    rootCert:
      text('sslrootcert') ?? own('root.crt') ?? (sslModeOf(parameters) === 'verify-full' ? 'system' : undefined),
    cert,
    key: cert === undefined ? undefined : (text('sslkey') ?? own('postgresql.key')),
    keyPassword: text('sslpassword'),
    revoked: text('sslcrl') ?? own('root.crl'),
    minVersion: oneOf(tlsVersions, text('ssl_min_protocol_version')),
    maxVersion: oneOf(tlsVersions, text('ssl_max_protocol_version')),
  };
}

/** What libpq refuses too, because one half would undo the other. */
function assertModesFit(hosts: readonly PostgresHost[], tls: TlsWish, parameters: Parameters): void {
  const weak = (modes: readonly SslMode[]) =>
    hosts.find(({ host, sslMode }) => !host.startsWith('/') && modes.includes(sslMode))?.sslMode;
  const besideSystem = weak(['disable', 'allow', 'prefer', 'require', 'verify-ca']);
  if (tls.rootCert === 'system' && besideSystem !== undefined)
    throw new UsageError(
      `sslmode=${besideSystem} is too weak for sslrootcert=system: anybody can have a certificate of those authorities`,
      'Write sslmode=verify-full.',
    );
  if (tls.rootCert === undefined && weak(['verify-ca']) !== undefined)
    throw new UsageError(
      `${parameters.get('sslmode')?.origin}: sslmode=verify-ca needs the certificate of the authority to check against`,
      'Name its file: sslrootcert=/path/to/ca.crt (or PGSSLROOTCERT), or write sslmode=verify-full.',
    );
  const besideDirect = weak(['disable', 'allow', 'prefer']);
  if (tls.isDirect && besideDirect !== undefined)
    throw new UsageError(
      `sslmode=${besideDirect} is too weak for sslnegotiation=direct`,
      'Write sslmode=require, verify-ca or verify-full.',
    );
}

/** Whole seconds, as libpq has it: none, 0 or less waits for ever there. Here silence ends by itself when nobody chose. */
function connectTimeoutOf(text: string | undefined): number {
  return text === undefined ? defaultConnectTimeoutMs : Math.max(0, Number(text) * 1000);
}

function placeOf({ host, port }: PostgresHost): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function oneOf<Value extends string>(values: readonly Value[], text: string | undefined): Value | undefined {
  return values.find((value) => value === text);
}

function shuffled(hosts: readonly PostgresHost[]): PostgresHost[] {
  return hosts
    .map((host) => ({ host, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ host }) => host);
}

function homeOf(env: Environment): string {
  return env['HOME'] || systemKnows(homedir) || '/';
}

function systemUser(): string {
  const user = systemKnows(() => userInfo().username);
  if (user !== undefined) return user;
  throw new UsageError(
    'the Postgres URL names no user, and this process runs as nobody whom the system knows',
    'Write postgres://USER@host/database, or set PGUSER.',
  );
}

/** A container may run as a user id that has no name and no home: the system throws then. */
function systemKnows(ask: () => string): string | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SYSTEM_ERROR') return undefined;
    throw error;
  }
}
