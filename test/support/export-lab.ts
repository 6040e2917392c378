/** One empty database, a folder for exports, and the program that imports them, run as a process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExportFile, writeExportFolder, writeExportZip } from '../exports/make-export.ts';
import type { TestDatabase } from './databases.ts';
import { type CliResult, runCli } from './run-cli.ts';
import { type Stored, storedSlack } from './stored.ts';

/** Slack is not asked: nobody answers there. */
export const nowhere = 'http://127.0.0.1:9/';

export interface ExportLab extends AsyncDisposable {
  database: TestDatabase;
  /** For exports. */
  folder: string;
  env: Record<string, string>;
  /** Imports the export with `--json`: a path, or files that are written as a zip first. */
  import(what: string | readonly ExportFile[], ...args: string[]): Promise<ImportRun>;
  zip(files: readonly ExportFile[]): string;
  unpacked(files: readonly ExportFile[]): string;
  /** What the export left, without the ledger of its files. */
  rows(): Promise<Stored>;
}

export interface ImportRun extends CliResult {
  /** The `--json` object. */
  out: ReturnType<typeof JSON.parse>;
  /** What went wrong, as people read it. */
  errors: string[];
}

export async function openExportLab(create: () => Promise<TestDatabase>): Promise<ExportLab> {
  const database = await create();
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-import-'));
  const env = { DATABASE_URL: database.url, SLACK_API_URL: nowhere };
  let written = 0;
  const nextPath = () => {
    written += 1;
    return join(folder, `export ${written}`);
  };
  const lab: ExportLab = {
    database,
    folder,
    env,
    async import(what, ...args) {
      const path = typeof what === 'string' ? what : lab.zip(what);
      const result = await runCli(['import', path, '--json', ...args], { env });
      const out = JSON.parse(result.stdout);
      return { ...result, out, errors: out.errors.map(({ message }: { message: string }) => message) };
    },
    zip(files) {
      const path = `${nextPath()}.zip`;
      writeExportZip(path, files);
      return path;
    },
    unpacked(files) {
      const path = nextPath();
      writeExportFolder(path, files);
      return path;
    },
    async rows() {
      const { import_files: _, ...rows } = await storedSlack(database);
      return rows;
    },
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return lab;
}

/** The export with some files instead of those of the same path, or in addition to them. */
export function withFiles(
  files: readonly ExportFile[],
  others: Readonly<Record<string, string | Buffer | null>>,
): ExportFile[] {
  const kept = files.filter(({ path }) => !(path in others));
  const added = Object.entries(others).flatMap(([path, content]) => (content === null ? [] : [{ path, content }]));
  return [...kept, ...added];
}
