/**
 * Files of an export that are called otherwise than Slack calls them, or lie elsewhere: told by what they hold. Messages are read
 * when it is beyond doubt of which conversation they are: all that tells of it (what stands around them, the folder, the file's
 * name) must tell the same. Otherwise the file is named, with what to do.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { ArchiveFile, ArchiveReader, RejectedFile } from '../export/archive.ts';
import { type ListName, listNames, type MessageFile, type Section, withinSection } from '../export/layout.ts';
import type { Around } from '../export/records.ts';
import { type Survey, survey } from '../export/survey.ts';
import type { Message } from '../timestamps.ts';
import { microsToTs, tsToIso, tsToMicros } from '../ts.ts';
import { type ConversationNames, several } from './conversation-names.ts';

/** A list by another name; null where the name does not tell which. */
export interface OtherList {
  file: ArchiveFile;
  list: ListName | null;
}

/** What the files are whose paths do not tell. */
export interface OtherFiles {
  lists: OtherList[];
  messages: MessageFile[];
  /** Files with messages, or something like them, that are not read. */
  refused: RejectedFile[];
  /** Paths of all the others. */
  leftOut: string[];
}

interface Surveyed {
  file: ArchiveFile;
  found: Survey;
  /** Microseconds of the first message. */
  first: number | null;
}

/** Reads all files of the section of which the path does not tell what they are. */
export class OtherFileSurvey {
  readonly lists: OtherList[] = [];
  readonly #holding: Surveyed[] = [];
  readonly #refused: RejectedFile[] = [];
  readonly #leftOut: string[] = [];
  readonly #prefix: string;

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** `onMessage` is told of every message that they hold. */
  static async of(
    reader: ArchiveReader,
    { prefix, others }: Section,
    signal: AbortSignal,
    onMessage: (message: Message, path: string) => void,
  ): Promise<OtherFileSurvey> {
    const all = new OtherFileSurvey(prefix);
    for (const file of others.unknown) {
      // There may be very many of them.
      await breathe();
      signal.throwIfAborted();
      await all.#look(reader, file, (message) => onMessage(message, file.path));
    }
    return all;
  }

