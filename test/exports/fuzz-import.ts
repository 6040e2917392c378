/**
 * Imports of damaged exports, one after the other in this process: none may crash, hang, or leave people without a word about
 * which file it was.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { main, Outputs } from '../../src/cli/main.ts';
import type { Outlet } from '../../src/cli/outlet.ts';
import { type ExportFile, writeExportFolder, writeExportZip } from './make-export.ts';
import { mutateExport, mutateZip } from './mutate.ts';
import { randomExport } from './random-export.ts';

type Main = typeof main;

/** What became of one mutant. */
export interface MutantResult {
  index: number;
  description: string;
  form: 'zip' | 'folder';
  code: number;
  ms: number;
  /** What is wrong with how it ended; none is what is hoped for. */
  complaints: string[];
  stdout: string;
  stderr: string;
}

/** Nothing of that size takes a tenth of it. */
const hangMs = 30_000;
/** Mutants that are made of one export. */
const mutantsOfOne = 25;

/** Imports mutants of exports made up from a seed. Dispose of it. */
export class ImportFuzzer {
  readonly #seed: number;
  readonly #main: Main;
  readonly #folder = mkdtempSync(join(tmpdir(), 'slackingest-fuzz-'));
  readonly #watchdog = new Watchdog();
  #isMigrated = false;
  #base: { n: number; files: ExportFile[]; zip: Buffer } | undefined;

  /** `main` is that of the program. */
  constructor(seed: number, main: Main) {
    this.#seed = seed;
    this.#main = main;
  }

