/** What a URL, a service file and the environment say about the connection, as libpq understands them. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settingsIn } from '../../src/db/dialects/postgres-options.ts';
import { findPassword } from '../../src/db/dialects/postgres-password-file.ts';
import { type Environment, postgresTarget } from '../../src/db/dialects/postgres-target.ts';
import { UsageError } from '../../src/errors.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'slackingest-home-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const target = (url: string, env: Environment = {}) => postgresTarget(url, { HOME: home, ...env });

function refusal(url: string, env: Environment = {}): string {
  try {
    target(url, env);
  } catch (error) {
    if (error instanceof UsageError) return `${error.message}. ${error.hint}`;
    throw error;
  }
  throw new Error(`was not refused: ${url}`);
}

describe('a URL', () => {
  it.each([
    ['postgres://ada@db.example.com/slack', ['ada', undefined, 'db.example.com:5432/slack']],
    ['postgresql://ada:pw@db:6000/slack', ['ada', 'pw', 'db:6000/slack']],
    ['postgres://ada:a%40b%2Fc@db/slack', ['ada', 'a@b/c', 'db:5432/slack']],
    ['postgres://ada:a?b#c:d@db/slack', ['ada', 'a?b#c:d', 'db:5432/slack']],
    ['postgres://ada:100%25@db', ['ada', '100%', 'db:5432/ada']],
    ['postgres://ada:a+b@db', ['ada', 'a+b', 'db:5432/ada']],
    ['postgres://ada@[::1]:6000/slack', ['ada', undefined, '[::1]:6000/slack']],
    ['postgres://ada@%2Fvar%2Frun%2Fx/slack', ['ada', undefined, '/var/run/x:5432/slack']],
    ['postgres://ada@/slack?host=/var/run/x&port=6000', ['ada', undefined, '/var/run/x:6000/slack']],
    ['postgres://ada@h1:1,h2:2,h3/slack', ['ada', undefined, 'h1:1,h2:2,h3:5432/slack']],
    ['postgres://ada@h1,h2/slack?port=7', ['ada', undefined, 'h1:7,h2:7/slack']],
    ['postgres:///slack?user=ada&host=db&password=a%26b', ['ada', 'a&b', 'db:5432/slack']],
    ['postgres://ada@db/slack?dbname=other', ['ada', undefined, 'db:5432/other']],
    ['postgres://ada@db/b%C3%BCro', ['ada', undefined, 'db:5432/büro']],
  ])('%s is understood', (url, [user, password, address]) => {
    const found = target(url);
    expect([found.user, found.password, found.address]).toEqual([user, password, address]);
  });

  it('leaves the user to the system, and the database to the user', () => {
    expect(target('postgres://db')).toMatchObject({ user: userInfo().username, database: userInfo().username });
  });

  it.each([
    ['?schema=mine', ['"schema"', 'options=-csearch_path%3DNAME']],
    ['?sslmod=require', ['"sslmod"', 'did you mean "sslmode"?']],
    ['?sslmode=Require', ['"Require"', 'did you mean "require"?', 'verify-full']],
    ['?sslmode=no-verify', ['"no-verify"', 'Write one of disable, allow']],
    ['?sslmode=', ['is no sslmode']],
    ['?pgbouncer=true', ['"pgbouncer"']],
    ['?connect_timeout=soon', ['"soon"', 'whole number']],
    ['?target_session_attrs=master', ['"master"', 'primary']],
    ['?gssencmode=require', ['gssencmode=require is not supported', 'verify-full']],
    ['?sslcrldir=/x', ['sslcrldir is not supported', 'sslcrl=']],
    ['?sslmode=verify-ca', ['sslrootcert']],
    ['?sslmode=require&sslrootcert=system', ['too weak', 'verify-full']],
    ['?sslnegotiation=direct&sslmode=prefer', ['too weak']],
    ['?service=nowhere', ['there is no service "nowhere"', '.pg_service.conf']],
  ])('with %s is refused, with what to write', (query, words) => {
    const said = refusal(`postgres://ada@db.example.com/slack${query}`);
    for (const word of words) expect(said).toContain(word);
  });

  it.each(['h1:1,h2:2?port=3,4,5', 'db:70000/x', 'db:0/x'])('postgres://%s names ports that are none', (rest) => {
    expect(refusal(`postgres://${rest}`)).toContain('port');
  });

  it('never shows a piece of a password that holds signs of its own', () => {
    const sign = fc.constantFrom('@', '#', '/', '?', ':', '&', '=', '%', '[', ']', ',', '+', ' ', '\\', '"', "'");
    const piece = fc.constantFrom('HUNTER', 'SECRET', 'TROUBADOR', '4711');
    const password = fc
      .array(fc.oneof(piece, sign), { minLength: 1, maxLength: 8 })
      .map((parts) => `HUNTER${parts.join('')}`);
    fc.assert(
      fc.property(
        password,
        fc.constantFrom('db.example.com:5432/slack', 'db/slack?sslmode=require', 'db'),
        (each, rest) => {
          const url = `postgres://ada:${each}@${rest}`;
          let said: string;
          try {
            const found = target(url);
            // What libpq would understand: all of it is the password.
            said = found.password === decodeURIComponent(each) ? '' : `${found.address} ${found.user}`;
          } catch (error) {
            if (!(error instanceof UsageError)) throw error;
            said = `${error.message} ${error.hint}`;
          }
          expect(said).not.toMatch(/HUNTER|SECRET|TROUBADOR|4711/);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('says to percent-encode where libpq would not understand either', () => {
    for (const url of ['postgres://ada:p@ss@db/slack', 'postgres://ada:p/ss@db/slack', 'postgres://a@b:pw@db/slack'])
      expect(refusal(url)).toMatch(/cannot be read\. .*%40.*PGPASSWORD/);
  });
});

describe('TLS', () => {
  it.each([
    ['db.example.com', 'require'],
    ['10.0.0.1', 'require'],
    ['localhost', 'prefer'],
    ['127.0.0.1', 'prefer'],
    ['[::1]', 'prefer'],
    ['%2Ftmp', 'prefer'],
  ])('at %s is by default %s', (host, mode) => {
    const [only] = target(`postgres://ada@${host}/slack`).hosts;
    expect(only?.sslMode).toBe(mode);
  });

  it('is what somebody says, wherever that is said', () => {
    for (const mode of ['disable', 'allow', 'prefer', 'require', 'verify-full']) {
      expect(target(`postgres://ada@db?sslmode=${mode}`).hosts[0]?.sslMode).toBe(mode);
      expect(target('postgres://ada@db', { PGSSLMODE: mode }).hosts[0]?.sslMode).toBe(mode);
    }
    expect(target('postgres://ada@db?sslmode=disable', { PGSSLMODE: 'require' }).hosts[0]?.sslMode).toBe('disable');
    expect(target('postgres://ada@db?ssl=true').hosts[0]?.sslMode).toBe('require');
    expect(target('postgres://ada@localhost?sslrootcert=system')).toMatchObject({
      hosts: [{ sslMode: 'verify-full' }],
      tls: { isChosen: true },
    });
  });

  it('is never lost by a slip in a variable', () => {
    expect(refusal('postgres://ada@db', { PGSSLMODE: 'Require' })).toContain('PGSSLMODE: "Require" is no sslmode');
    expect(refusal('postgres://ada@db', { PGSSLMOD: 'require' })).toContain('PGSSLMOD is no variable of libpq');
    expect(target('postgres://ada@db', { PGDATA: '/x', PG_COLOR: 'auto' }).address).toBe('db:5432/ada');
  });
});

describe('the environment', () => {
  it('fills what the URL leaves out', () => {
    const env = {
      PGHOST: 'db',
      PGPORT: '6000',
      PGUSER: 'ada',
      PGPASSWORD: ' pw ',
      PGDATABASE: 'slack',
      PGOPTIONS: '-c search_path=mine',
      PGAPPNAME: 'nightly',
      PGCONNECT_TIMEOUT: '3',
      PGTARGETSESSIONATTRS: 'read-write',
      PGCHANNELBINDING: 'require',
      PGHOSTADDR: '10.1.2.3',
    };
    expect(target('postgres://', env)).toMatchObject({
      address: 'db:6000/slack',
      user: 'ada',
      password: ' pw ',
      options: '-c search_path=mine',
      applicationName: 'nightly',
      connectTimeoutMs: 3000,
      attributes: 'read-write',
      channelBinding: true,
      hosts: [{ host: 'db', address: '10.1.2.3' }],
    });
    expect(target('postgres://bram@other:1/work', env)).toMatchObject({ user: 'bram', database: 'work' });
  });

  it('counts as silent where a variable is set to nothing', () => {
    expect(target('postgres://ada@db', { PGSSLMODE: '', PGPORT: '', PGDATABASE: '' }).address).toBe('db:5432/ada');
  });
});

describe('a service', () => {
  it('stands between the URL and the environment', () => {
    const file = join(home, 'services.conf');
    writeFileSync(
      file,
      '# ours\n[other]\nhost=nowhere\n\n[slack]\nhost=db\n# port\nport=6000\nuser=ada\npassword=a=b\n[last]\n',
    );
    const env = { PGSERVICEFILE: file, PGSERVICE: 'slack', PGUSER: 'bram', PGDATABASE: 'work' };
    expect(target('postgres:///slack', env)).toMatchObject({ user: 'ada', password: 'a=b', address: 'db:6000/slack' });
    expect(target('postgres://chiara@/?service=slack', { PGSERVICEFILE: file })).toMatchObject({
      user: 'chiara',
      address: 'db:6000/chiara',
    });
  });

  it('is looked for in the home directory, and then in that of the system', () => {
    writeFileSync(join(home, '.pg_service.conf'), '[mine]\nhost=one\n');
    const system = join(home, 'etc');
    mkdirSync(system);
    writeFileSync(join(system, 'pg_service.conf'), '[mine]\nhost=two\n[theirs]\nhost=three\n');
    const env = { PGSYSCONFDIR: system };
    expect(target('postgres://ada@?service=mine', env).address).toBe('one:5432/ada');
    expect(target('postgres://ada@?service=theirs', env).address).toBe('three:5432/ada');
  });

  it('says what libpq does not know', () => {
    const file = join(home, 'strange.conf');
    writeFileSync(file, '[slack]\nhots=db\n');
    const said = refusal('postgres://?service=slack', { PGSERVICEFILE: file });
    expect(said).toContain(`[slack] of ${file}: there is no parameter "hots", did you mean "host"?`);
    expect(refusal('postgres://?service=slack', { PGSERVICEFILE: join(home, 'gone') })).toContain('cannot be read');
  });
});

describe('a password file', () => {
  const lines = [
    '# comment',
    'other:5432:slack:ada:wrong',
    String.raw`db:5432:sl\:ack:ada:with\:colon\\and slash`,
    'db:*:slack:ada:plain:with colon',
    'localhost:*:*:*:local',
    '*:*:*:*:',
  ];
  const find = (url: string, warnings: string[] = []) => {
    const found = target(url, { PGPASSFILE: join(home, 'passwords') });
    const [host] = found.hosts;
    if (host === undefined) throw new Error('no host');
    return findPassword(found, host, (text) => warnings.push(text));
  };
  beforeAll(() => writeFileSync(join(home, 'passwords'), lines.join('\n'), { mode: 0o600 }));

  it('gives the password of the first line that fits', () => {
    expect(find('postgres://ada@db/sl%3Aack')).toBe(String.raw`with:colon\and slash`);
    expect(find('postgres://ada@db:7/slack')).toBe('plain:with colon');
    expect(find('postgres://ada@db:7/slack?hostaddr=10.0.0.1')).toBe('plain:with colon');
    expect(find('postgres://bram@%2Fvar%2Frun%2Fpostgresql/x')).toBe('local');
    expect(find('postgres://bram@elsewhere/x')).toBeUndefined();
  });

  it('is passed over when others may read it, and that is said', () => {
    chmodSync(join(home, 'passwords'), 0o640);
    const warnings: string[] = [];
    expect(find('postgres://ada@db:7/slack', warnings)).toBeUndefined();
    expect(warnings.join()).toContain('chmod 600');
    chmodSync(join(home, 'passwords'), 0o600);
  });
});

describe('the settings among the options', () => {
  it.each([
    ['-csearch_path=mine', [['search_path', 'mine']]],
    [
      '-c search_path=mine,public --work-mem=4MB',
      [
        ['search_path', 'mine,public'],
        ['work_mem', '4MB'],
      ],
    ],
    [String.raw`-c search_path=my\ schema`, [['search_path', 'my schema']]],
    ['endpoint=ep-cool-1', []],
    ['-B 5', []],
  ])('of %s are found', (options, settings) => {
    expect(settingsIn(options)).toEqual(settings);
  });
});
