/** Users, user groups and channels as rows. */
import { isId, isName } from '../ids.ts';
import type { ChannelKind, JsonObject, JsonText } from '../model.ts';
import { cleanObject } from './clean.ts';
import { hashObject } from './content-hash.ts';
import { kindFlags, kindOf } from './conversation-kind.ts';
import { integerOf, nonEmptyText, objectOf, textOf } from './json-access.ts';

export interface NormalizedUser {
  user_id: string;
  name: string | null;
  real_name: string | null;
  display_name: string | null;
  email: string | null;
  tz: string | null;
  is_bot: boolean | null;
  is_deleted: boolean | null;
  content_hash: string;
  raw: JsonText;
}

/** Null for an object without an id. */
export function normalizeUser(received: JsonObject): NormalizedUser | null {
  const { value: user, json } = cleanObject(received);
  const { id } = user;
  if (!isId(id)) return null;
  const profile = objectOf(user['profile']) ?? {};
  return {
    user_id: id,
    name: nonEmptyText(user['name']),
    real_name: nonEmptyText(user['real_name']) ?? nonEmptyText(profile['real_name']),
    display_name: nonEmptyText(profile['display_name']),
    email: nonEmptyText(profile['email']),
    tz: nonEmptyText(user['tz']),
    is_bot: flagOf(user['is_bot']),
    is_deleted: flagOf(user['deleted']),
    content_hash: hashObject(user),
    raw: json,
  };
}

export interface NormalizedUsergroup {
  usergroup_id: string;
  handle: string | null;
  name: string | null;
  description: string | null;
  is_deleted: boolean;
  content_hash: string;
  raw: JsonText;
}

/** Null for an object without an id. */
export function normalizeUsergroup(received: JsonObject): NormalizedUsergroup | null {
  const { value: group, json } = cleanObject(received);
  const { id } = group;
  if (!isId(id)) return null;
  return {
    usergroup_id: id,
    handle: nonEmptyText(group['handle']),
    name: nonEmptyText(group['name']),
    description: nonEmptyText(group['description']),
    // date_delete is 0 while the group is enabled (docs.slack.dev usergroup object).
    is_deleted: typeof group['date_delete'] === 'number' && group['date_delete'] > 0,
    content_hash: hashObject(group),
    raw: json,
  };
}

export interface NormalizedChannel {
  channel_id: string;
  /** A DM has no name. */
  name: string | null;
  kind: ChannelKind;
  is_archived: boolean;
  /** Null where Slack does not say; a DM in the list is always one's own. */
  is_member: boolean | null;
  topic: string | null;
  purpose: string | null;
  content_hash: string;
  raw: JsonText;
  /** Neither a name nor a flag that tells the kind: an object that lists what it does not know as nothing. */
  isPartial: boolean;
  /** Names it had, as Slack tells them. */
  previousNames: string[];
  /** When it was created and by whom: the same under every id that it has; null where Slack does not say. */
  origin: string | null;
}

/** Token-relative or changing without anybody changing the channel. */
const restlessChannelKeys = new Set([
  'last_read',
  'latest',
  'unread_count',
  'unread_count_display',
  'priority',
  'num_members',
]);

/** Null for an object without an id. `listedAs` is the kind of the export's list that it stands in. */
export function normalizeChannel(received: JsonObject, listedAs?: ChannelKind): NormalizedChannel | null {
  const { value: channel, json } = cleanObject(received);
  const { id } = channel;
  if (!isId(id)) return null;
  const kind = kindOf(channel, listedAs);
  return {
    channel_id: id,
    name: isName(channel['name']) ? channel['name'] : null,
    kind,
    is_archived: channel['is_archived'] === true,
    is_member: kind === 'im' ? true : flagOf(channel['is_member']),
    topic: textOf(objectOf(channel['topic'])?.['value']),
    purpose: textOf(objectOf(channel['purpose'])?.['value']),
    content_hash: hashObject(channel, restlessChannelKeys),
    raw: json,
    isPartial: nonEmptyText(channel['name']) === null && !kindFlags.some((flag) => channel[flag] !== undefined),
    previousNames: namesOf(channel['previous_names']),
    origin: originOf(channel),
  };
}

/** A stored row again as what it was made from; its kind stays what was found out, from wherever that was. */
export function normalizeStored({ raw, kind }: { raw: JsonObject; kind: ChannelKind }): NormalizedChannel | null {
  const channel = normalizeChannel(raw);
  return channel === null ? null : { ...channel, kind, is_member: kind === 'im' ? true : channel.is_member };
}

function namesOf(value: JsonObject[string] | undefined): string[] {
  return Array.isArray(value) ? value.filter(isName) : [];
}

/** Where Slack does not know when, `created` is 0 or 1. */
function originOf(channel: JsonObject): string | null {
  const created = integerOf(channel['created'], Number.MAX_SAFE_INTEGER);
  const creator = nonEmptyText(channel['creator']);
  return created === null || created <= 1 || creator === null ? null : `${created} ${creator}`;
}

function flagOf(value: JsonObject[string] | undefined): boolean | null {
  return typeof value === 'boolean' ? value : null;
}
