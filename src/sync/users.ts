/** The directory of people: the whole list now and then, and single lookups of authors it does not hold. */
import type { UserRow } from '../db/schema.ts';
import { SlackError } from '../errors.ts';
import type { IsoTime, JsonObject } from '../model.ts';
import { type NormalizedUser, normalizeUser, normalizeUsergroup } from '../normalize/directory.ts';
import { type DirectoryCounts, noDirectoryChanges } from './channels.ts';
import { failUnit, nowIso, type SyncContext } from './context.ts';
import { reportMalformed } from './malformed.ts';

export interface UserCounts extends DirectoryCounts {
  /** Users that became deactivated since the last sync. */
  deactivated: number;
}

const noChannel = { channelId: null, channel: null };

/**
 * Fetches and stores all users, page by page, and remembers when. Users missing from the list stay as they are: Slack
 * lists deactivated ones too, and people of other workspaces never.
 */
export async function syncUsers(context: SyncContext): Promise<UserCounts> {
  const counts: UserCounts = { ...noDirectoryChanges(), deactivated: 0 };
  const seen = new Set<string>();
  for await (const { items, malformed } of context.slack.users()) {
    reportMalformed(context, malformed, { code: 'malformed_user', of: 'a page of users.list', ...noChannel });
    await saveUsers(context, items, seen, counts);
  }
  await context.store.transaction((store) => store.directory.markUsersSynced(context.teamId, nowIso(context)));
  counts.total = seen.size;
  return counts;
}

/** Fetches and stores the user groups, disabled ones included. Null where the plan has no user groups, which is no failure. */
export async function syncUsergroups(context: SyncContext): Promise<DirectoryCounts | null> {
  const counts = noDirectoryChanges();
  const received = await fetchUsergroups(context);
  if (received === null) return null;
  const groups = [
    ...new Map(
      received.flatMap((raw) => normalizeUsergroup(raw) ?? []).map((group) => [group.usergroup_id, group]),
    ).values(),
  ];
  const at = nowIso(context);
  await context.store.transaction(async (store) => {
    const stored = await store.directory.findUsergroups(
      context.teamId,
      groups.map(({ usergroup_id }) => usergroup_id),
    );
    const changed = groups.filter((group) => {
      const row = stored.get(group.usergroup_id);
      // An object without its names is no news about a group that is known.
      const isPartial = group.handle === null && group.name === null;
      return row === undefined || (row.content_hash !== group.content_hash && !isPartial);
    });
    await store.directory.writeUsergroups(
      changed.map((group) => ({ team_id: context.teamId, ...group, updated_at: at })),
    );
    counts.inserted = groups.filter((group) => !stored.has(group.usergroup_id)).length;
    counts.updated = changed.length - counts.inserted;
    counts.unchanged = groups.length - changed.length;
    counts.total = groups.length;
  });
  return counts;
}

async function fetchUsergroups(context: SyncContext): Promise<JsonObject[] | null> {
  try {
    const { items, malformed } = await context.slack.usergroups();
    reportMalformed(context, malformed, { code: 'malformed_usergroup', of: 'usergroups.list', ...noChannel });
    return items;
  } catch (error) {
    if (!(error instanceof SlackError) || error.code !== 'plan_upgrade_required') throw error;
    context.emit({ type: 'notice', message: "The workspace's plan has no user groups; there are none to store." });
    return null;
  }
}

/** So many odd answers in a row of lookups end them for this run. */
const lookupFailureLimit = 10;

/**
 * Asks Slack once for each author that no list named. Users Slack does not tell about are remembered as such and never
 * asked for again; other failures leave them for the next run. Returns how many were found.
 */
export async function lookUpUnknownUsers(context: SyncContext): Promise<number> {
  let found = 0;
  let failed = 0;
  for (const userId of await context.store.directory.listPendingUserIds(context.teamId)) {
    try {
      const counts: UserCounts = { ...noDirectoryChanges(), deactivated: 0 };
      const user = await context.slack.user(userId);
      await saveUsers(context, [{ ...user, id: userId }], new Set(), counts);
      found += 1;
    } catch (error) {
      if (error instanceof SlackError && (error.code === 'user_not_found' || error.code === 'user_not_visible')) {
        const { code } = error;
        await context.store.transaction((store) =>
          store.directory.markUserUnknown(context.teamId, userId, code, nowIso(context)),
        );
        continue;
      }
      failUnit(context, error, { channelId: null, channel: null });
      // What a scope or a plan refuses for one, it refuses for all; so does a network that is down.
      if (!(error instanceof SlackError) || error.kind !== 'unknown') failed = lookupFailureLimit;
      failed += 1;
      if (failed >= lookupFailureLimit) return found;
    }
  }
  return found;
}

async function saveUsers(
  context: SyncContext,
  page: readonly JsonObject[],
  seen: Set<string>,
  counts: UserCounts,
): Promise<void> {
  const byId = new Map<string, NormalizedUser>();
  for (const received of page) {
    const user = normalizeUser(received);
    if (user !== null) byId.set(user.user_id, user);
  }
  const users = [...byId.values()];
  if (users.length === 0) return;
  const at = nowIso(context);
  await context.store.transaction(async (store) => {
    const stored = await store.directory.findUsers(context.teamId, [...byId.keys()]);
    const changed = users.filter((user) => {
      const row = stored.get(user.user_id);
      if (row === undefined || row.lookup !== null || row.exported_at !== null) return true;
      // An object without its names is no news about a user who is known.
      const isPartial = user.name === null && user.real_name === null;
      return row.content_hash !== user.content_hash && !isPartial;
    });
    await store.directory.writeUsers(
      changed.map((user) => userRow(context.teamId, user, stored.get(user.user_id), at)),
    );
    for (const user of users) {
      if (seen.has(user.user_id)) continue;
      const row = stored.get(user.user_id);
      if (row === undefined || row.lookup === 'pending') counts.inserted += 1;
      else if (changed.includes(user)) counts.updated += 1;
      else counts.unchanged += 1;
      if (user.is_deleted === true && row?.is_deleted === false) counts.deactivated += 1;
    }
  });
  for (const user of users) {
    seen.add(user.user_id);
    context.knownUsers.add(user.user_id);
  }
}

/** A partial object (a stranger from another workspace, a user without e-mail scope) never blanks what is known. */
function userRow(teamId: string, user: NormalizedUser, known: UserRow | undefined, at: IsoTime) {
  // What only messages told counts as long as nobody else tells a name.
  const hasName = [user.name, user.real_name, user.display_name].some((name) => name !== null);
  const stored = known?.lookup === null || !hasName ? known : undefined;
  return {
    team_id: teamId,
    user_id: user.user_id,
    name: user.name ?? stored?.name ?? null,
    real_name: user.real_name ?? stored?.real_name ?? null,
    display_name: user.display_name ?? stored?.display_name ?? null,
    email: user.email ?? stored?.email ?? null,
    tz: user.tz ?? stored?.tz ?? null,
    is_bot: user.is_bot ?? stored?.is_bot ?? null,
    is_deleted: user.is_deleted ?? stored?.is_deleted ?? null,
    lookup: null,
    content_hash: user.content_hash,
    raw: user.raw,
    updated_at: at,
    exported_at: null,
  } satisfies Record<keyof UserRow, unknown>;
}
