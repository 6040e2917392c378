/**
 * Folders that nothing named when they were imported, and that something names by now: what is stored of them goes to the
 * channel they are of, as if that had been known at once.
 */
import type { TransactionStore } from '../db/repositories/index.ts';
import type { ExportedMessage } from '../db/repositories/messages.ts';
import type { ChannelRow } from '../db/schema.ts';
import { channelLabel } from '../labels.ts';
import type { Ts } from '../model.ts';
import { normalizeMessage } from '../normalize/message.ts';
import { ChannelPosition, coveredIntervals } from '../sync/channel-position.ts';
import type { SyncContext } from '../sync/context.ts';
import { tsToMicros } from '../ts.ts';
import { existed, isLocalId, type KnownChannels, onlyChannelCalled } from './folders.ts';
import { savePortion } from './save-portion.ts';
import { settleThreads } from './settle-threads.ts';

const messagesAtOnce = 1000;

/** Looks at every folder with an id of our own. */
export async function adoptFolders(context: SyncContext): Promise<void> {
  const { store, teamId } = context;
  const channels = await store.directory.listChannelsExcept(teamId, []);
  const local = channels.filter(({ channel_id }) => isLocalId(channel_id));
  if (local.length === 0) return;
  const known = { channels, aliases: await store.directory.listAliases(teamId) };
  for (const folder of local) {
    const channel = await channelOf(context, folder, known);
    if (channel !== null) await adopt(context, folder, channel);
  }
}

/** The one channel that is or was called so; not when an export held both, for then they are two. */
async function channelOf(context: SyncContext, folder: ChannelRow, known: KnownChannels): Promise<ChannelRow | null> {
  const { store, teamId } = context;
  const [first] = await store.messages.listExported(teamId, folder.channel_id, null, 1);
  if (folder.name === null || first === undefined) return null;
  const only = onlyChannelCalled(folder.name, known);
  if (only === undefined || !existed(only.raw, tsToMicros(first.ts) + 1) || first.exported_at === null) return null;
  return (await store.messages.holdsOfExport(teamId, only.channel_id, first.exported_at)) ? null : only;
}

async function adopt(context: SyncContext, folder: ChannelRow, channel: ChannelRow): Promise<void> {
  const { store, teamId } = context;
  const [from, to] = [folder.channel_id, channel.channel_id];
  await store.transaction(async (tx) => {
    await mergeMessages(context, tx, from, to);
    await tx.messages.copyRevisions(teamId, { from, to });
    await mergeCoverage(context, tx, from, to);
    await tx.directory.dropChannel(teamId, from);
  });
  await settleThreads(context, to);
  const message = `What was imported from the folder "${folder.name}" before anything named it now belongs to ${channelLabel(channel.name, to)} (${to}).`;
  context.emit({ type: 'notice', message });
}

async function mergeMessages(context: SyncContext, tx: TransactionStore, from: string, to: string): Promise<void> {
  let after: Ts | null = null;
  for (;;) {
    const rows: ExportedMessage[] = await tx.messages.listExported(context.teamId, from, after, messagesAtOnce);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.ts;
    for (const exportedAt of new Set(rows.flatMap(({ exported_at }) => exported_at ?? []))) {
      const ofExport = rows.filter(({ exported_at }) => exported_at === exportedAt);
      const read = ofExport.map(({ ts, raw }) => normalizeMessage({ ...raw, ts }));
      await savePortion(context, tx, to, read, exportedAt);
    }
  }
}

async function mergeCoverage(context: SyncContext, tx: TransactionStore, from: string, to: string): Promise<void> {
  const { teamId } = context;
  const rows = await tx.positions.listCoverage(teamId, from);
  const oldest = rows.map(({ audited_at }) => audited_at).sort()[0];
  if (oldest === undefined) return;
  const began = context.now();
  const state = (await tx.positions.listStates(teamId)).find(({ channel_id }) => channel_id === to);
  const key = { teamId, channelId: to };
  const position = await ChannelPosition.load(tx, key, state, { wantedFrom: began * 1000, now: null });
  await position.coverImported(tx, coveredIntervals(rows), oldest);
}
