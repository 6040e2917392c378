/** What an export is, found out before anything is written: whose it is, when it was made, how its days are cut. */
import { setImmediate as breathe } from 'node:timers/promises';
import { UsageError } from '../errors.ts';
import { type Archive, ArchiveFileError, type ArchiveReader } from '../export/archive.ts';
import { type DayZone, DayZoneEvidence } from '../export/day-zone.ts';
import { decodeText, type Element, parsePortions } from '../export/json-elements.ts';
import { type DayFile, readLayout, type Section, whyNone } from '../export/layout.ts';
import { listArchive, notAnExport, openReader } from '../export/open-archive.ts';
import { messageOf, readListed, readObjects } from '../export/read-list.ts';
import { channelOf } from '../export/records.ts';
import { groupRejected } from '../export/rejected.ts';
import { type Candidate, type Certainty, WorkspaceEvidence } from '../export/workspace-evidence.ts';
import type { IsoTime, JsonObject, JsonValue } from '../model.ts';
import type { Message } from '../timestamps.ts';
import { millisToIso, tsToMicros } from '../ts.ts';
import { ConversationNames, type Listed } from './conversation-names.ts';
import { OtherFileSurvey, type OtherFiles } from './other-files.ts';

/** An export that can be imported. Holds nothing open. */
export interface ExportPlan {
  archive: Omit<Archive, 'files'>;
  /** Of all its files, unpacked. */
  bytes: number;
  sections: readonly PlannedSection[];
  /**
   * The newest moment of which the export holds a message: of two exports the one with the later moment is the newer.
   * The epoch when it holds none.
   */
  exportedAt: IsoTime;
}

export interface PlannedSection extends Section {
  /** The workspace as far as the export itself tells; null when it does not. */
  teamId: string | null;
  certainty: Certainty;
  /** Other workspaces that some of it points to. */
  otherTeamIds: readonly string[];
  /** What it can be of, when nobody can tell. */
  candidates: readonly Candidate[];
  enterpriseId: string | null;
  domain: string | null;
  /** How its days are cut; null when the sample contradicts every way that is known. */
  zone: DayZone | null;
  /** Ids of its conversations, to recognise a workspace by that is stored. */
  channelIds: readonly string[];
  /** Folders whose names came out with other letters than a list has, with the name in the list. */
  spellings: ReadonlyMap<string, string>;
  /** What the other files are, by what they hold. */
  other: OtherFiles;
}

/** Day files that are looked at before the import: enough to find a message with the team's id in it. */
const sampleSize = 60;
/** Day files of one day that are looked at for the newest message. */
const newestLimit = 500;
/** Days that are tried until one holds a message. */
const newestDays = 5;
/** A ts later than this is nobody's: a broken clock, or a made-up message. */
const dayMs = 24 * 3600 * 1000;

/**
 * Opens and looks through an export; where the user has said whose it is, not longer than to notice that it looks like another's.
 * Throws `UsageError` when the path holds none.
 */
export async function planExport(
  path: string,
  now: number,
  signal: AbortSignal,
  isWorkspaceTold = false,
): Promise<ExportPlan> {
  const archive = await listArchive(path);
  const layout = readLayout(archive);
  const reader = openReader(archive);
  try {
    const newest = new NewestMoment(now);
    const sections: PlannedSection[] = [];
    for (const section of layout) {
      const isAlone = layout.length === 1;
      const how = { isShared: !isAlone && section.team === null, isTold: isAlone && isWorkspaceTold };
      sections.push(await planSection(reader, section, how, newest, signal));
    }
    if (sections.every(isEmpty)) throw nothingIn(archive, sections);
    const { files, ...rest } = archive;
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    return { archive: rest, bytes, sections, exportedAt: await newest.after(reader, sections, signal) };
  } finally {
    reader.close();
  }
}

