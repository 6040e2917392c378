/** A `sqlite:` URL carries a path; what it says besides is a mistake, and no file is made of it. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sqlitePath } from '../../src/db/dialects/sqlite-url.ts';
import { openDatabase } from '../../src/db/open.ts';
import { UsageError } from '../../src/errors.ts';
import { runCli } from '../support/run-cli.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slackingest-url-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a path', () => {
  it('is relative, absolute or in the home folder', () => {
    expect(sqlitePath('sqlite:x.db')).toBe(join(process.cwd(), 'x.db'));
    expect(sqlitePath('sqlite:/a/x.db')).toBe('/a/x.db');
    expect(sqlitePath('sqlite:///a/x.db')).toBe('/a/x.db');
    expect(sqlitePath('sqlite:~/x.db')).toBe(join(homedir(), 'x.db'));
    expect(sqlitePath('sqlite:./a b/ü 100%.db')).toBe(join(process.cwd(), 'a b', 'ü 100%.db'));
  });

  it('may lie in a folder that is called like the parts of a URL', () => {
    const odd = join(folder, 'c# ?x %20');
    mkdirSync(odd);
    expect(sqlitePath(`sqlite:${odd}/new/x.db`)).toBe(join(odd, 'new', 'x.db'));
    expect(() => sqlitePath(`sqlite:${folder}/d#/x.db`)).toThrow(UsageError);
  });
});

describe('what is no path', () => {
  const mistakes: [string, string][] = [
    ['sqlite:X/x.db?mode=ro', 'has parameters'],
    ['sqlite:X/x.db?cache=shared&mode=memory', 'has parameters'],
    ['sqlite:///X/x.db?vfs=/a/b', 'has parameters'],
    ['sqlite:X/x.db#today', 'has a fragment'],
    ['sqlite:X/my%20notes.db', 'sqlite:X/my notes.db'],
    ['sqlite:X/x.db%3Fmode=ro', '"%3F"'],
    ['sqlite::memory:', 'in memory'],
    ['sqlite::memory:?cache=shared', 'in memory'],
    ['sqlite://db.example.com/x.db', 'names a host'],
    ['sqlite://x.db', 'sqlite:x.db'],
    ['sqlite:file:X/x.db', '"file:"'],
    ['sqlite:file:X/x.db?mode=ro', '"file:"'],
    ['sqlite:~ada/x.db', 'of which only "~/" is understood'],
    ['sqlite:', 'names no file'],
    ['sqlite:  ', 'names no file'],
    ['sqlite://', 'names no file'],
    ['sqlite:///', 'names a folder'],
    ['sqlite:X', 'names a folder'],
    ['sqlite:X/new/', 'names a folder'],
    ['sqlite:/dev/null', 'names a device'],
    ['file:X/x.db', 'does not begin with sqlite:'],
    ['X/x.db', 'does not begin with sqlite:'],
  ];

  it.each(mistakes)('%s is a mistake of usage, told with the way that works', async (text, words) => {
    const url = text.replace('X', folder).replace('////', '///');
    const error = await openDatabase(url).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UsageError);
    if (!(error instanceof UsageError)) throw error;
    expect(`${error.message} ${error.hint}`).toContain(words.replace('X', folder));
    expect(error.hint).toMatch(/sqlite:|Leave out/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('stops every command with 2, and nothing is created', async () => {
    for (const args of [
      ['ingest'],
      ['status'],
      ['migrate'],
      ['migrate', '--status'],
      ['digest'],
      ['verify', '--offline'],
    ]) {
      const run = await runCli(args, {
        cwd: folder,
        env: { DATABASE_URL: 'sqlite:new/x.db?mode=ro', SLACK_TOKEN: 'xoxb-1-a', SLACKINGEST_PACE: undefined },
      });
      expect({ args, code: run.code, stdout: run.stdout }).toEqual({ args, code: 2, stdout: '' });
      expect(run.stderr).toContain('Leave out the "?"');
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it('tells of a file that an earlier version made of it', () => {
    writeFileSync(join(folder, 'x.db?mode=ro'), 'content');
    expect(() => sqlitePath(`sqlite:${folder}/x.db?mode=ro`)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('rename it') }),
    );
  });
});
