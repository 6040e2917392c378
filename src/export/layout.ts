/**
 * What the files of an archive are, by their paths alone: lists, day files of conversations, and what is no part of either. What
 * the paths do not tell, the contents may: see import/other-files.ts.
 */
import { UsageError } from '../errors.ts';
import type { Archive, ArchiveFile } from './archive.ts';
import type { Routes } from './records.ts';

/** The lists of an export that name people and conversations. Any of them may be absent. */
export const listNames = ['users', 'org_users', 'channels', 'groups', 'dms', 'mpims'] as const;
export type ListName = (typeof listNames)[number];

/** Lists that are recognised and counted, and whose content has no table. */
export const reportedLists = [
  'integration_logs',
  'canvases',
  'lists',
  'file_conversations',
  'huddle_transcripts',
  'content_flags',
] as const;
export type ReportedList = (typeof reportedLists)[number];

/** A file that holds messages. */
export interface MessageFile extends ArchiveFile {
  /** Of the conversation that they are of, unless `routes` tells others. */
  readonly folder: string;
  /** Of a day file as in its name, where it may be no date of the calendar; of others about when they begin. */
  readonly date: string;
  /** Null for a day file: its messages are all of its folder. */
  readonly routes: Routes | null;
}

/**
 * `<folder>/YYYY-MM-DD.json`: what was said in one conversation on one day. There may be hundreds of thousands, so the path
 * is not kept but made of texts that they share.
 */
export class DayFile implements MessageFile {
  readonly prefix: string;
  readonly folder: string;
  /** As in the name; it may be no date of the calendar. */
  readonly date: string;
  readonly stored: string | undefined;
  readonly size: number;
  readonly offset: number;
  readonly compressedSize: number;
  readonly method: number;
  readonly crc32: number;

  constructor(names: Pick<DayFile, 'prefix' | 'folder' | 'date'>, file: ArchiveFile) {
    this.prefix = names.prefix;
    this.folder = names.folder;
    this.date = names.date;
    this.stored = file.stored;
    this.size = file.size;
    this.offset = file.offset;
    this.compressedSize = file.compressedSize;
    this.method = file.method;
    this.crc32 = file.crc32;
  }

  get routes(): null {
    return null;
  }

  get path(): string {
    return `${this.prefix}${this.folder}/${this.date}.json`;
  }
}

/** One workspace of an export. */
export interface Section {
  /** Path of its top folder with a slash at the end; '' for the top of the archive. */
  prefix: string;
  /** Name of the folder below `teams/`; null for an export of one workspace, and for what a whole organisation shares. */
  team: string | null;
  lists: ReadonlyMap<ListName, ArchiveFile>;
  reported: ReadonlyMap<ReportedList, ArchiveFile>;
  /** Every folder with day files, in the order of their names. */
  folders: ReadonlyMap<string, readonly DayFile[]>;
  /** Conversations about a file (`FC:...`), which are none of a channel; messages in them are not imported. */
  fileConversations: ReadonlyMap<string, number>;
  /** Lists that stand in the archive once more; the first one counts. */
  repeated: string[];
  /** Files that are no part of what is imported, by what they are. */
  others: { canvases: number; attachments: number; unknown: ArchiveFile[] };
}

const dayFileName = /^(\d{4}-\d{2}-\d{2})\.json$/;

/**
 * Finds the export in the archive. Where no path tells of one, all is one section of unknown files. Throws `UsageError` when there
 * is more than one.
 */
export function readLayout(archive: Archive): Section[] {
  const prefixes = sectionPrefixes(archive);
  const sections = new Map(prefixes.map((prefix) => [prefix, newSection(prefix, prefixes)]));
  const byLength = [...prefixes].sort((a, b) => b.length - a.length);
  for (const file of archive.files) {
    const prefix = byLength.find((start) => file.path.startsWith(start));
    const section = prefix === undefined ? undefined : sections.get(prefix);
    if (section !== undefined) addFile(section, file);
    // Beside the export: what it holds must be known all the same.
    else if (!isAttachment(file.path.split('/'))) sections.get(prefixes[0] ?? '')?.others.unknown.push(file);
  }
  return [...sections.values()].map((section) => ({
    ...section,
    folders: new Map([...section.folders].sort(([a], [b]) => (a < b ? -1 : 1))),
  }));
}

/** The path of a file as seen from the top of its section; of one beside it, from the top of the archive. */
export function withinSection(path: string, prefix: string): string {
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}

interface OpenSection extends Section {
  lists: Map<ListName, ArchiveFile>;
  reported: Map<ReportedList, ArchiveFile>;
  folders: Map<string, DayFile[]>;
  fileConversations: Map<string, number>;
  /** Every date once. */
  dates: Map<string, string>;
}

function newSection(prefix: string, all: readonly string[]): OpenSection {
  const team = /(?:^|\/)teams\/([^/]+)\/$/.exec(prefix)?.[1];
  return {
    prefix,
    team: team !== undefined && (all.length > 1 || prefix.startsWith('teams/')) ? team : null,
    lists: new Map(),
    reported: new Map(),
    folders: new Map(),
    fileConversations: new Map(),
    dates: new Map(),
    repeated: [],
    others: { canvases: 0, attachments: 0, unknown: [] },
  };
}

