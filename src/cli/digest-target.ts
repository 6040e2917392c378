/** Where a digest is posted, and who reads it there. */
import type { WorkspaceConfig } from '../config/load.ts';
import { isGlob, selectChannels } from '../config/selection.ts';
import { SlackError, UsageError } from '../errors.ts';
import type { JsonObject } from '../model.ts';
import type { KnownChannel } from '../sync/channel-identity.ts';
import type { SyncContext } from '../sync/context.ts';
import { selectable } from './channel-selection.ts';
import { noTarget } from './digest-options.ts';
import type { Stored } from './digest-settings.ts';

export interface DigestTarget {
  channelId: string;
  /** Everybody who reads it may read all public channels: no guest, and nobody of another company. */
  isInternal: boolean;
}

/**
 * The target of the flag, else the configured one: a channel's id or name, a person's id, `@name`, or a direct conversation.
 * Slack is asked where the database does not know who reads it; without posting (`isPosted` false) nothing is asked or opened,
 * so a person's own id may stand for the conversation with them. Throws `UsageError` when there is no target or nobody is
 * called so.
 */
export async function findTarget(
  sync: SyncContext,
  workspace: WorkspaceConfig,
  flag: string | true,
  stored: Stored,
  isPosted: boolean,
): Promise<DigestTarget> {
  const wanted = flag === true ? workspace.digestChannel : flag.trim();
  if (wanted === null || wanted === '') throw noTarget();
  if (isGlob(wanted))
    throw new UsageError(`--publish: "${wanted}" may mean several channels`, 'Give the name or the id of one.');
  const readers = new Readers(sync, isPosted);
  if (/^[UW][A-Z0-9]{2,}$/.test(wanted)) return directWith(sync, stored, wanted, readers);
  if (wanted.startsWith('@')) return directWith(sync, stored, personCalled(wanted.slice(1), stored), readers);
  const selection = selectChannels({ include: [wanted], exclude: [] });
  const known = stored.channels.find((each) => selection.matches(selectable(each)));
  if (known !== undefined)
    return { channelId: known.channel_id, isInternal: await readers.areInternal(objectOf(known)) };
  // One that was never copied can be posted to.
  if (/^[CGD][A-Z0-9]{2,}$/.test(wanted))
    return { channelId: wanted, isInternal: await readers.areInternalUnseen(wanted) };
  throw new UsageError(
    `--publish: there is no channel "${wanted}" in the database`,
    'Give its id, or a name that "slackingest ingest" has seen.',
  );
}

function objectOf({ raw }: KnownChannel): JsonObject {
  return JSON.parse(raw.text);
}

/** Who reads a conversation, as far as the database or Slack can tell. */
class Readers {
  readonly #sync: SyncContext;
  readonly mayAsk: boolean;

  constructor(sync: SyncContext, mayAsk: boolean) {
    this.#sync = sync;
    this.mayAsk = mayAsk;
  }

  async areInternal(channel: JsonObject): Promise<boolean> {
    if (channel['is_ext_shared'] === true || channel['is_pending_ext_shared'] === true) return false;
    const { user, members } = channel;
    const people =
      channel['is_im'] === true ? [user] : channel['is_mpim'] === true && Array.isArray(members) ? members : [];
    for (const id of people) if (typeof id === 'string' && !(await this.isInternal(id))) return false;
    return true;
  }

  async areInternalUnseen(channelId: string): Promise<boolean> {
    const channel = await this.#ask(channelId, () => this.#sync.slack.channel(channelId));
    return channel === null || this.areInternal(channel);
  }

  /** Of one person: neither a guest nor somebody of another company. */
  async isInternal(userId: string): Promise<boolean> {
    const { store, teamId, slack } = this.#sync;
    const row = (await store.directory.findUsers(teamId, [userId])).get(userId);
    const user = row?.raw ?? (await this.#ask(userId, () => slack.user(userId)));
    if (user === null) return true;
    return user['is_restricted'] !== true && user['is_ultra_restricted'] !== true && user['is_stranger'] !== true;
  }

  /** Null where Slack does not tell. Posting fails by itself where it may not post. */
  async #ask(id: string, question: () => Promise<JsonObject>): Promise<JsonObject | null> {
    if (!this.mayAsk) return null;
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof SlackError) || error.kind === 'auth') throw error;
      this.#sync.emit({
        type: 'notice',
        message: `Slack does not tell who reads ${id} (${error.message}); it is taken for one of your own people only, who may read all public channels.`,
      });
      return null;
    }
  }
}

async function directWith(
  { slack }: SyncContext,
  stored: Stored,
  userId: string,
  readers: Readers,
): Promise<DigestTarget> {
  const isInternal = await readers.isInternal(userId);
  if (readers.mayAsk) return { channelId: await slack.openDirect(userId), isInternal };
  const known = stored.channels.find((each) => each.kind === 'im' && objectOf(each)['user'] === userId);
  return { channelId: known?.channel_id ?? userId, isInternal };
}

function personCalled(name: string, { directory }: Stored): string {
  const [only, ...others] = directory.usersCalled(name);
  if (only === undefined) throw new UsageError(`--publish: nobody is called "@${name}"`, "Give the person's id (U…).");
  if (others.length > 0) {
    throw new UsageError(
      `--publish: ${others.length + 1} people are called "@${name}"`,
      `Give the id of one: ${[only, ...others].join(', ')}.`,
    );
  }
  return only;
}