async function planSection(
  reader: ArchiveReader,
  found: Section,
  { isShared, isTold }: { isShared: boolean; isTold: boolean },
  newest: NewestMoment,
  signal: AbortSignal,
): Promise<PlannedSection> {
  const evidence = new WorkspaceEvidence();
  const zones = new DayZoneEvidence();
  for (const name of ['users', 'org_users'] as const) {
    for await (const user of objectsOf(reader, found, name)) evidence.addUser(user);
  }
  const listed: Listed[] = [];
  const addListed = ({ id, name }: JsonObject): void => {
    if (typeof id === 'string') listed.push({ id, name: typeof name === 'string' ? name : null });
  };
  for (const name of ['channels', 'groups', 'dms', 'mpims'] as const) {
    for await (const channel of objectsOf(reader, found, name)) {
      evidence.addChannel(channel);
      addListed(channel);
    }
  }
  const section = await withoutMixedFolders(reader, found, listed, signal);
  const others = await OtherFileSurvey.of(reader, section, signal, (message, path) => {
    evidence.addMessage(message, path);
    if (evidence.teamId === null) evidence.addText(JSON.stringify(message));
    newest.add(tsToMicros(message.ts));
  });
  for (const { file } of others.lists) {
    for await (const users of readListed(reader, file, 'user')) for (const user of users) evidence.addUser(user);
    for await (const channels of readListed(reader, file, 'conversation'))
      for (const channel of channels) {
        evidence.addChannel(channel);
        addListed(channel);
      }
  }
  const names = new ConversationNames(listed, section.folders.keys());
  const placed = others.place(names);
  const spellings = new Map(
    [...section.folders.keys()].flatMap((folder) => {
      const name = names.respelled(folder);
      return name === null ? [] : [[folder, name]];
    }),
  );
  const other: OtherFiles = { ...placed, lists: others.lists };
  const days = [...section.folders.values()].flat();
  const sample = new Set(spread(days, sampleSize));
  for (const day of sample) await lookInto(reader, day, signal, evidence, zones);
  // Old messages name no team; where a file was shared, its address does. That may be in the last file that is left. Where
  // several companies wrote, only all of their messages tell which of them is at home here.
  let sinceFound = 0;
  for (const day of isTold || evidence.teamId !== null ? [] : days) {
    if (sample.has(day)) continue;
    await lookInto(reader, day, signal, evidence, zones);
    if (evidence.candidates.length === 1 && ++sinceFound >= sampleSize) break;
  }
  const { otherTeamIds, enterpriseId, domain, certainty, candidates } = evidence;
  // What a whole organisation shares is of no single workspace.
  const teamId = isShared ? (evidence.organisationId ?? evidence.teamId) : evidence.teamId;
  return {
    ...section,
    teamId,
    certainty,
    otherTeamIds,
    candidates,
    enterpriseId,
    domain,
    zone: zones.zone,
    channelIds: [...new Set(listed.map(({ id }) => id))],
    spellings,
    other,
  };
}

/**
 * Folders that no list names, and whose files lie there as day files do, may hold the messages of many conversations, which
 * each message names. Those are looked at one by one.
 */
async function withoutMixedFolders(
  reader: ArchiveReader,
  section: Section,
  listed: readonly Listed[],
  signal: AbortSignal,
): Promise<Section> {
  const names = new ConversationNames(listed, []);
  const folders = new Map(section.folders);
  const unknown = [...section.others.unknown];
  for (const [folder, days] of section.folders) {
    const [first] = days;
    if (first === undefined || names.find(folder) !== null) continue;
    const text = await textOf(reader, first, signal);
    if (!someElement(text ?? '', (element) => 'value' in element && namesChannel(element.value))) continue;
    folders.delete(folder);
    for (const day of days) unknown.push(day);
  }
  return { ...section, folders, others: { ...section.others, unknown } };
}

/** Looks no further than it must. */
function someElement(text: string, is: (element: Element) => boolean): boolean {
  for (const part of parsePortions(text, { problem: null })) if (part.some(is)) return true;
  return false;
}

function* messagesOf(text: string): Iterable<Message> {
  for (const part of parsePortions(text, { problem: null })) {
    for (const element of part) {
      const message = 'reason' in element ? element.reason : messageOf(element.value);
      if (typeof message !== 'string') yield message;
    }
  }
}

function namesChannel(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && channelOf(value) !== null;
}

