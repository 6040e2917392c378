/**
 * What an export holds, counted from its files and nothing else: no code of the program takes part, so that both agree only when
 * both are right.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { ExportFile } from './make-export.ts';

/** The totals below `distinctKeys` are over distinct messages (folder and ts); of several copies the last one counts. */
export interface Truth {
  dayFiles: number;
  /** Objects in all day files that can be read, copies included. */
  messages: number;
  distinctKeys: number;
  /** By folder. */
  perFolder: Record<string, number>;
  /** Messages that say they are one. */
  threadRoots: number;
  /** Threads that any message names. */
  threads: number;
  replies: number;
  /** Sum of what the reactions say; `reactionUserPairs` counts the people they name. */
  reactionsTotal: number;
  reactionUserPairs: number;
  files: number;
  filesDistinctIds: number;
  edited: number;
  firstTs: string | null;
  lastTs: string | null;
  /** Of the sorted lines `folder TAB ts`: one value for a whole import. */
  keysSha256: string;
  /** Day files that are no JSON or no list. */
  unreadable: string[];
}

/** Every file below a folder, in no order. */
export function readFolder(folder: string): ExportFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path: relative(folder, path).split(sep).join('/'), content: readFileSync(path) };
    });
}

/** Counts an export given as its files; those of a zip are read by `readZip`. */
export function countTruth(files: Iterable<ExportFile>): Truth {
  const all = [...files];
  const root = rootOf(all.map(({ path }) => path));
  const dayFiles = all
    .flatMap((file) => {
      const inside = file.path.startsWith(root) ? file.path.slice(root.length) : '';
      const [, folder] = /^([^/]+)\/\d{4}-\d{2}-\d{2}\.json$/.exec(inside) ?? [];
      return folder === undefined ? [] : { ...file, folder };
    })
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const counts = new Counts();
  for (const { path, folder, content } of dayFiles) counts.addDayFile(path, folder, content);
  return counts.truth(dayFiles.length);
}

/** The shallowest folder with a list or with folders that hold day files; '' or with a slash at the end. */
function rootOf(paths: readonly string[]): string {
  const tops = paths.flatMap((path) => {
    const list = /^(.*\/)?(?:channels|users)\.json$/.exec(path);
    const day = /^(.*\/)?[^/]+\/\d{4}-\d{2}-\d{2}\.json$/.exec(path);
    const match = list ?? day;
    return match === null ? [] : (match[1] ?? '');
  });
  const depth = (top: string): number => top.split('/').length;
  return tops.sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))[0] ?? '';
}

class Counts {
  readonly #byKey = new Map<string, Record<string, unknown>>();
  readonly #unreadable: string[] = [];
  #messages = 0;

  addDayFile(path: string, folder: string, content: string | Buffer): void {
    const elements = parseList(content);
    if (elements === null) this.#unreadable.push(path);
    for (const message of elements ?? []) {
      if (!isObject(message)) continue;
      this.#messages += 1;
      if (typeof message['ts'] === 'string') this.#byKey.set(`${folder}\t${message['ts']}`, message);
    }
  }

  truth(dayFiles: number): Truth {
    const truth: Truth = {
      dayFiles,
      messages: this.#messages,
      distinctKeys: this.#byKey.size,
      perFolder: {},
      threadRoots: 0,
      threads: 0,
      replies: 0,
      reactionsTotal: 0,
      reactionUserPairs: 0,
      files: 0,
      filesDistinctIds: 0,
      edited: 0,
      firstTs: null,
      lastTs: null,
      keysSha256: '',
      unreadable: this.#unreadable,
    };
    const perFolder = new Map<string, number>();
    const threads = new Set<string>();
    const fileIds = new Set<unknown>();
    for (const [key, message] of this.#byKey) {
      const [folder = '', ts = ''] = key.split('\t');
      const { thread_ts: threadTs, edited } = message;
      perFolder.set(folder, (perFolder.get(folder) ?? 0) + 1);
      if (threadTs === ts) truth.threadRoots += 1;
      else if (typeof threadTs === 'string') truth.replies += 1;
      if (typeof threadTs === 'string') threads.add(`${folder}\t${threadTs}`);
      if (isObject(edited)) truth.edited += 1;
      for (const { count, users } of objectsIn(message['reactions'])) {
        if (typeof count === 'number') truth.reactionsTotal += count;
        if (Array.isArray(users)) truth.reactionUserPairs += users.length;
      }
      for (const { id } of filesOf(message)) {
        truth.files += 1;
        if (typeof id === 'string') fileIds.add(id);
      }
      if (truth.firstTs === null || isBefore(ts, truth.firstTs)) truth.firstTs = ts;
      if (truth.lastTs === null || isBefore(truth.lastTs, ts)) truth.lastTs = ts;
    }
    const lines = [...this.#byKey.keys()].map((key) => Buffer.from(key)).sort(Buffer.compare);
    const hash = createHash('sha256');
    for (const [index, line] of lines.entries()) hash.update(index === 0 ? '' : '\n').update(line);
    return {
      ...truth,
      // Not filled in place: a folder may be named `__proto__`.
      perFolder: Object.fromEntries(perFolder),
      threads: threads.size,
      filesDistinctIds: fileIds.size,
      keysSha256: hash.digest('hex'),
    };
  }
}

/** Before 2018 a message had one `file`. */
function filesOf({ files, file }: Record<string, unknown>): Record<string, unknown>[] {
  return Array.isArray(files) ? objectsIn(files) : objectsIn([file]);
}

/** Text of equal length sorts as the numbers do, which a double would not hold to the last digit. */
function isBefore(a: string, b: string): boolean {
  const seconds = Number(a.split('.')[0]) - Number(b.split('.')[0]);
  return seconds === 0 ? (a.split('.')[1] ?? '').padEnd(6, '0') < (b.split('.')[1] ?? '').padEnd(6, '0') : seconds < 0;
}

function parseList(content: string | Buffer): unknown[] | null {
  try {
    const value: unknown = JSON.parse(content.toString());
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function objectsIn(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
