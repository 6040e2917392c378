/** What an import tells in the `--json` object. */
import type { ExportPlan, PlannedSection } from '../import/export-plan.ts';
import { type ConversationReport, type ImportProgress, totalsOf } from '../import/import-report.ts';
import type { Identity, JsonObject } from '../model.ts';
import type { SyncContext } from '../sync/context.ts';
import { microsToTs, tsToIso } from '../ts.ts';
import type { JobReport } from './workspace-run.ts';

export function importReport({
  sync,
  identity,
  plan,
  section,
  progress,
}: {
  sync: SyncContext;
  identity: Identity;
  plan: ExportPlan;
  section: PlannedSection;
  progress: ImportProgress;
}): JobReport {
  const conversations = [...progress.conversations.values()];
  const failed = conversations.filter(({ isDamaged }) => isDamaged).length;
  const { total, skipped } = progress.channels;
  return {
    channels: { total, ok: total - skipped - failed, failed, skipped },
    channelResults: conversations.map(({ channelId, name, isDamaged }) => ({
      channelId,
      name,
      status: isDamaged ? 'failed' : 'ok',
      error: isDamaged ? 'unreadable' : null,
    })),
    // What could not be read is left out; that the export could be opened at all is something done.
    anyOk: true,
    amiss: progress.quarantinedCount - progress.quarantined.length,
    remaining: progress.isFinished ? null : { day_files: progress.dayFiles.total - readFiles(progress) },
    extra: {
      workspace_name: identity.teamName,
      export: {
        path: plan.archive.address,
        kind: plan.archive.kind,
        newest_at: plan.exportedAt,
        days_cut_in: section.zone,
        ...(section.team === null ? {} : { team: section.team }),
      },
      found: { ...totalsOf(progress), repeated: progress.repeated, refused: progress.refused },
      day_files: { ...progress.dayFiles },
      message_files_by_other_names: section.other.messages.map(({ path }) => path),
      conversations: conversations.map(conversationJson),
      threads: { incomplete: progress.incompleteThreads },
      mended_timestamps: progress.mended,
      needs_token: { author_names: progress.namelessAuthors, thread_roots: progress.rootlessThreads },
      left_out: leftOut(section, progress, sync),
      quarantined: progress.quarantined.map(({ path, position, reason }) => ({ path, position, reason })),
      quarantined_total: progress.quarantinedCount,
    },
  };
}

function readFiles({ dayFiles }: ImportProgress): number {
  return dayFiles.read + dayFiles.imported_before;
}

function conversationJson(conversation: ConversationReport): JsonObject {
  const { channelId, name, folder, kind, by, messages, threads, replies, reactions, files, first, last } = conversation;
  return {
    channel_id: channelId,
    name,
    folder,
    kind,
    found_by: by,
    messages,
    threads: threads.size,
    replies,
    reactions,
    files,
    first_ts: first === null ? null : microsToTs(first),
    last_ts: last === null ? null : microsToTs(last),
    first_at: first === null ? null : tsToIso(microsToTs(first)),
    last_at: last === null ? null : tsToIso(microsToTs(last)),
  };
}

function leftOut(section: PlannedSection, progress: ImportProgress, sync: SyncContext): JsonObject {
  const { canvases, attachments } = section.others;
  const { leftOut: others, refused } = section.other;
  return {
    messages_out_of_range: progress.filtered,
    discarded: Object.fromEntries(sync.discarded),
    channels_not_selected: progress.channels.skipped,
    file_conversations: [...section.fileConversations].map(([folder, day_files]) => ({ folder, day_files })),
    canvases,
    attachments,
    lists: [...section.reported.keys()].map((name) => `${name}.json`),
    other_files: others,
    other_files_total: others.length,
    not_read: refused.map(({ path, reason }) => ({ path, reason })),
  };
}
