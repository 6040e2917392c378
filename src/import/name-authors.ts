/**
 * Names people whom no list describes by what messages tell of them. It depends on the messages alone, not on the order in
 * which exports bring them, and gives way to whatever Slack or a list says.
 */
import type { ToldNameRow, UserRow } from '../db/schema.ts';
import { newer, type ToldName } from '../normalize/told-names.ts';
import { nowIso, type SyncContext } from '../sync/context.ts';

/** People who are written in one transaction. */
const peopleAtOnce = 2000;

/** Remembers what was told, and names whom it can. Returns how many authors still have no name. */
export async function nameAuthors(context: SyncContext, told: readonly ToldName[]): Promise<number> {
  const { store, teamId, signal } = context;
  for (const part of partsOf(told)) {
    signal.throwIfAborted();
    await store.transaction(async (tx) => {
      const ids = part.map(({ user_id }) => user_id);
      const known = await tx.toldNames.find(teamId, ids);
      await tx.toldNames.write(part.flatMap((one) => rowAfter(teamId, known.get(one.user_id), one) ?? []));
    });
  }
  let nameless = 0;
  for (const part of partsOf(await store.toldNames.listUndescribed(teamId))) {
    signal.throwIfAborted();
    await store.transaction(async (tx) => {
      const ids = part.map(({ user_id }) => user_id);
      const known = await tx.toldNames.find(teamId, ids);
      const named = part.map((user) => ({ user, ...namesOf(user, known.get(user.user_id)) }));
      nameless += named.filter(({ name, real_name, display_name }) => !(name || real_name || display_name)).length;
      const at = nowIso(context);
      const changed = named.filter((one) => columns.some((column) => one[column] !== one.user[column]));
      await tx.directory.writeUsers(changed.map(({ user, ...names }) => ({ ...user, ...names, updated_at: at })));
    });
  }
  return nameless;
}

const columns = ['name', 'real_name', 'display_name'] as const;

/** Null when nothing is new. */
function rowAfter(teamId: string, known: ToldNameRow | undefined, told: ToldName): ToldNameRow | null {
  if (told.profile_ts === null && told.label_ts === null) return null;
  const row = { team_id: teamId, ...(known === undefined ? told : newer(known, told)) };
  const isSame = known !== undefined && known.profile_ts === row.profile_ts && known.label_ts === row.label_ts;
  return isSame && JSON.stringify(nameTexts(known)) === JSON.stringify(nameTexts(row)) ? null : row;
}

function nameTexts({ name, real_name, display_name, label }: ToldNameRow): (string | null)[] {
  return [name, real_name, display_name, label];
}

/** By their own profile first; a label is what others were shown. */
function namesOf(user: UserRow, told: ToldNameRow | undefined): Pick<UserRow, (typeof columns)[number]> {
  const { name, real_name, display_name, profile_ts, label_ts, label } = told ?? noNames;
  if (profile_ts === null && label_ts === null) return user;
  return { name: name ?? label, real_name, display_name };
}

const noNames = { name: null, real_name: null, display_name: null, profile_ts: null, label_ts: null, label: null };

function partsOf<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / peopleAtOnce) }, (_, i) =>
    items.slice(i * peopleAtOnce, (i + 1) * peopleAtOnce),
  );
}
