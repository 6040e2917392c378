import type { ConfigFlags } from '../../config/load.ts';
import type { Identity, JsonObject } from '../../model.ts';
import { syncChannels } from '../../sync/channels.ts';
import { failUnit, type SyncContext } from '../../sync/context.ts';
import { lookUpUnknownUsers, syncUsergroups, syncUsers } from '../../sync/users.ts';
import type { GlobalFlags, Process } from '../context.ts';
import { runJobCommand } from '../job-command.ts';
import type { WorkspaceJob } from '../workspace-run.ts';

interface SyncUsersFlags extends GlobalFlags, ConfigFlags {
  workspace?: string;
}

/** `slackingest sync-users`. */
export function syncUsersCommand(process: Process, flags: SyncUsersFlags): Promise<number> {
  return runJobCommand(process, flags, job.command, () => job);
}

const job: WorkspaceJob = {
  command: 'sync-users',
  dryRun: false,
  fills: true,
  allowJoin: false,
  work(sync, identity) {
    const extra: JsonObject = { workspace_name: identity.teamName };
    return {
      done: syncDirectory(sync, identity, extra),
      report: () => ({
        channels: { total: 0, ok: 0, failed: 0, skipped: 0 },
        channelResults: [],
        anyOk: 'users' in extra || 'channels_listed' in extra,
        remaining: null,
        extra,
      }),
    };
  },
};

/** Each part by itself: a plan without user groups must not keep the users from being stored. */
async function syncDirectory(sync: SyncContext, identity: Identity, extra: JsonObject): Promise<void> {
  await part(sync, async () => {
    extra['users'] = { ...(await syncUsers(sync)) };
  });
  await part(sync, async () => {
    const counts = await syncUsergroups(sync);
    if (counts !== null) extra['usergroups'] = { ...counts };
  });
  await part(sync, async () => {
    extra['channels_listed'] = { ...(await syncChannels(sync, identity)).counts };
  });
  extra['users_looked_up'] = await lookUpUnknownUsers(sync);
}

async function part(sync: SyncContext, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    failUnit(sync, error, { channelId: null, channel: null });
  }
}
