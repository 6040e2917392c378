/**
 * The rules of the layers that Biome's noRestrictedImports (.biome.json) cannot express.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

interface SourceFile {
  path: string;
  /** Without comments, so that they may name what the code must not do. */
  code: string;
}

function readSources(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const code = readFileSync(path, 'utf8')
        .replace(/\/\*.*?\*\//gs, '')
        .replace(/(^|\s)\/\/.*$/gm, '$1');
      return { path: relative(root, path), code };
    });
}

const sources = [...readSources('src'), ...readSources('migrations')];

function offenders(pattern: RegExp, allowed: (path: string) => boolean = () => false): string[] {
  return sources.flatMap(({ path, code }) => {
    if (allowed(path)) return [];
    return Array.from(code.matchAll(new RegExp(pattern, 'gm')), ([found]) => `${path}: ${found.trim()}`);
  });
}

const inFolder =
  (...folders: string[]) =>
  (path: string) =>
    folders.some((folder) => path.startsWith(folder));

describe('the code', () => {
  it('is found by this test', () => {
    expect(sources.map(({ path }) => path)).toContain('src/model.ts');
  });

  it('never ends the process: the exit code is set and the event loop drains', () => {
    expect(offenders(/process\.(exit|abort|reallyExit)\(/)).toEqual([]);
  });

  it('reads the environment in the CLI and the configuration only', () => {
    expect(offenders(/process\.env|from 'node:process'/, inFolder('src/cli/', 'src/config/'))).toEqual([]);
  });

  it('touches argv, stdin, stdout, stderr and signals in the CLI only', () => {
    expect(offenders(/process\.(argv|stdin|stdout|stderr|exitCode|on|once)\b/, inFolder('src/cli/'))).toEqual([]);
  });

  it('does not print through the console: stdout is the result, stderr goes through the logger', () => {
    expect(offenders(/\bconsole\b/)).toEqual([]);
  });

  it('asks which dialect it speaks only where the dialects are', () => {
    const dialectCheck = /[!=]==? *['"](sqlite|postgres)['"]|case ['"](sqlite|postgres)['"]|\.dialect *[!=]==?/;
    expect(
      offenders(dialectCheck, inFolder('src/db/dialects/', 'src/db/open.ts', 'migrations/column-types.ts')),
    ).toEqual([]);
  });

  it('knows the database in the layers that work with it by its types only', () => {
    const valueImport = /^import (?!type )[^;]*?from '[^']*\/db\/[^']*'/;
    expect(
      offenders(valueImport, (path) => !inFolder('src/sync/', 'src/verify/', 'src/digest/', 'src/publish/')(path)),
    ).toEqual([]);
  });

  it('loads ora and chalk in one file, and only when there is a terminal', () => {
    expect(offenders(/['"](ora|chalk)['"]/, inFolder('src/cli/progress.ts'))).toEqual([]);
    expect(offenders(/^import (?!type )[^;]*?from '(ora|chalk)'/)).toEqual([]);
  });

  it('has no drawers for odds and ends', () => {
    const drawers = sources.filter(({ path }) => /(^|\/)(utils?|helpers?|misc|common)(\/|\.ts$)/.test(path));
    expect(drawers.map(({ path }) => path)).toEqual([]);
  });

  it('lists every migration file', () => {
    const files = readdirSync(join(root, 'migrations')).filter((name) => /^\d{4}_.*\.ts$/.test(name));
    const index = readFileSync(join(root, 'migrations', 'index.ts'), 'utf8');
    expect(files.filter((name) => !index.includes(`./${name}`))).toEqual([]);
  });
});
