/**
 * Imports one workspace of an export. The order: people and conversations, then day files from the oldest to the newest,
 * then what follows from all of them together (threads, coverage). Killed at any point, the next import of the same export
 * goes on: files that are in are not stored again, and what follows is made anew.
 */

import type { TransactionStore } from '../db/repositories/index.ts';
import type { ArchiveReader, RejectedFile } from '../export/archive.ts';
import { boundsOfDay } from '../export/day-zone.ts';
import type { MessageFile } from '../export/layout.ts';
import { openReader } from '../export/open-archive.ts';
import type { Defect } from '../export/read-list.ts';
import type { IsoTime } from '../model.ts';
import { cleanText } from '../normalize/clean.ts';
import { type NormalizedChannel, normalizeChannel } from '../normalize/directory.ts';
import { ChannelPosition } from '../sync/channel-position.ts';
import { failedUnit, type SyncContext } from '../sync/context.ts';
import { millisToIso } from '../ts.ts';
import { adoptFolders } from './adopt-folders.ts';
import type { DayFileSource } from './day-file-source.ts';
import { DayImport } from './day-import.ts';
import type { ExportPlan, PlannedSection } from './export-plan.ts';
import {
  type FolderChannel,
  type KnownChannels,
  type ListedConversation,
  resolveFolders,
  storedIdsOf,
} from './folders.ts';
import {
  type ConversationReport,
  type ImportProgress,
  newConversation,
  quarantine,
  quarantineFiles,
} from './import-report.ts';
import { nameAuthors } from './name-authors.ts';
import { inStretches } from './order-of-work.ts';
import type { TimeRange } from './read-day-file.ts';
import { importConversations, importUsers, readConversations } from './save-directory.ts';
import { settleThreads } from './settle-threads.ts';

export interface ImportOptions {
  /** Of the export's archive; stays open. */
  source: DayFileSource;
  range: TimeRange;
  /** Whether the user wants this conversation. */
  isSelected: (channel: { id: string; name: string | null; formerNames: readonly string[] }) => boolean;
  dryRun: boolean;
}

/** Throws what stops the import: a signal, the database. What is wrong with the export is in `progress`. */
export async function importSection(
  context: SyncContext,
  plan: ExportPlan,
  section: PlannedSection,
  options: ImportOptions,
  progress: ImportProgress,
): Promise<void> {
  const { exportedAt } = plan;
  const reader = openReader(plan.archive);
  const onDefect = (path: string, defect: Defect) => quarantine(context, progress, { path, ...defect }, null);
  try {
    quarantineFiles(context, progress, [...rejectedOf(plan, section), ...section.other.refused]);
    for (const path of section.repeated) {
      onDefect(path, { position: null, reason: 'stands in the archive more than once; the first one was read' });
    }
    progress.users = await importUsers(context, reader, section, exportedAt, onDefect);
    const channels = await importChannels(context, reader, section, exportedAt, onDefect);
    if (!options.dryRun) await adoptFolders(context);
    const work = planWork(section, channels, options, progress);
    tellAmbiguous(context, section, work);
    await importDays(context, plan, section, work, options, progress);
  } finally {
    reader.close();
  }
}

/** What lies in this section; what lies in none, as a path that leads out of the export does, every section tells of. */
function rejectedOf({ archive, sections }: ExportPlan, { prefix }: PlannedSection): readonly RejectedFile[] {
  return archive.rejected.filter(({ path }) => {
    const around = sections.map((section) => section.prefix).filter((start) => path.startsWith(start));
    const [innermost = prefix] = around.sort((a, b) => b.length - a.length);
    return innermost === prefix;
  });
}

/** Stores the conversations; returns which one every folder is. */
async function importChannels(
  context: SyncContext,
  reader: ArchiveReader,
  section: PlannedSection,
  exportedAt: IsoTime,
  onDefect: (path: string, defect: Defect) => void,
): Promise<{ folders: Map<string, FolderChannel>; listed: ListedConversation[] }> {
  const { store, teamId } = context;
  const aliases = await store.directory.listAliases(teamId);
  const channels = await store.directory.listChannelsExcept(teamId, []);
  const known = { channels, aliases };
  const conversations = await readConversations(reader, section, onDefect);
  const storedIds = storedIdsOf(conversations, known);
  const listed = conversations.map((channel) => ({
    ...channel,
    exportedId: channel.channel_id,
    channel_id: storedIds.get(channel.channel_id) ?? channel.channel_id,
  }));
  const folders = resolveRespelled(section, listed, known);
  await importConversations(context, listed, exportedAt);
  await importConversations(
    context,
    unlisted(folders, listed, new Set(channels.map((row) => row.channel_id))),
    millisToIso(0),
  );
  return { folders, listed };
}

