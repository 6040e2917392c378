/** Puts right what follows from Slack's object in `raw`: columns, reactions, file links. */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { MessageRow } from '../db/schema.ts';
import type { IsoTime, Ts } from '../model.ts';
import { fileRow } from '../sync/write-messages.ts';
import { millisToIso } from '../ts.ts';
import {
  batchSize,
  type CheckedRow,
  compareFiles,
  compareReactions,
  hasThreadOfRaw,
  isVouchedFor,
  loadChecked,
  unconfirmed,
} from './check-content.ts';

interface Place {
  teamId: string;
  channelId: string;
}

/** Returns how many messages were changed. */
export async function mendRows(store: TransactionStore, place: Place, ts: readonly Ts[], at: IsoTime): Promise<number> {
  let mended = 0;
  for (let n = 0; n < ts.length; n += batchSize) {
    for (const checked of await loadChecked({ store, teamId: place.teamId }, place, ts.slice(n, n + batchSize))) {
      const changes = [
        await mendColumns(store, place, checked, at),
        await mendReactions(store, place, checked, at),
        await mendFiles(store, place, checked, at),
      ];
      if (changes.includes(true)) mended += 1;
    }
  }
  return mended;
}

async function mendColumns(store: TransactionStore, place: Place, checked: CheckedRow, at: IsoTime): Promise<boolean> {
  const { row, read } = checked;
  const { posted_at, is_reply, user_id, bot_id, subtype, text, search_text, edited_ts } = read;
  const { thread_ts, reply_count, latest_reply } = read;
  const derived: Partial<MessageRow> = {
    ...{ posted_at, is_reply, user_id, bot_id, subtype, text, search_text, edited_ts },
    ...(hasThreadOfRaw(checked) ? { thread_ts, reply_count, latest_reply } : {}),
    ...hashesOf(checked),
  };
  const stored: Partial<MessageRow> = row;
  const changed = Object.entries(derived).filter(([column, value]) => stored[column as keyof MessageRow] !== value);
  if (changed.length === 0) return false;
  // Revisions are dated by it, so it never goes back.
  const updated_at = at > row.updated_at ? at : millisToIso(Date.parse(row.updated_at) + 1);
  const key = { team_id: place.teamId, channel_id: place.channelId, ts: row.ts };
  await store.integrity.mendMessage(key, { ...Object.fromEntries(changed), updated_at });
  return true;
}

/**
 * When raw is not what the row was written from, Slack's word counts: the message is written anew when it is read again.
 * Its old content hash stays, so that what comes back is no new version. Of a deleted message raw is all there is.
 */
function hashesOf(checked: CheckedRow): Partial<MessageRow> {
  const { row, read } = checked;
  if (row.deleted_at !== null) return { content_hash: read.content_hash };
  return isVouchedFor(checked) && row.state_hash === read.state_hash ? {} : { state_hash: unconfirmed };
}

async function mendReactions(
  store: TransactionStore,
  { teamId, channelId }: Place,
  checked: CheckedRow,
  at: IsoTime,
): Promise<boolean> {
  const { missing, surplus } = compareReactions(checked);
  if (missing.length + surplus.length === 0) return false;
  const { ts } = checked.row;
  await store.messages.addReactions(
    missing.map(({ name, userId }) => ({
      team_id: teamId,
      channel_id: channelId,
      ts,
      name,
      user_id: userId,
      first_seen_at: at,
    })),
  );
  await store.messages.removeReactions(surplus);
  return true;
}

async function mendFiles(
  store: TransactionStore,
  { teamId, channelId }: Place,
  checked: CheckedRow,
  at: IsoTime,
): Promise<boolean> {
  const { missing, surplus } = compareFiles(checked);
  if (missing.length + surplus.length === 0) return false;
  const link = (file_id: string) => ({ team_id: teamId, channel_id: channelId, ts: checked.row.ts, file_id });
  const known = await store.messages.findFiles(teamId, missing);
  const files = checked.read.files.filter(({ file_id }) => missing.includes(file_id) && !known.has(file_id));
  await store.messages.writeFiles(files.map((file) => fileRow(teamId, file, { source: 'api', at })));
  await store.messages.addFileLinks(missing.map(link));
  await store.messages.removeFileLinks(surplus.map(link));
  return true;
}
