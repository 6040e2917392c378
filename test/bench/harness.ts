/** What all figures need: processes that are measured, a Postgres server where there is one, the lines on stdout. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { cleanEnvironment, cli, exitCodeOf } from '../demo/programs.ts';
import { startPostgres } from '../support/postgres-server.ts';

export interface Sizes {
  /** How often a figure is measured, floor and program in turn; the medians count. */
  runs: number;
  messages: number;
  channels: number;
  /** Histories, each ten times the one before. */
  growth: readonly number[];
  memory: readonly [small: number, large: number];
  /** Exports that are imported, the second ten times the first. */
  imports: readonly [small: number, large: number];
  /** The part of the messages outside of threads, in these exports, on which a thread begins. */
  threads: number;
  /** A zip or a folder to import instead of exports that are made up. */
  export?: string;
}

/** What one process took from its start to its end. */
export interface Usage {
  seconds: number;
  cpuSeconds: number;
  peakMb: number;
  stdout: string;
}

export interface Figure {
  figure: string;
  value: number;
  unit: string;
  /** The least that any program would need for the same work, measured beside it. */
  floor: number;
  /** `ratio` should not exceed it; absent for a figure that is only to be watched. */
  aim?: number;
}

/** Prints a figure with its ratio, and what else helps to understand it. */
export function report(figure: Figure, more: Readonly<Record<string, unknown>> = {}): void {
  const { figure: name, value, unit, floor, aim } = figure;
  print({
    figure: name,
    value: round(value),
    unit,
    floor: round(floor),
    ratio: round(value / floor),
    aim: aim === undefined ? null : round(aim),
    ...more,
  });
}

export function print(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Runs the real program. Throws when it does not end with 0. */
export function runProgram(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Usage> {
  return measure([cli, ...args], env);
}

/** Runs one of the files here as a process of its own. */
export function runFloor(name: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Usage> {
  return measure([join(import.meta.dirname, `${name}.js`), ...args], env);
}

async function measure(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Usage> {
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-bench-'));
  const usageFile = join(folder, 'usage.json');
  const hook = pathToFileURL(join(import.meta.dirname, 'write-usage.js')).href;
  try {
    const began = performance.now();
    const child = spawn(process.execPath, ['--import', hook, ...args], {
      cwd: folder,
      env: cleanEnvironment({ ...env, BENCH_USAGE_FILE: usageFile }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    const code = await exitCodeOf(child);
    const seconds = (performance.now() - began) / 1000;
    if (code !== 0) throw new Error(`${args.join(' ')} ended with code ${code}: ${stdout}`);
    const usage: { cpuSeconds: number; peakMb: number } = JSON.parse(readFileSync(usageFile, 'utf8'));
    return { seconds, ...usage, stdout };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A database that is empty at every `fresh`. */
export interface BenchDatabase extends AsyncDisposable {
  name: 'sqlite' | 'postgres';
  /** What the database stands on, for the reader of the figures. */
  note: string;
  fresh(): Promise<string>;
}

export function sqliteDatabase(): BenchDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-bench-'));
  let count = 0;
  return {
    name: 'sqlite',
    note: 'WAL, synchronous = normal',
    async fresh() {
      rmSync(join(folder, String(count)), { recursive: true, force: true });
      count += 1;
      return `sqlite:${join(folder, String(count), 'bench.db')}`;
    },
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server of TEST_POSTGRES_URL, else one of our own; undefined where none can be started. */
export async function postgresDatabase(): Promise<BenchDatabase | undefined> {
  const given = process.env['TEST_POSTGRES_URL'];
  const server = given === undefined || given === '' ? await startPostgres().catch(noPostgres) : { url: given };
  if (server === undefined) return undefined;
  const schema = `bench_${process.pid}`;
  const query = async (text: string): Promise<void> => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query(text).finally(() => client.end());
  };
  const url = new URL(server.url);
  url.searchParams.set('options', `-csearch_path=${schema}`);
  return {
    name: 'postgres',
    note: 'stop' in server ? 'own server, fsync off' : 'TEST_POSTGRES_URL',
    async fresh() {
      await query(`drop schema if exists ${schema} cascade; create schema ${schema}`);
      return url.href;
    },
    async [Symbol.asyncDispose]() {
      await query(`drop schema if exists ${schema} cascade`);
      if ('stop' in server) await server.stop();
    },
  };
}

function noPostgres(error: unknown): undefined {
  note(`No Postgres figures: ${error instanceof Error ? error.message : String(error)}`);
}

/** `floor` and `program` in turn, so that a machine that grows slower slows both. */
export async function inTurn(
  runs: number,
  floor: () => Promise<Usage>,
  program: () => Promise<Usage>,
): Promise<{ floors: Usage[]; programs: Usage[] }> {
  const floors: Usage[] = [];
  const programs: Usage[] = [];
  for (let run = 1; run <= runs; run += 1) {
    floors.push(await floor());
    programs.push(await program());
    note(`  run ${run} of ${runs}: floor ${format(floors.at(-1))}, program ${format(programs.at(-1))}`);
  }
  return { floors, programs };
}

function format(usage: Usage | undefined): string {
  return usage === undefined ? '-' : `${usage.seconds.toFixed(2)} s, ${usage.peakMb.toFixed(0)} MB`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function round(value: number): number {
  return Number(value.toPrecision(4));
}
