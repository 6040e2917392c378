/**
 * Exports as Slack writes them, from a short description of who said what: lists at the top, a folder for each conversation,
 * a file for each day in Los Angeles, whatever the workspace.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { JsonObject, JsonValue } from '../../src/model.ts';
import { richText, stableUuid } from '../stand-in/rich-text.ts';
import { writeZip, type ZipOptions } from './zip-writer.ts';

export interface ExportFile {
  /** From the top of the export, with `/` between names. */
  path: string;
  content: string | Buffer;
}

/** Where conversations of a kind are listed. */
const listOf = { public: 'channels', private: 'groups', dm: 'dms', mpim: 'mpims' } as const;

export type ExportKind = keyof typeof listOf;

export interface ExportSpec {
  /** Default T0EXPORT. */
  team?: string;
  users?: readonly ExportUser[];
  channels?: readonly ExportChannel[];
  /** A list at the top (by its name without `.json`) instead of what follows from the rest; null leaves it out. */
  lists?: Readonly<Record<string, JsonValue>>;
  /** What every export of Slack gives to the addresses of its files, other for each export. */
  fileToken?: string;
  /** Where days are cut. Default America/Los_Angeles. */
  zone?: string;
}

export interface ExportUser {
  id: string;
  name: string;
  realName?: string;
  /** Of another workspace. */
  team?: string;
  isBot?: boolean;
  isDeleted?: boolean;
  raw?: JsonObject;
}

export interface ExportChannel {
  id: string;
  /** Names the folder, except for a dm. */
  name?: string;
  /** Default public. */
  kind?: ExportKind;
  members?: readonly string[];
  isArchived?: boolean;
  /** Has messages and stands in no list. */
  isUnlisted?: boolean;
  /** Instead of the name. */
  folder?: string;
  raw?: JsonObject;
  messages?: readonly Said[];
}

/** One message, with what hangs on it. */
export interface Said {
  ts: string;
  /** Absent: nobody, as with old bots. */
  user?: string;
  text?: string;
  subtype?: string;
  /** They stand in the files of their own days, and their root says how many there are. */
  replies?: readonly Reply[];
  /** It is a reply to this, which is not in the export. */
  root?: Said;
  /** A reply sent to the channel too, which repeats its root inside. */
  isBroadcast?: boolean;
  /** Who, by the name of the reaction. */
  reactions?: Readonly<Record<string, readonly string[]>>;
  /** Ids. */
  files?: readonly string[];
  /** When it was edited. */
  edited?: string;
  /** Id of a bot; without a user a `bot_message`. */
  bot?: string;
  /** Only its place is left, because replies hang on it. */
  isTombstone?: boolean;
  /** Changes with every export, without an edit. */
  profile?: JsonObject;
  /** Merged over the whole message, for what has no option of its own. */
  raw?: JsonObject;
}

export interface Reply extends Said {
  replies?: never;
}

/** The files of an export, users.json last, as it often is in a zip. */
export function makeExport(spec: ExportSpec): ExportFile[] {
  const { channels = [], zone = 'America/Los_Angeles' } = spec;
  const lists = new Map<string, JsonValue>([['channels', []]]);
  for (const kind of ['public', 'private', 'dm', 'mpim'] as const) {
    const listed = channels.filter((channel) => (channel.kind ?? 'public') === kind && !channel.isUnlisted);
    if (listed.length > 0) lists.set(listOf[kind], listed.map(renderChannel));
  }
  lists.set(
    'users',
    (spec.users ?? []).map((user) => renderUser(user, spec)),
  );
  for (const [name, list] of Object.entries(spec.lists ?? {})) lists.set(name, list);

  const files: ExportFile[] = [];
  const addList = (name: string, list: JsonValue): void => {
    if (list !== null) files.push({ path: `${name}.json`, content: slackJson(list) });
  };
  for (const [name, list] of lists) if (name !== 'users') addList(name, list);
  for (const channel of channels) {
    const messages = (channel.messages ?? []).flatMap((said) => renderSaid(said, spec));
    for (const [date, ofDay] of [...byDay(messages, zone)].sort(([a], [b]) => (a < b ? -1 : 1))) {
      files.push({ path: `${folderOf(channel)}/${date}.json`, content: slackJson(ofDay) });
    }
  }
  addList('users', lists.get('users') ?? null);
  return files;
}

export function folderOf({ folder, kind, name, id }: ExportChannel): string {
  return folder ?? (kind === 'dm' ? id : (name ?? id));
}