  async #look(reader: ArchiveReader, file: ArchiveFile, onMessage: (message: Message) => void): Promise<void> {
    let first: number | null = null;
    const found =
      file.size === 0
        ? null
        : await survey(reader, file, (message) => {
            first = Math.min(first ?? Number.POSITIVE_INFINITY, tsToMicros(message.ts));
            onMessage(message);
          });
    if (found === null) {
      this.#leftOut.push(this.#within(file));
      return;
    }
    const { messages, users, conversations, foreign, problem } = found;
    if (users + conversations > 0) {
      this.lists.push({ file, list: listCalled(file.path) });
      if (messages.size === 0 && problem !== null) this.#refused.push({ path: file.path, reason: problem });
    }
    if (messages.size > 0) this.#holding.push({ file, found, first });
    else if (foreign > 0) this.#refused.push({ path: file.path, reason: foreignOnly(foreign) });
    else if (users + conversations === 0) this.#refused.push({ path: file.path, reason: problem ?? 'cannot be read' });
  }

  #within({ path }: ArchiveFile): string {
    return withinSection(path, this.#prefix);
  }

  /** Gives the messages to conversations, once all lists are known. */
  place(names: ConversationNames): Omit<OtherFiles, 'lists'> {
    const messages: MessageFile[] = [];
    const refused = [...this.#refused];
    const unnamed = unnamedFolders(this.#holding.map(({ file }) => this.#within(file)));
    for (const { file, found, first } of this.#holding) {
      const { routes, doubts, count } = routesOf(found, pathOf(this.#within(file), names, unnamed), names);
      const [folder] = [...routes.values()].filter((route) => route !== null);
      if (doubts.size > 0) refused.push({ path: file.path, reason: inDoubt(count, [...doubts]) });
      if (folder !== undefined) messages.push({ ...plainFile(file), folder, date: dateOf(first), routes });
    }
    return { messages, refused, leftOut: this.#leftOut };
  }
}

function plainFile({ path, stored, size, offset, compressedSize, method, crc32 }: ArchiveFile): ArchiveFile {
  return { path, stored, size, offset, compressedSize, method, crc32 };
}

function dateOf(first: number | null): string {
  return first === null ? '' : tsToIso(microsToTs(first)).slice(0, 10);
}

function foreignOnly(n: number): string {
  const what = n === 1 ? 'something that looks like a message' : `${n} things that look like messages`;
  return `holds ${what} and none as Slack keeps it: of another program, events, or what a search found; such are not imported`;
}

function inDoubt(n: number, doubts: readonly string[]): string {
  const what = n === 1 ? 'a message' : `${n} messages`;
  return `holds ${what} of which nobody can tell the conversation (${doubts.join('; ')}): put it into the folder of its channel, as <channel>/${exampleDay}, or import what is in it by itself`;
}

const exampleDay = 'YYYY-MM-DD.json';

/** The list that a file is called after, whatever its letters' case, and whichever copy of it it is. */
function listCalled(path: string): ListName | null {
  const stem = stemOf(path).toLowerCase();
  return listNames.find((name) => name === stem) ?? null;
}

/** The name without its ending, and without what a browser or a desktop adds to the second file of a name. */
function stemOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.replace(/(?:\.[A-Za-z]{1,8})+$/, '').replace(/(?: ?\(\d+\)| - copy| copy(?: \d+)?)+$/i, '');
}

/** What a path says. */
type PathWord = { folder: string } | { doubt: string };

const dayName = /^\d{4}[-_. ]?\d{2}[-_. ]?\d{2}$/;
const onlyNumbers = /^[\d_. -]+$/;

/** Folders of day files, by other names or further down, that no list names; each with the paths at which one of that name lies. */
function unnamedFolders(paths: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const folders = new Map<string, Set<string>>();
  for (const path of paths) {
    const around = path.split('/').slice(0, -1);
    const name = around.at(-1);
    if (name === undefined || !dayName.test(stemOf(path)) || onlyNumbers.test(name)) continue;
    folders.set(name, (folders.get(name) ?? new Set()).add(around.join('/')));
  }
  return folders;
}

function pathOf(
  path: string,
  names: ConversationNames,
  unnamed: ReadonlyMap<string, ReadonlySet<string>>,
): PathWord & { told: ReadonlySet<string> } {
  const around = path.split('/').slice(0, -1);
  const stem = stemOf(path);
  const found = [...around, stem].map((name) => names.find(name));
  const told = new Set(found.filter((one) => typeof one === 'string'));
  const [folder, other] = told;
  if (found.includes(several)) return { doubt: 'a name in its path is that of several conversations', told };
  if (other !== undefined) return { doubt: `its path names both ${folder} and ${other}`, told };
  if (folder !== undefined) {
    const between = around.slice(found.lastIndexOf(folder) + 1).find((name) => !onlyNumbers.test(name));
    return between === undefined ? { folder, told } : { doubt: `it lies in a folder ${between} of its own`, told };
  }
  const name = around.at(-1) ?? '';
  const places = dayName.test(stem) ? unnamed.get(name) : undefined;
  if (places === undefined) return { doubt: 'nothing names a conversation', told };
  return places.size > 1 ? { doubt: `there are several folders ${name}`, told } : { folder: name, told };
}

function routesOf(
  { messages, late }: Survey,
  path: PathWord & { told: ReadonlySet<string> },
  names: ConversationNames,
): { routes: Map<string, string | null>; doubts: Set<string>; count: number } {
  const routes = new Map<string, string | null>();
  const doubts = new Set<string>();
  let inDoubt = 0;
  for (const [key, { around, count }] of messages) {
    const word = wordOf(around, late, path, names);
    routes.set(key, 'folder' in word ? word.folder : null);
    if ('folder' in word) continue;
    doubts.add(word.doubt);
    inDoubt += count;
  }
  return { routes, doubts, count: inDoubt };
}

/** What stands around messages, and the path of their file, together. */
function wordOf(
  { channel, hints }: Around,
  late: ReadonlySet<string>,
  path: PathWord & { told: ReadonlySet<string> },
  names: ConversationNames,
): PathWord {
  const said = channel === null ? [...late] : [channel];
  const unknown = said.find((name) => names.find(name) === null);
  if (unknown !== undefined) return { doubt: `it says that they are of ${unknown}, which no list names` };
  const found = (said.length > 0 ? said : hints).map((name) => names.find(name));
  if (found.includes(several)) return { doubt: 'they are said to be of a name that several conversations have' };
  const told = new Set([...found.filter((one) => typeof one === 'string'), ...path.told]);
  const [folder, other] = told;
  if (other !== undefined) return { doubt: `they are said to be of ${[...told].join(' and of ')}` };
  return folder !== undefined && found.includes(folder) ? { folder } : path;
}
