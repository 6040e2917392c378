/** TLS to Postgres, each mode as libpq means it; nothing on stderr that nobody has to act on. */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openDatabase } from '../../src/db/open.ts';
import { type Authority, makeAuthority, pem } from '../support/certificates.ts';
import { expectClearFailure } from '../support/clear-failure.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { runCli } from '../support/run-cli.ts';

let ours: Authority;
let strange: Authority;
let server: PostgresServer;
/** No file of libpq's lies here. */
let home: string;
beforeAll(async () => {
  ours = makeAuthority('Our own authority');
  strange = makeAuthority('Another authority');
  home = mkdtempSync(join(tmpdir(), 'slackingest-home-'));
  server = await startPostgres({
    tls: { ...pem(ours.issue('db.example.com')), authority: readFileSync(ours.file, 'utf8') },
    hba: ['hostssl all certain all cert', 'hostnossl all plain all trust', 'hostssl all plain all reject'],
  });
  await query(`create role certain superuser login; create role plain superuser login`);
});
afterAll(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
  for (const authority of [ours, strange]) authority[Symbol.dispose]();
});

async function query(text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

function at(parameters: Record<string, string>): string {
  const url = new URL(server.url);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

const migrate = (url: string, env: Record<string, string> = {}) =>
  runCli(['migrate'], { env: { DATABASE_URL: url, HOME: home, SLACKINGEST_PACE: undefined, ...env } });

/** The connection that a parameter makes, by the name that it gives itself. */
async function expectDone(url: string, env: Record<string, string> = {}): Promise<void> {
  const { code, stderr } = await migrate(url, env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

const named = { host: 'db.example.com', hostaddr: '127.0.0.1' };

describe('a server with a certificate of its own authority', () => {
  it('is encrypted by sslmode=require and by default, without a word', async () => {
    for (const parameters of [
      {},
      { sslmode: 'require' },
      { sslmode: 'prefer' },
      { sslmode: 'allow' },
      { sslmode: 'disable' },
    ])
      await expectDone(at(parameters));
    await expectDone(at({ sslmode: 'require', sslnegotiation: 'direct' }));
  });

  it('sends everything encrypted unless somebody said otherwise', async () => {
    const isEncrypted = async (parameters: Record<string, string>) => {
      const dialect = await openDatabase(at(parameters), { env: { HOME: home } });
      const { rows } = await sql<{ ssl: boolean }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(
        dialect.db,
      );
      await dialect.close();
      return rows[0]?.ssl;
    };
    for (const parameters of [{}, { sslmode: 'prefer' }, { sslmode: 'require' }])
      expect(await isEncrypted(parameters)).toBe(true);
    for (const sslmode of ['disable', 'allow']) expect(await isEncrypted({ sslmode })).toBe(false);
  });

  it('is checked by verify-ca, and by require with the authority at hand', async () => {
    for (const sslmode of ['require', 'verify-ca']) {
      await expectDone(at({ sslmode, sslrootcert: ours.file }));
      expectClearFailure(await migrate(at({ sslmode, sslrootcert: strange.file })), {
        code: 1,
        says: ['is not trusted', strange.file, 'holds another one'],
      });
    }
    await expectDone(at({}), { PGSSLMODE: 'verify-ca', PGSSLROOTCERT: ours.file });
    mkdirSync(join(home, '.postgresql'));
    copyFileSync(strange.file, join(home, '.postgresql', 'root.crt'));
    expectClearFailure(await migrate(at({ sslmode: 'require' })), { code: 1, says: ['is not trusted', 'root.crt'] });
    rmSync(join(home, '.postgresql'), { recursive: true });
  });

  it('is checked by its name too with verify-full', async () => {
    await expectDone(at({ ...named, sslmode: 'verify-full', sslrootcert: ours.file }));
    expectClearFailure(await migrate(at({ host: 'localhost', sslmode: 'verify-full', sslrootcert: ours.file })), {
      code: 1,
      says: ['is for another name', 'db.example.com', 'verify-ca'],
    });
  });

  it('is not trusted without its authority, and what to set is said', async () => {
    const url = at({ ...named, sslmode: 'verify-full' });
    expectClearFailure(await migrate(url), {
      code: 1,
      says: ['is not trusted', 'sslrootcert=', 'NODE_EXTRA_CA_CERTS'],
    });
    await expectDone(url, { NODE_EXTRA_CA_CERTS: ours.file });
    await expectDone(at({ ...named, sslrootcert: 'system' }), { SSL_CERT_FILE: ours.file });
  });

  it('asks for a certificate of the client', async () => {
    const own = ours.issue('certain');
    const url = at({ user: 'certain', sslmode: 'require' });
    expectClearFailure(await migrate(url), { code: 1, says: ['wants a certificate', 'sslcert='] });
    await expectDone(url, { PGSSLCERT: own.cert, PGSSLKEY: own.key });
    chmodSync(own.key, 0o644);
    expectClearFailure(await migrate(url, { PGSSLCERT: own.cert, PGSSLKEY: own.key }), {
      code: 2,
      says: ['chmod 600'],
    });
    expectClearFailure(await migrate(url, { PGSSLCERT: own.cert }), {
      code: 2,
      says: ['has no private key', 'sslkey='],
    });
    expectClearFailure(await migrate(url, { PGSSLCERT: join(home, 'gone.crt'), PGSSLKEY: own.key }), {
      code: 2,
      says: ['gone.crt', 'cannot be read'],
    });
  });

  it('that wants plain text gets it by prefer, and not by require', async () => {
    await expectDone(at({ user: 'plain', sslmode: 'prefer' }));
    expectClearFailure(await migrate(at({ user: 'plain', sslmode: 'require' })), { code: 1, says: ['plain'] });
  });
});

describe('a server without TLS', () => {
  it('is refused where sslmode asks for it', async () => {
    const url = new URL(inject('postgresUrl'));
    url.searchParams.set('sslmode', 'require');
    expectClearFailure(await migrate(url.href), { code: 1, says: ['offers no TLS', 'sslmode=disable'] });
    expectClearFailure(await migrate(inject('postgresUrl'), { PGSSLMODE: 'Require' }), {
      code: 2,
      says: ['PGSSLMODE: "Require"', 'did you mean "require"?'],
    });
  });
});

describe('several hosts', () => {
  it('are tried until one answers, and is of the kind that was asked for', async () => {
    const { port } = new URL(server.url);
    await expectDone(`postgres://postgres@127.0.0.1:1,127.0.0.1:${port}/postgres?target_session_attrs=read-write`);
    expectClearFailure(
      await migrate(`postgres://postgres@127.0.0.1:1,127.0.0.1:${port}/postgres?target_session_attrs=standby`),
      {
        code: 1,
        says: ['target_session_attrs=standby'],
      },
    );
    await expectDone(`postgres://postgres@127.0.0.1:1,127.0.0.1:${port}/postgres?target_session_attrs=prefer-standby`);
  });
});

describe('a password file and a service', () => {
  it('work without a notice', async () => {
    const secret = await startPostgres({
      password: 'hunter2:s3cr@t',
      tls: { ...pem(ours.issue('x')), authority: readFileSync(ours.file, 'utf8') },
    });
    try {
      const { port } = new URL(secret.url);
      writeFileSync(join(home, '.pgpass'), `127.0.0.1:${port}:*:postgres:hunter2\\:s3cr@t\n`, { mode: 0o600 });
      writeFileSync(join(home, '.pg_service.conf'), `[slack]\nhost=127.0.0.1\nport=${port}\nuser=postgres\n`);
      await expectDone('postgres:///postgres', { PGSERVICE: 'slack' });
      // Binding the password to the line needs TLS, which the password of a plain one is not sent over.
      await expectDone('postgres:///postgres?service=slack&channel_binding=require');
      expectClearFailure(await migrate('postgres:///postgres?service=slack&channel_binding=require&sslmode=disable'), {
        code: 1,
        says: ['channel_binding=require'],
      });
      rmSync(join(home, '.pgpass'));
      expectClearFailure(await migrate('postgres:///postgres?service=slack'), {
        code: 1,
        says: ['none was given', 'PGPASSWORD', join(home, '.pgpass')],
      });
    } finally {
      await secret.stop();
    }
  });
});
