/** What an export is, found out before anything is written: whose it is, when it was made, how its days are cut. */
import { setImmediate as breathe } from 'node:timers/promises';
import { type Archive, ArchiveFileError, type ArchiveReader } from '../export/archive.ts';
import { type DayZone, DayZoneEvidence } from '../export/day-zone.ts';
import { decodeText, parseList } from '../export/json-elements.ts';
import { type DayFile, readLayout, type Section } from '../export/layout.ts';
import { listArchive, openReader } from '../export/open-archive.ts';
import { messageOf, readObjects } from '../export/read-list.ts';
import { type Candidate, type Certainty, WorkspaceEvidence } from '../export/workspace-evidence.ts';
import type { IsoTime, JsonObject } from '../model.ts';
import { millisToIso, tsToMicros } from '../ts.ts';

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
    const sections: PlannedSection[] = [];
    for (const section of layout) {
      const isAlone = layout.length === 1;
      const how = { isShared: !isAlone && section.team === null, isTold: isAlone && isWorkspaceTold };
      sections.push(await planSection(reader, section, how, signal));
    }
    const { files, ...rest } = archive;
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    return { archive: rest, bytes, sections, exportedAt: await newestMoment(reader, layout, now, signal) };
  } finally {
    reader.close();
  }
}

async function planSection(
  reader: ArchiveReader,
  section: Section,
  { isShared, isTold }: { isShared: boolean; isTold: boolean },
  signal: AbortSignal,
): Promise<PlannedSection> {
  const evidence = new WorkspaceEvidence();
  const zones = new DayZoneEvidence();
  for (const name of ['users', 'org_users'] as const) {
    for (const user of await objectsOf(reader, section, name)) evidence.addUser(user);
  }
  const channelIds: string[] = [];
  for (const name of ['channels', 'groups', 'dms', 'mpims'] as const) {
    for (const channel of await objectsOf(reader, section, name)) {
      evidence.addChannel(channel);
      if (typeof channel['id'] === 'string') channelIds.push(channel['id']);
    }
  }
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
    channelIds,
  };
}

/** Of people and conversations: what may tell whose export it is. */
const telling = [
  ...['id', 'name', 'team_id', 'enterprise_user', 'is_stranger', 'is_primary_owner', 'is_owner', 'is_admin'],
  ...['context_team_id', 'shared_team_ids', 'internal_team_ids', 'is_ext_shared', 'is_general'],
];

/** Defects are told when the list is imported. */
async function objectsOf(
  reader: ArchiveReader,
  { lists }: Section,
  name: Parameters<Section['lists']['get']>[0],
): Promise<JsonObject[]> {
  const file = lists.get(name);
  if (file === undefined) return [];
  const objects: JsonObject[] = [];
  for await (const portion of readObjects(reader, file, () => undefined)) {
    // Only what is looked at: lists of a large organisation do not fit into memory.
    for (const object of portion) {
      objects.push(
        Object.fromEntries(telling.flatMap((key) => (object[key] === undefined ? [] : [[key, object[key]]]))),
      );
    }
  }
  return objects;
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
  const moments: number[] = [];
  for (const element of parseList(text).elements) {
    const message = 'reason' in element ? element.reason : messageOf(element.value);
    if (typeof message === 'string') continue;
    evidence.addMessage(message, day.folder);
    moments.push(tsToMicros(message.ts));
  }
  if (moments.length > 0) zones.add(day.date, minOf(moments), maxOf(moments));
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

async function newestMoment(
  reader: ArchiveReader,
  sections: readonly Section[],
  now: number,
  signal: AbortSignal,
): Promise<IsoTime> {
  const days = sections.flatMap(({ folders }) => [...folders.values()].flat());
  const dates = [...new Set(days.map(({ date }) => date))].sort().reverse();
  const latest = (now + dayMs) * 1000;
  for (const date of dates.slice(0, newestDays)) {
    let newest = 0;
    for (const day of days.filter((one) => one.date === date).slice(0, newestLimit)) {
      const text = await textOf(reader, day, signal);
      for (const element of text === null ? [] : parseList(text).elements) {
        const message = 'reason' in element ? element.reason : messageOf(element.value);
        if (typeof message === 'string') continue;
        const at = tsToMicros(message.ts);
        if (at <= latest) newest = Math.max(newest, at);
      }
    }
    if (newest > 0) return millisToIso(Math.floor(newest / 1000));
  }
  return millisToIso(0);
}

function spread<Item>(items: readonly Item[], n: number): Item[] {
  if (items.length <= n) return [...items];
  return Array.from({ length: n }, (_, i) => items[Math.floor((i * items.length) / n)]).flatMap((item) => item ?? []);
}

function minOf(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value));
}

function maxOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value));
}