/** Writes the files below `folder`. Throws when one of them would lie outside of it. */
export function writeExportFolder(folder: string, files: Iterable<ExportFile>): void {
  for (const { path, content } of files) {
    const target = join(folder, path);
    if (!target.startsWith(folder + sep)) throw new Error(`${path} leads out of the folder.`);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}

/** Writes the files as a zip, all of them in the folder `wrapper` if one is given. */
export function writeExportZip(
  path: string,
  files: readonly ExportFile[],
  options: ZipOptions & { wrapper?: string } = {},
): void {
  const { wrapper, ...zip } = options;
  const prefix = wrapper === undefined ? '' : `${wrapper}/`;
  writeZip(
    path,
    files.map(({ path: name, content }) => ({ name: `${prefix}${name}`, content })),
    zip,
  );
}

/** JSON in Slack's style: four spaces, `\/`, and nothing but ASCII. */
export function slackJson(value: JsonValue): string {
  return JSON.stringify(value, null, 4)
    .replaceAll('/', '\\/')
    .replace(/[^\n -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const zones = new Map<string, { clock: Intl.DateTimeFormat; hours: Map<number, string> }>();

/** The date that the clocks of a zone (whole hours from UTC) show at a ts, YYYY-MM-DD. */
export function dayOf(ts: string, zone: string): string {
  let known = zones.get(zone);
  if (known === undefined) {
    // The form of dates in Canada is year, month, day.
    const clock = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    known = { clock, hours: new Map() };
    zones.set(zone, known);
  }
  const hour = Math.floor(Number(ts) / 3600);
  let day = known.hours.get(hour);
  if (day === undefined) {
    day = known.clock.format(hour * 3_600_000);
    known.hours.set(hour, day);
  }
  return day;
}

function byDay(messages: readonly JsonObject[], zone: string): Map<string, JsonObject[]> {
  const days = new Map<string, JsonObject[]>();
  const tsOf = (message: JsonObject): string => String(message['ts']);
  const inOrder = [...messages].sort((a, b) => Number(tsOf(a)) - Number(tsOf(b)) || (tsOf(a) < tsOf(b) ? -1 : 1));
  for (const message of inOrder) {
    const day = dayOf(tsOf(message), zone);
    const others = days.get(day);
    if (others === undefined) days.set(day, [message]);
    else others.push(message);
  }
  return days;
}

export function renderChannel({
  id,
  name,
  kind = 'public',
  members = [],
  isArchived = false,
  raw,
}: ExportChannel): JsonObject {
  const created = 1_577_836_800;
  if (kind === 'dm') return { id, created, members: [...members], ...raw };
  const said = { value: '', creator: '', last_set: 0 };
  return {
    id,
    name: name ?? id,
    created,
    creator: members[0] ?? 'USLACKBOT',
    is_archived: isArchived,
    ...(kind === 'public' ? { is_general: false } : {}),
    members: [...members],
    topic: said,
    purpose: said,
    ...raw,
  };
}

function renderUser(user: ExportUser, { team = 'T0EXPORT' }: ExportSpec): JsonObject {
  const { id, name, isBot = false, isDeleted = false } = user;
  const realName = user.realName ?? name;
  return {
    id,
    team_id: user.team ?? team,
    name,
    deleted: isDeleted,
    ...(isDeleted ? {} : { color: '9f69e7', real_name: realName, tz: 'America/Los_Angeles', tz_offset: -28800 }),
    profile: {
      title: '',
      phone: '',
      real_name: realName,
      real_name_normalized: realName,
      display_name: name,
      display_name_normalized: name,
      avatar_hash: shortHash(id),
      ...(isBot ? { api_app_id: `A${id.slice(1)}`, bot_id: `B${id.slice(1)}` } : { email: `${name}@example.invalid` }),
      team: user.team ?? team,
    },
    is_bot: isBot,
    is_app_user: false,
    updated: 1_577_836_800,
    ...user.raw,
  };
}

/** The message and its replies. */
function renderSaid(said: Said, spec: ExportSpec): JsonObject[] {
  return [renderAlone(said, spec), ...(said.replies ?? []).map((reply) => renderReply(reply, said, spec))];
}

/** The message without its replies, of which it tells all the same. */
export function renderAlone(said: Said, spec: ExportSpec): JsonObject {
  const { replies = [], root } = said;
  if (root !== undefined) return renderReply(said, root, spec);
  const last = replies.at(-1);
  if (last === undefined) return renderOne(said, spec, {});
  const users = [...new Set(replies.flatMap(({ user }) => user ?? []))];
  return renderOne(said, spec, {
    thread_ts: said.ts,
    reply_count: replies.length,
    reply_users_count: users.length,
    latest_reply: last.ts,
    // Slack names five at most.
    reply_users: users.slice(0, 5),
    replies: replies.map(({ user, ts }) => ({ user: user ?? null, ts })),
    is_locked: false,
    subscribed: false,
  });
}

export function renderReply(reply: Said, root: Said, spec: ExportSpec): JsonObject {
  const parent: JsonObject = { thread_ts: root.ts, ...(root.user === undefined ? {} : { parent_user_id: root.user }) };
  if (!reply.isBroadcast) return renderOne(reply, spec, parent);
  const shown = { type: 'message', user: root.user ?? null, text: root.text ?? '', ts: root.ts, thread_ts: root.ts };
  return renderOne({ ...reply, subtype: 'thread_broadcast' }, spec, { thread_ts: root.ts, root: shown });
}

function renderOne(said: Said, spec: ExportSpec, thread: JsonObject): JsonObject {
  if (said.isTombstone) return { ...tombstone(said), ...thread, ...said.raw };
  const { team = 'T0EXPORT' } = spec;
  const { ts, user, text = '', bot, reactions, files, edited } = said;
  const subtype = said.subtype ?? (bot !== undefined && user === undefined ? 'bot_message' : undefined);
  const author = user === undefined ? undefined : userOf(spec, user);
  return {
    ...(user === undefined ? {} : { user }),
    type: 'message',
    ...(subtype === undefined ? {} : { subtype }),
    ts,
    ...(subtype === undefined ? { client_msg_id: stableUuid(`${team} ${ts}`) } : {}),
    ...(bot === undefined ? {} : { bot_id: bot, username: 'Reporter', attachments: [attachment(text)] }),
    text: bot === undefined ? text : '',
    team,
    ...(author === undefined || bot !== undefined ? {} : extras(author, team, said.profile)),
    ...thread,
    ...(files === undefined ? {} : { files: files.map((id) => renderFile(id, team, spec)), upload: true }),
    ...(text === '' || bot !== undefined ? {} : { blocks: richText(text, ts) }),
    ...(edited === undefined ? {} : { edited: { user: user ?? null, ts: edited } }),
    ...(reactions === undefined ? {} : { reactions: renderReactions(reactions) }),
    ...said.raw,
  };
}

const indexes = new WeakMap<readonly ExportUser[], ReadonlyMap<string, ExportUser>>();

/** By an index that is made once: a search for every message is what takes the time of a large export. */
function userOf({ users = [] }: ExportSpec, id: string): ExportUser | undefined {
  let index = indexes.get(users);
  if (index === undefined) {
    index = new Map(users.map((user) => [user.id, user]));
    indexes.set(users, index);
  }
  return index.get(id);
}

function tombstone({ ts }: Said): JsonObject {
  return {
    type: 'message',
    subtype: 'tombstone',
    user: 'USLACKBOT',
    text: 'This message was deleted.',
    hidden: true,
    ts,
  };
}

/** What an export adds to a message and the API does not. */
function extras(author: ExportUser, team: string, changes: JsonObject = {}): JsonObject {
  const realName = author.realName ?? author.name;
  const home = author.team ?? team;
  return {
    user_team: home,
    source_team: home,
    user_profile: {
      avatar_hash: shortHash(author.id),
      image_72: `https://avatars.slack-edge.com/${author.id}_72.png`,
      first_name: realName.split(' ')[0] ?? '',
      real_name: realName,
      display_name: author.name,
      team: home,
      name: author.name,
      is_restricted: false,
      is_ultra_restricted: false,
      ...changes,
    },
  };
}

function attachment(text: string): JsonObject {
  return { id: 1, color: '2eb886', fallback: text, text, title: 'Report', mrkdwn_in: ['text'] };
}

function renderReactions(reactions: Readonly<Record<string, readonly string[]>>): JsonObject[] {
  return Object.entries(reactions).map(([name, users]) => ({ name, users: [...users], count: users.length }));
}

function renderFile(id: string, team: string, { fileToken = 'xoxe-1234567890-abcdef' }: ExportSpec): JsonObject {
  const name = `${id.toLowerCase()}.png`;
  const address = `https://files.slack.com/files-pri/${team}-${id}`;
  return {
    id,
    created: 1_577_836_800,
    name,
    title: name,
    mimetype: 'image/png',
    filetype: 'png',
    size: 4096,
    mode: 'hosted',
    is_external: false,
    url_private: `${address}/${name}?t=${fileToken}`,
    url_private_download: `${address}/download/${name}?t=${fileToken}`,
    permalink: `https://example.slack.com/files/U0/${id}/${name}`,
  };
}

function shortHash(seed: string): string {
  return createHash('sha1').update(seed).digest('hex').slice(0, 12);
}