function addFile(section: OpenSection, file: ArchiveFile): void {
  const path = file.path.slice(section.prefix.length);
  const [first = '', second, ...deeper] = path.split('/');
  if (second === undefined) {
    const name = first.endsWith('.json') ? first.slice(0, -'.json'.length) : '';
    if (isOneOf(listNames, name) && section.lists.has(name)) section.repeated.push(file.path);
    else if (isOneOf(listNames, name)) section.lists.set(name, file);
    else if (isOneOf(reportedLists, name)) section.reported.set(name, file);
    else section.others.unknown.push(file);
    return;
  }
  const date = deeper.length === 0 ? dayFileName.exec(second)?.[1] : undefined;
  if (date !== undefined && first !== '__uploads') addDayFile(section, file, first, date);
  else if (path.endsWith('/canvas_in_the_conversation.json')) section.others.canvases += 1;
  else if (isAttachment(path.split('/'))) section.others.attachments += 1;
  else section.others.unknown.push(file);
}

/**
 * What people uploaded, which may be JSON that looks like messages: slackdump puts it into `__uploads`, `attachments`, or beside the
 * messages with the file's id before its name.
 */
function isAttachment(names: readonly string[]): boolean {
  return names.some((name, i) =>
    i < names.length - 1
      ? name === '__uploads' || name === 'attachments' || /^F[A-Z0-9]{7,}$/.test(name)
      : /^F[A-Z0-9]{7,}[-_.]/.test(name) && i > 0,
  );
}

function addDayFile(section: OpenSection, file: ArchiveFile, name: string, day: string): void {
  if (isFileConversation(name)) {
    section.fileConversations.set(name, (section.fileConversations.get(name) ?? 0) + 1);
    return;
  }
  const known = section.folders.get(name);
  // One text for all files that have it, of which there may be thousands.
  const folder = known?.[0]?.folder ?? name;
  const date = section.dates.get(day) ?? day;
  section.dates.set(date, date);
  const added = new DayFile({ prefix: section.prefix, folder, date }, file);
  if (known === undefined) section.folders.set(folder, [added]);
  else known.push(added);
}

/** `FC:<file>:<id>`, `FC_<file id>_<title>` or `F<file id>:...`; names of channels have no capitals. */
function isFileConversation(folder: string): boolean {
  return /^FC[:_]/.test(folder) || /^F[A-Z0-9]{6,}[:_]/.test(folder);
}

function isOneOf<Name extends string>(names: readonly Name[], name: string): name is Name {
  return names.some((one) => one === name);
}

/**
 * The folders in which sections begin: the shallowest one that holds lists or folders with day files, and the folders of
 * `teams/` below it, as an export of a whole organisation has them.
 */
function sectionPrefixes(archive: Archive): string[] {
  const tops = new Set<string>();
  for (const { path } of archive.files) {
    const top = topOf(path);
    if (top !== null) tops.add(top);
  }
  if (tops.size === 0) return [''];
  const depthOf = (prefix: string) => prefix.split('/').length;
  const depth = [...tops].reduce((least, prefix) => Math.min(least, depthOf(prefix)), Number.POSITIVE_INFINITY);
  const shallowest = [...tops].filter((prefix) => depthOf(prefix) === depth).sort();
  const isTeam = (prefix: string) => /(?:^|\/)teams\/[^/]+\/$/.test(prefix);
  if (shallowest.every(isTeam)) return shallowest;
  const [only = '', ...others] = shallowest;
  // Folders by kinds, or lists in a folder of their own, are one export together.
  if (others.length > 0 && !shallowest.some((prefix) => holdsAll(archive, prefix))) return [commonPrefix(shallowest)];
  if (others.length > 0) {
    const names = shallowest.map((prefix) => prefix.slice(0, -1)).slice(0, 5);
    throw new UsageError(
      `${archive.address} holds more than one export: ${names.join(', ')}${shallowest.length > 5 ? ', ...' : ''}`,
      'Import one after the other: give the folder of each.',
    );
  }
  return [only, ...[...tops].filter((prefix) => isTeam(prefix) && isWithin(prefix, only)).sort()];
}

/** Both lists and folders with day files, as an export by itself has them. */
function holdsAll({ files }: Archive, prefix: string): boolean {
  const inside = files.filter(({ path }) => path.startsWith(prefix)).map(({ path }) => path.slice(prefix.length));
  const holdsList = inside.some((path) => !path.includes('/') && topOf(path) !== null);
  return holdsList && inside.some((path) => path.split('/').length === 2 && topOf(path) !== null);
}

function commonPrefix(prefixes: readonly string[]): string {
  const [first = [], ...others] = prefixes.map((prefix) => prefix.split('/'));
  const end = first.findIndex((name, i) => others.some((names) => names[i] !== name));
  return prefixOf(first.slice(0, Math.max(end, 0)));
}

function isWithin(team: string, top: string): boolean {
  return team.startsWith(`${top}teams/`) && team.slice(top.length).split('/').length === 3;
}

/** Of which folder this file says that it is the top of an export; null when it says nothing. */
function topOf(path: string): string | null {
  const names = path.split('/');
  const name = names.at(-1) ?? '';
  if (isOneOf(listNames, name.replace(/\.json$/, '')) && name.endsWith('.json')) return prefixOf(names.slice(0, -1));
  return dayFileName.test(name) && names.length >= 2 ? prefixOf(names.slice(0, -2)) : null;
}

function prefixOf(names: readonly string[]): string {
  return names.length === 0 ? '' : `${names.join('/')}/`;
}

/** What the paths of an archive say that is no export. */
export function whyNone({ files, kind }: Archive): string {
  if (files.length === 0) return kind === 'zip' ? 'the zip holds no readable file' : 'the folder is empty';
  if (files.some(({ path }) => dayFileName.test(path)))
    return 'it is the folder of one channel; give the folder around it';
  if (files.some(({ path }) => /(?:^|\/)(?:channels|dms|groups|mpims|files)\/.*\.txt$/.test(path)))
    return 'it is an export in text form, which does not say who wrote what and when; ask Slack for the JSON form';
  return 'there is neither a list (users.json, channels.json) nor a folder with day files (YYYY-MM-DD.json) in it';
}
