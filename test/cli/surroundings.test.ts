/** What a program meets where others start it: no home, no working directory, files that are not what they seem. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectClearFailure } from '../support/clear-failure.ts';
import { runCli } from '../support/run-cli.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slackingest-surroundings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const quietly = { DATABASE_URL: 'sqlite:none.db', SLACKINGEST_PACE: undefined };
const status = () => runCli(['status'], { cwd: folder, env: quietly });
const schema = () => runCli(['migrate', '--status'], { cwd: folder, env: quietly });

describe('.env', () => {
  it('that is a named pipe is refused at once; nobody waits for who writes to it', async () => {
    execFileSync('mkfifo', [join(folder, '.env')]);
    expectClearFailure(await status(), { code: 2, says: ['.env is no plain file'] });
  });

  it('that is a folder is somebody else’s', async () => {
    mkdirSync(join(folder, '.env'));
    expectClearFailure(await status(), { code: 1, says: ['there is no database'] });
  });

  it('with a secret that others may read is warned of once, and one without is not', async () => {
    const path = join(folder, '.env');
    writeFileSync(path, 'SLACK_TOKEN=xoxb-1234567890-secretsecret\n');
    chmodSync(path, 0o644);
    const open = await schema();
    expect(open.stderr.match(/chmod 600/g)).toHaveLength(1);
    expect(open.stderr).not.toContain('secretsecret');
    chmodSync(path, 0o600);
    expect((await schema()).stderr).not.toContain('chmod');
    writeFileSync(path, 'TZ_DEFAULT=UTC\n');
    chmodSync(path, 0o644);
    expect((await schema()).stderr).not.toContain('chmod');
  });
});

describe('a config file', () => {
  const bomb = [
    'a: &a [1,1,1,1,1,1,1,1,1,1]',
    ...'bcdefghi'.split('').map((name, n) => {
      const before = 'abcdefgh'[n];
      return `${name}: &${name} [${Array(10).fill(`*${before}`).join(',')}]`;
    }),
  ].join('\n');

  it.each([
    ['whose aliases multiply', bomb],
    ['that contains itself', 'channels: &all\n  include: *all\n'],
    ['nested without end', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  ])('%s is a mistake of who wrote it', async (_, text) => {
    const config = join(folder, 'config.yaml');
    writeFileSync(config, text);
    const result = await runCli(['status', '--config', config], { env: quietly });
    expectClearFailure(result, { code: 2, says: [config] });
    expect(result.stderr).not.toContain('bug');
  });
});

describe('without', () => {
  it.runIf(process.getuid?.() === 0)(
    'a home directory the default database has no place, and a given one does',
    async () => {
      // The system knows no user of this number.
      chmodSync(folder, 0o755);
      const command = (env: string) =>
        execFileSync('sh', ['-c', `${env} setpriv --reuid=54321 --clear-groups node "$0" status 2>&1 || true`, bin], {
          cwd: '/',
          env: { PATH: process.env['PATH'] ?? '' },
        }).toString();
      expect(command('')).toContain('the user has no home directory');
      expect(command(`DATABASE_URL=sqlite:${folder}/none.db`)).toContain('there is no database');
    },
  );

  it('a working directory it says so where it needs one', () => {
    const gone = join(folder, 'gone');
    mkdirSync(gone);
    const run = (args: string) =>
      execFileSync(
        'sh',
        ['-c', `cd "${gone}" && rmdir "${gone}" && node "$0" ${args} 2>&1; echo "code $?"; mkdir -p "${gone}"`, bin],
        {
          env: { PATH: process.env['PATH'] ?? '' },
        },
      ).toString();
    expect(run('status')).toMatch(/^error: the working directory does not exist any more\n[\s\S]*code 2\n$/);
    expect(run('--version')).toMatch(/^\d+\.\d+\.\d+\ncode 0\n$/);
  });
});

const bin = join(import.meta.dirname, '../../bin/slackingest.js');