/** Folders are looked up by the names that lists have for them. */
function resolveRespelled(
  section: PlannedSection,
  listed: readonly ListedConversation[],
  known: KnownChannels,
): Map<string, FolderChannel> {
  const nameOf = (folder: string) => section.spellings.get(folder) ?? folder;
  const folders = foldersOf(section);
  const found = resolveFolders(
    folders.map(({ name, before }) => ({ name: nameOf(name), before })),
    listed,
    known,
  );
  return new Map(
    folders.flatMap(({ name }) => {
      const channel = found.get(nameOf(name));
      return channel === undefined ? [] : [[name, channel]];
    }),
  );
}

/** Folders with day files, and those that other files name. */
function foldersOf({ folders, other, zone }: PlannedSection) {
  const dates = new Map([...folders].map(([name, days]) => [name, days.map(({ date }) => date)]));
  for (const { date, routes } of other.messages) {
    for (const name of routes?.values() ?? []) {
      if (name !== null) dates.set(name, [...(dates.get(name) ?? []), date]);
    }
  }
  return [...dates].map(([name, all]) => {
    const first = all.sort()[0];
    return { name, before: first === undefined ? null : (boundsOfDay(first, zone ?? 'UTC')?.to ?? null) };
  });
}

/** Rows for conversations of which there is only a folder; any list that names them later tells more. */
function unlisted(
  folders: ReadonlyMap<string, FolderChannel>,
  listed: readonly NormalizedChannel[],
  stored: ReadonlySet<string>,
): NormalizedChannel[] {
  const known = new Set(listed.map(({ channel_id }) => channel_id));
  return [...folders.values()].flatMap(({ channelId, name, by }) => {
    if (known.has(channelId) || stored.has(channelId)) return [];
    return normalizeChannel(by === 'id' ? { id: channelId } : { id: channelId, name }) ?? [];
  });
}

/** The day files to be read, each with its conversation. */
interface Work {
  days: MessageFile[];
  conversations: ReadonlyMap<string, ConversationReport>;
  /** Channel ids by all that conversations of the export are called. */
  channels: ReadonlyMap<string, string>;
  /** Of the whole export. */
  firstDate: string;
}

function planWork(
  section: PlannedSection,
  { folders, listed }: { folders: ReadonlyMap<string, FolderChannel>; listed: readonly ListedConversation[] },
  { range, isSelected }: ImportOptions,
  progress: ImportProgress,
): Work {
  const byFolder = new Map<string, ConversationReport>();
  const days: MessageFile[] = [];
  const skipped = new Set<string>();
  let firstDate = '';
  const open = (channel: FolderChannel, folder: string | null): ConversationReport | null => {
    const former = folder === null || folder === channel.name ? [] : [folder];
    if (!isSelected({ id: channel.channelId, name: channel.name, formerNames: former })) {
      skipped.add(channel.channelId);
      return null;
    }
    const conversation = progress.conversations.get(channel.channelId) ?? newConversation(channel, folder);
    progress.conversations.set(channel.channelId, conversation);
    return conversation;
  };
  for (const [folder, channel] of folders) {
    const ofFolder = section.folders.get(folder) ?? [];
    for (const { date } of ofFolder) if (firstDate === '' || date < firstDate) firstDate = date;
    const conversation = open(channel, folder);
    if (conversation === null) continue;
    byFolder.set(folder, conversation);
    for (const day of ofFolder) if (mayHold(day, range)) days.push(day);
  }
  for (const file of section.other.messages) {
    if ([...(file.routes?.values() ?? [])].some((folder) => folder !== null && byFolder.has(folder))) days.push(file);
  }
  const withFolder = new Set([...folders.values()].map(({ channelId }) => channelId));
  for (const { channel_id: channelId, name, kind } of listed) {
    if (!withFolder.has(channelId))
      open({ channelId, name: name ?? channelId, kind, by: 'list', candidates: [] }, null);
  }
  progress.channels.skipped = skipped.size;
  progress.channels.total = progress.conversations.size + progress.channels.skipped;
  progress.dayFiles.total = days.length;
  return { days: inStretches(days), conversations: byFolder, channels: channelsOf(folders, listed), firstDate };
}

function channelsOf(
  folders: ReadonlyMap<string, FolderChannel>,
  listed: readonly ListedConversation[],
): Map<string, string> {
  const channels = new Map<string, string>();
  for (const { channel_id: id, exportedId, name } of listed) {
    channels.set(exportedId, id).set(id, id);
    if (name !== null) channels.set(name, id);
  }
  for (const [folder, { channelId }] of folders) channels.set(folder, channelId).set(channelId, channelId);
  return channels;
}