  [Symbol.dispose](): void {
    this.#watchdog.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async play(index: number): Promise<MutantResult> {
    if (!this.#isMigrated) await this.#migrate();
    const { description, form, names, intact } = this.#write(index);
    const database = join(this.#folder, 'mutant.db');
    for (const suffix of ['', '-wal', '-shm']) rmSync(database + suffix, { force: true });
    copyFileSync(this.#template, database);
    const began = performance.now();
    this.#watchdog.begin(`seed ${this.#seed}, mutant ${index} (${description})`);
    const run = await this.#run(['import', this.#target(form), '--json'], database);
    this.#watchdog.end();
    const ms = performance.now() - began;
    const stored = readFileSync(database).toString('latin1');
    const complaints = complaintsOf({ ...run, names, stored });
    const missing = run.code === 2 || isPartlyUnknown(run, names) ? [] : missingFrom(database, intact);
    if (missing.length > 0) complaints.push(`lacks ${missing.length} messages of files without damage, ${missing[0]}`);
    return { index, description, form, ms, ...run, complaints };
  }

  get #template(): string {
    return join(this.#folder, 'template.db');
  }

  #target(form: 'zip' | 'folder'): string {
    return join(this.#folder, form === 'zip' ? 'export.zip' : 'export');
  }

  async #migrate(): Promise<void> {
    const { code, stderr } = await this.#run(['migrate'], this.#template);
    if (code !== 0) throw new Error(`migrate ended with ${code}: ${stderr}`);
    this.#isMigrated = true;
  }

  /** Writes the mutant; returns what was done to it and which names the program may speak of. */
  #write(index: number): { description: string; form: 'zip' | 'folder'; names: string[] | null; intact: ExportFile[] } {
    const { files, zip } = this.#baseOf(index);
    const zipPath = this.#target('zip');
    const folder = this.#target('folder');
    rmSync(folder, { recursive: true, force: true });
    if (index % 3 === 2) {
      const { description, bytes } = mutateZip(zip, this.#seed, Math.floor(index / 3));
      writeFileSync(zipPath, bytes);
      return { description, form: 'zip', names: null, intact: files };
    }
    const mutant = mutateExport(files, this.#seed, index - Math.floor(index / 3));
    const form = mutant.isZipOnly || index % 2 === 0 ? 'zip' : 'folder';
    if (form === 'zip') writeExportZip(zipPath, mutant.files, { level: 1 });
    else {
      mkdirSync(folder);
      writeExportFolder(folder, mutant.files);
    }
    const kept = new Set(mutant.files.map(({ path, content }) => `${path} ${content}`));
    const intact = files.filter(({ path, content }) => kept.has(`${path} ${content}`));
    return { description: mutant.description, form, names: mutant.files.map(({ path }) => path), intact };
  }

  #baseOf(index: number): { files: ExportFile[]; zip: Buffer } {
    const n = Math.floor(index / mutantsOfOne);
    if (this.#base?.n !== n) {
      const files = randomExport(this.#seed * 1000 + n, { unlisted: n % 2 === 1 });
      const path = join(this.#folder, 'base.zip');
      writeExportZip(path, files);
      this.#base = { n, files, zip: readFileSync(path) };
    }
    return this.#base;
  }

  async #run(args: readonly string[], database: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = { DATABASE_URL: `sqlite:${database}`, SLACK_API_URL: 'http://127.0.0.1:9/', HOME: this.#folder };
    const before = { ...process.env };
    Object.assign(process.env, env);
    const output = new CapturedOutput();
    try {
      const code = await this.#main(args, output);
      return { code, ...output.texts };
    } finally {
      output.release();
      for (const key of Object.keys(env)) {
        const value = before[key];
        if (value === undefined) delete process.env[key];
        else process.env[key] = value;
      }
    }
  }
}

const expectedCodes = new Set([0, 2, 3]);

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
  /** Paths of the files; null where the damage may have changed them. */
  names: string[] | null;
  /** The bytes of the database. */
  stored: string;
}

function complaintsOf({ code, stdout, stderr, names, stored }: Ended): string[] {
  const complaints: string[] = [];
  if (!expectedCodes.has(code)) complaints.push(`exit code ${code}`);
  if (/bug of slackingest|\n\s+at .*\d+:\d+|\bTypeError\b|\bRangeError\b/.test(stderr + stdout))
    complaints.push('speaks like a crash');
  if (/xoxe-/.test(stdout + stderr + stored)) complaints.push('shows or keeps a token');
  const result = parsed(stdout);
  if (result === null) return [...complaints, 'stdout is not one JSON object'];
  const errors = result.errors ?? [];
  if (code === 0 && errors.length > 0) complaints.push('exit code 0 with errors');
  const namesExport = errors.some(({ message }) => message.includes('slackingest-fuzz-'));
  if (code === 2 && !namesExport) complaints.push('exit code 2 without the name of the export');
  const told = result.quarantined ?? [];
  // A part of it that is of no known workspace is told of by its folder.
  if (code === 3 && told.length === 0 && !namesExport) complaints.push('exit code 3 without a file');
  if (code === 3 && !told.every(({ path }) => errors.some(({ message }) => message.includes(printed(path)))))
    complaints.push('a file that no error names');
  const unknown = names === null ? [] : told.filter(({ path }) => !names.some((name) => name.startsWith(path)));
  for (const { path } of unknown) complaints.push(`names ${JSON.stringify(path)}, which is no file of the export`);
  return complaints;
}

/** What was done to a zip may damage any file, or its name: then it is told of, or of a file that is none of an export. */
function isPartlyUnknown({ code, stdout }: { code: number; stdout: string }, names: string[] | null): boolean {
  return names === null && (code !== 0 || (parsed(stdout)?.left_out?.other_files_total ?? 0) > 0);
}

/** Messages of these files, by ts, that the database does not hold. */
function missingFrom(path: string, files: readonly ExportFile[]): string[] {
  const database = new Database(path, { readonly: true });
  const held = new Set(database.prepare('select ts from messages').pluck().all());
  database.close();
  const days = files.filter((file) => file.path.includes('/'));
  const all = days.flatMap(({ content }) => JSON.parse(String(content)) as { ts: string }[]);
  return all.flatMap(({ ts }) => (held.has(ts) ? [] : [ts]));
}

interface Told {
  errors?: { message: string }[];
  quarantined?: { path: string }[];
  left_out?: { other_files_total: number };
}

function parsed(stdout: string): Told | null {
  try {
    return JSON.parse(stdout) as Told;
  } catch {
    return null;
  }
}

/** Takes what is written to both outputs, and forgets the listeners that a run leaves behind for the end of the process. */
class CapturedOutput implements Outputs {
  readonly stdout = new Collected(process.stdout);
  readonly stderr = new Collected(process.stderr);
  readonly #listeners = stopSignals.map((signal) => new Set(process.listeners(signal)));

  get texts(): { stdout: string; stderr: string } {
    return { stdout: this.stdout.text, stderr: this.stderr.text };
  }

  release(): void {
    for (const [n, signal] of stopSignals.entries()) {
      for (const listener of process.listeners(signal)) {
        if (!this.#listeners[n]?.has(listener)) process.off(signal, listener);
      }
    }
  }
}

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

class Collected implements Outlet {
  text = '';
  readonly terminal: NodeJS.WriteStream;

  constructor(terminal: NodeJS.WriteStream) {
    this.terminal = terminal;
  }

  write(text: string): void {
    this.text += text;
  }

  async drained(): Promise<null> {
    return null;
  }
}

/** Ends the process, with a word about the mutant, when one takes too long: a loop leaves no other thread a turn. */
class Watchdog {
  readonly #thread = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const { writeSync } = require('node:fs');
     let timer;
     parentPort.on('message', (what) => {
       clearTimeout(timer);
       if (what === null) return;
       timer = setTimeout(() => {
         writeSync(2, 'hangs: ' + what + '\\n');
         process.kill(process.pid, 'SIGKILL');
       }, ${hangMs});
     });`,
    { eval: true },
  );

  constructor() {
    this.#thread.unref();
  }

  begin(what: string): void {
    this.#thread.postMessage(what);
  }

  end(): void {
    this.#thread.postMessage(null);
  }

  stop(): void {
    void this.#thread.terminate();
  }
}

/** As it may be shown on a terminal. */
function printed(path: string): string {
  return path.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}