function isEmpty({ folders, lists, other, fileConversations }: PlannedSection): boolean {
  return folders.size + lists.size + other.lists.length + other.messages.length + fileConversations.size === 0;
}

/** So many are told of where nothing at all can be imported. */
const namedGroups = 5;

function nothingIn(archive: Archive, sections: readonly PlannedSection[]): UsageError {
  const refused = [...archive.rejected, ...sections.flatMap(({ other }) => other.refused)];
  if (refused.length === 0) return notAnExport(archive.address, whyNone(archive));
  const groups = groupRejected(refused, 1);
  const more = groups.length > namedGroups ? `; and ${groups.length - namedGroups} more` : '';
  const named = groups.slice(0, namedGroups).map(({ text }) => text);
  const told = `${named.join('; ')}${more}`;
  return new UsageError(
    archive.files.length === 0
      ? `nothing in ${archive.address} can be read: ${told}`
      : `${archive.address} is no Slack export: ${whyNone(archive)}; ${told}`,
    'Unpack what is packed, and give the folder of the export; of several exports each by itself.',
  );
}

/** One after the other: lists of a large organisation do not fit into memory. Defects are told when the list is imported. */
async function* objectsOf(
  reader: ArchiveReader,
  { lists }: Section,
  name: Parameters<Section['lists']['get']>[0],
): AsyncIterable<JsonObject> {
  const file = lists.get(name);
  if (file === undefined) return;
  for await (const portion of readObjects(reader, file, () => undefined)) yield* portion;
}

async function lookInto(
  reader: ArchiveReader,
  day: DayFile,
  signal: AbortSignal,
  evidence: WorkspaceEvidence,
  zones: DayZoneEvidence,
): Promise<void> {
  const text = await textOf(reader, day, signal);
  if (text === null) return;
  evidence.addText(text);
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (const message of messagesOf(text)) {
    evidence.addMessage(message, day.folder);
    const at = tsToMicros(message.ts);
    first = Math.min(first, at);
    last = Math.max(last, at);
  }
  if (first <= last) zones.add(day.date, first, last);
}

/** What is no day file in size is left for the import itself, which reads in portions. */
const sampledFileBytes = 8 << 20;

async function textOf(reader: ArchiveReader, file: DayFile, signal: AbortSignal): Promise<string | null> {
  // There may be hundreds of thousands to look into, and signals must get their turn.
  await breathe();
  signal.throwIfAborted();
  if (file.size > sampledFileBytes) return null;
  try {
    return decodeText(reader.read(file)).text;
  } catch (error) {
    if (error instanceof ArchiveFileError) return null;
    throw error;
  }
}

/** The newest moment of which an export holds a message. */
class NewestMoment {
  readonly #latest: number;
  #newest = 0;

  constructor(now: number) {
    this.#latest = (now + dayMs) * 1000;
  }

  /** Microseconds. */
  add(at: number): void {
    if (at <= this.#latest) this.#newest = Math.max(this.#newest, at);
  }

  /** After a look into the day files of the last days. */
  async after(reader: ArchiveReader, sections: readonly Section[], signal: AbortSignal): Promise<IsoTime> {
    const days = sections.flatMap(({ folders }) => [...folders.values()].flat());
    const dates = [...new Set(days.map(({ date }) => date))].sort().reverse();
    const before = this.#newest;
    for (const date of dates.slice(0, newestDays)) {
      for (const day of days.filter((one) => one.date === date).slice(0, newestLimit)) {
        await this.#addAll(reader, day, signal);
      }
      if (this.#newest > before) break;
    }
    return millisToIso(Math.floor(this.#newest / 1000));
  }

  async #addAll(reader: ArchiveReader, day: DayFile, signal: AbortSignal): Promise<void> {
    const text = await textOf(reader, day, signal);
    for (const message of messagesOf(text ?? '')) this.add(tsToMicros(message.ts));
  }
}

function spread<Item>(items: readonly Item[], n: number): Item[] {
  if (items.length <= n) return [...items];
  return Array.from({ length: n }, (_, i) => items[Math.floor((i * items.length) / n)]).flatMap((item) => item ?? []);
}