/** Which folders can be of several conversations, so that somebody says which one they are of. */
function tellAmbiguous(context: SyncContext, { prefix }: PlannedSection, { conversations }: Work): void {
  for (const [folder, { channelId, by, candidates }] of conversations) {
    if (by !== 'ambiguous') continue;
    const ids = candidates.map(({ exportedId }) => exportedId);
    const path = `${prefix}${folder}`.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
    const message = `the lists hold ${ids.length} conversations that the folder ${path} can be of (${ids.join(', ')}), so its messages went to none of them; they are kept under ${channelId}, which is treated as private`;
    const hint = 'Give the folder the id of its conversation as its name, and import again.';
    failedUnit(context, { channelId, channel: folder, code: 'ambiguous_folder', message, hint });
  }
}

const dayMicros = 24 * 3600 * 1_000_000;

/** A day more at both ends: the date of a file is not the one that the person means, wherever the person lives. */
function mayHold({ date }: MessageFile, { since, until }: TimeRange): boolean {
  const bounds = boundsOfDay(date, 'UTC');
  return bounds === null || (bounds.to + dayMicros >= since && bounds.from - dayMicros <= until);
}

async function importDays(
  context: SyncContext,
  plan: ExportPlan,
  section: PlannedSection,
  work: Work,
  options: ImportOptions,
  progress: ImportProgress,
): Promise<void> {
  const { exportedAt } = plan;
  const lost = await listLost(context);
  const done = await listDone(context, work, section, exportedAt, lost);
  const how = { range: options.range, rules: context.discardRules, channels: work.channels };
  const days = new DayImport(context, {
    section,
    exportedAt,
    work,
    lost,
    days: { zone: section.zone, firstDate: work.firstDate, range: options.range },
    progress,
    read: () => options.source.read(how, work.days, done, context.signal),
    readAgain: (day) => options.source.readAgain(how, day),
  });
  await days.run();
  if (!options.dryRun) await vouch(context, days, { section, exportedAt }, progress);
  progress.isFinished = true;
}

/** Channels of which rows were lost since they were stored, with the number that was stored. */
async function listLost({ store, teamId }: SyncContext): Promise<ReadonlyMap<string, number>> {
  const counts = await store.integrity.listRowCounts(teamId);
  return new Map(
    counts.flatMap(({ channel_id, stored, counted }) => (stored < counted ? [[channel_id, counted]] : [])),
  );
}

/**
 * Which contents of a day file need not be stored again. Where rows of a channel were lost since, nothing is taken for
 * stored: importing again is how they come back.
 */
async function listDone(
  { store, teamId }: SyncContext,
  { conversations }: Work,
  { prefix }: PlannedSection,
  exportedAt: IsoTime,
  lost: ReadonlyMap<string, number>,
): Promise<(day: MessageFile) => readonly string[]> {
  const byPath = await store.imports.listDone(teamId, exportedAt);
  return ({ path, folder, routes }) => {
    const { channelId, by } = conversations.get(folder) ?? {};
    // Earlier versions took the first of the conversations that it can be.
    return routes !== null || channelId === undefined || lost.has(channelId) || by === 'ambiguous'
      ? []
      : (byPath.get(cleanText(path.slice(prefix.length))) ?? []);
  };
}

/** What can be said only when everything is in. */
async function vouch(
  context: SyncContext,
  { held, names }: DayImport,
  { section: { zone }, exportedAt }: { section: PlannedSection; exportedAt: IsoTime },
  progress: ImportProgress,
): Promise<void> {
  const { store, teamId, signal } = context;
  if (zone === null) {
    const message =
      'The days of this export begin neither at midnight in Los Angeles nor in UTC, so nobody can tell which days it holds whole; ingest and backfill will read them from Slack.';
    context.emit({ type: 'notice', message });
  }
  // Of every channel: whoever was killed just before this point had stored everything.
  for (const channelId of held.keys()) {
    const { incomplete, rootless } = await settleThreads(context, channelId);
    progress.incompleteThreads += incomplete;
    progress.rootlessThreads += rootless;
  }
  progress.namelessAuthors = await nameAuthors(context, names.take());
  const states = new Map((await store.positions.listStates(teamId)).map((state) => [state.channel_id, state]));
  const began = context.now();
  const covered: ((tx: TransactionStore) => Promise<void>)[] = [];
  for (const [channelId, days] of held) {
    signal.throwIfAborted();
    const intervals = days.covered();
    if (intervals.length === 0) continue;
    const key = { teamId, channelId };
    const position = await ChannelPosition.load(store, key, states.get(channelId), {
      wantedFrom: began * 1000,
      now: null,
    });
    covered.push((tx) => position.coverImported(tx, intervals, exportedAt));
  }
  await store.transaction(async (tx) => {
    for (const cover of covered) await cover(tx);
  });
}
