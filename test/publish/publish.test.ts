/** What becomes of a digest that is published, in each case that has its own rule. */
import { expect, test } from 'vitest';
import { openStore, type Store } from '../../src/db/repositories/index.ts';
import { AppError, SlackError } from '../../src/errors.ts';
import { exitCodes } from '../../src/exit-codes.ts';
import type { JsonObject, PostedMessage } from '../../src/model.ts';
import {
  type DigestMessage,
  finishEarlier,
  type PublishContext,
  type PublishRequest,
  publish,
} from '../../src/publish/publish.ts';
import { openSlackApi } from '../../src/slack/api-source.ts';
import { sleep } from '../../src/slack/waiting.ts';
import { millisToIso } from '../../src/ts.ts';
import type { Channel } from '../stand-in/channel.ts';
import { type StandIn, startStandIn } from '../stand-in/server.ts';
import type { Workspace } from '../stand-in/workspace.ts';
import { World } from '../stand-in/world.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';

const settleMs = 60_000;

/** A workspace with a channel, a database, and a clock that moves only when somebody sleeps. */
class Lab implements AsyncDisposable {
  readonly slack: StandIn;
  readonly workspace: Workspace;
  readonly database: TestDatabase;
  readonly store: Store;
  readonly channel: Channel;
  now = Date.now();
  readonly slept: number[] = [];

  constructor(slack: StandIn, workspace: Workspace, database: TestDatabase, store: Store) {
    this.slack = slack;
    this.workspace = workspace;
    this.database = database;
    this.store = store;
    this.channel = workspace.channel('news');
  }

  context(options: Partial<PublishContext> = {}): PublishContext {
    const signal = options.signal ?? new AbortController().signal;
    const api = openSlackApi({
      token: this.workspace.botToken,
      apiUrl: this.slack.url,
      pace: 'off',
      allowPost: true,
      emit: () => {},
      signal,
      timeoutMs: 2000,
    });
    return {
      store: this.store,
      slack: api,
      teamId: this.workspace.id,
      userId: this.workspace.bot.id,
      now: () => this.now,
      signal,
      sleep: async (ms) => {
        this.slept.push(ms);
        this.now += ms;
      },
      settleMs,
      ...options,
    };
  }

  request(texts: readonly string[], more: Partial<PublishRequest> = {}): PublishRequest {
    return {
      target: this.channel.id,
      window: { from: millisToIso(Date.UTC(2026, 0, 1)), to: millisToIso(Date.UTC(2026, 0, 2)) },
      knownUntil: millisToIso(this.now),
      configHash: 'hash',
      messages: texts.map(digestMessage),
      mode: 'post',
      ...more,
    };
  }

  publish(texts: readonly string[], more: Partial<PublishRequest> = {}) {
    return publish(this.context(), this.request(texts, more));
  }

  /** A run that is killed right after Slack has got the message, or right before. */
  async publishKilled(texts: readonly string[], moment: 'before' | 'after'): Promise<void> {
    const context = this.context();
    const killed = new Error('killed');
    const slack: PublishContext['slack'] = {
      history: (request) => context.slack.history(request),
      update: (message) => context.slack.update(message),
      remove: (channel, ts) => context.slack.remove(channel, ts),
      async post(message, claim) {
        if (moment === 'after') await context.slack.post(message, claim);
        else await claim();
        throw killed;
      },
    };
    await expect(publish({ ...context, slack }, this.request(texts))).rejects.toBe(killed);
  }

  /** A run to which something between it and Slack shows messages without their metadata. */
  withoutMetadata(post = (send: () => Promise<PostedMessage>) => send()): PublishContext {
    const context = this.context();
    return {
      ...context,
      slack: {
        update: (message) => context.slack.update(message),
        remove: (channel, ts) => context.slack.remove(channel, ts),
        post: (message, claim) => post(() => context.slack.post(message, claim)),
        async history(request) {
          const page = await context.slack.history(request);
          const bare = ({ metadata: _, ...message }: (typeof page.messages)[number]) => message;
          return { ...page, messages: page.messages.map((message) => ({ ...bare(message), ts: message.ts })) };
        },
      },
    };
  }

  get posted(): unknown[] {
    return this.channel.expectedMessages().map(({ text }) => text);
  }

  async [Symbol.asyncDispose]() {
    await this.slack.close();
    await this.database[Symbol.asyncDispose]();
  }
}

function digestMessage(text: string): DigestMessage {
  return { text, blocks: [{ type: 'section', text: { type: 'mrkdwn', text } }], itemKeys: [`item of ${text}`] };
}

async function errorOf(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error;
  throw new Error(`expected an AppError, got ${String(error)}`, { cause: error });
}

eachDatabase((create) => {
  async function openLab(): Promise<Lab> {
    const database = await create();
    const world = new World({ start: Date.now() });
    const workspace = world.workspace('T0ACME', { name: 'Acme', domain: 'acme' });
    return new Lab(await startStandIn({ world }), workspace, database, openStore(await database.openMigrated()));
  }

  test('a digest is posted in order, and the same window is not posted again', async () => {
    await using lab = await openLab();
    const first = await lab.publish(['one', 'two']);
    const again = await lab.publish(['something', 'else']);
    expect(first).toMatchObject({ status: 'posted', posted: lab.channel.expectedMessages().map(({ ts }) => ts) });
    expect(again).toEqual({ ...first, status: 'already_posted' });
    expect(lab.posted).toEqual(['one', 'two']);
  });

  test('where there is nothing to tell, nothing is posted or recorded', async () => {
    await using lab = await openLab();
    expect(await lab.publish([])).toEqual({ status: 'nothing', digest_id: null, posted: [] });
    expect(await lab.database.rows('digests')).toEqual([]);
    expect(lab.slack.count('chat.postMessage')).toBe(0);
  });

  test('whoever asks for it once more gets it once more', async () => {
    await using lab = await openLab();
    const first = await lab.publish(['one']);
    const again = await lab.publish(['one'], { mode: 'repost' });
    expect(again.digest_id).not.toBe(first.digest_id);
    expect(lab.posted).toEqual(['one', 'one']);
  });

  test('news that another run has told meanwhile is not told again in another window', async () => {
    await using lab = await openLab();
    await lab.publish(['one']);
    const window = { from: millisToIso(Date.UTC(2026, 0, 1)), to: millisToIso(Date.UTC(2026, 0, 3)) };
    const error = await errorOf(lab.publish(['one', 'two'], { window }));
    expect(error.message).toContain('another run');
    expect(lab.posted).toEqual(['one']);
  });

  test('a run that was killed after its message arrived is completed without posting it again', async () => {
    await using lab = await openLab();
    await lab.publishKilled(['one', 'two'], 'after');
    expect(lab.posted).toEqual(['one']);
    await finishEarlier(lab.context(), lab.channel.id);
    expect(lab.posted).toEqual(['one', 'two']);
    expect(await lab.database.rows('digest_items', { where: "status <> 'posted'" })).toEqual([]);
  });

  test('a run that was killed before its message arrived is completed with the messages it had put together', async () => {
    await using lab = await openLab();
    await lab.publishKilled(['one', 'two'], 'before');
    const report = await lab.publish(['put together anew']);
    expect(report.status).toBe('posted');
    expect(lab.posted).toEqual(['one', 'two']);
  });

  test('a message that was about to be posted is waited for as long as it may take, and no longer', async () => {
    await using lab = await openLab();
    await lab.publishKilled(['one'], 'before');
    lab.now += settleMs / 3;
    await finishEarlier(lab.context(), lab.channel.id);
    expect(lab.slept).toEqual([settleMs - settleMs / 3]);
  });

  test('one that was about to be posted long ago is not waited for', async () => {
    await using lab = await openLab();
    await lab.publishKilled(['one'], 'before');
    lab.now += 10 * settleMs;
    await finishEarlier(lab.context(), lab.channel.id);
    expect(lab.slept).toEqual([]);
    expect(lab.posted).toEqual(['one']);
  });

  test('a clock that was set back costs one wait, not a year', async () => {
    await using lab = await openLab();
    await lab.publishKilled(['one'], 'before');
    lab.now -= 365 * 86_400_000;
    await finishEarlier(lab.context(), lab.channel.id);
    expect(lab.slept).toEqual([settleMs]);
    expect(lab.posted).toEqual(['one']);
  });

  test('the wait ends at once when the run is stopped', async () => {
    await using lab = await openLab();
    await lab.publishKilled(['one'], 'before');
    const stop = new AbortController();
    const finishing = finishEarlier(lab.context({ signal: stop.signal, sleep }), lab.channel.id);
    const reason = new Error('stopped');
    setTimeout(() => stop.abort(reason), 50);
    await expect(finishing).rejects.toBe(reason);
    expect(lab.posted).toEqual([]);
  });

  test('a message whose answer is lost is found in the channel at once', async () => {
    await using lab = await openLab();
    lab.slack.faults.add({ method: 'chat.postMessage', kind: 'lost', how: 'reset' });
    expect((await lab.publish(['one', 'two'])).status).toBe('posted');
    expect(lab.posted).toEqual(['one', 'two']);
  });

  test('one that is not found is left to the next run, which posts what is missing', async () => {
    await using lab = await openLab();
    lab.slack.faults.add({ method: 'chat.postMessage', nth: 2, kind: 'reset' });
    const error = await errorOf(lab.publish(['one', 'two']));
    expect(error).toMatchObject({ exitCode: exitCodes.failed, message: expect.stringContaining('part 2') });
    expect(error.hint).toContain(lab.channel.id);
    expect(lab.slack.count('chat.postMessage')).toBe(2);
    await finishEarlier(lab.context(), lab.channel.id);
    expect(lab.posted).toEqual(['one', 'two']);
  });

  test('one that may stand in a channel that cannot be read is not posted again until it can be', async () => {
    await using lab = await openLab();
    lab.slack.faults.add({ method: 'chat.postMessage', kind: 'lost', how: 'http' });
    const unreadable = { method: 'conversations.history', kind: 'error', error: 'missing_scope' } as const;
    lab.slack.faults.add({ ...unreadable, needed: 'channels:history', times: 3 });
    for (let run = 1; run <= 3; run += 1) {
      const error = await errorOf(lab.publish(['one']));
      expect(error).toMatchObject({ exitCode: exitCodes.failed, message: expect.stringContaining('cannot be read') });
    }
    expect(lab.slack.count('chat.postMessage')).toBe(1);
    expect((await lab.publish(['one'])).status).toBe('posted');
    expect(lab.posted).toEqual(['one']);
  });

  test('a message that Slack shows without its metadata is known by its words', async () => {
    await using lab = await openLab();
    const one = digestMessage('<https://acme.example/1|Wallet> &amp; Search \u{1f680} are live');
    const said = { ...one, blocks: [...one.blocks, { type: 'divider' }] };
    const killed = lab.withoutMetadata(async (message) => {
      await message();
      throw new Error('killed');
    });
    await expect(publish(killed, lab.request([], { messages: [said] }))).rejects.toThrow('killed');
    // As Slack writes it down.
    for (const { ts } of lab.channel.expectedMessages()) {
      lab.channel.change(String(ts), (message) => {
        const blocks = JSON.stringify(message.blocks).replace('\u{1f680}', ':rocket:');
        return { ...message, blocks: JSON.parse(blocks) };
      });
    }
    await finishEarlier(lab.withoutMetadata(), lab.channel.id);
    expect(lab.slack.count('chat.postMessage')).toBe(1);
    // What stands there already is another one.
    expect(await publish(lab.withoutMetadata(), lab.request([], { messages: [said], mode: 'repost' }))).toMatchObject({
      status: 'posted',
    });
    expect(lab.slack.count('chat.postMessage')).toBe(2);
  });

  test('a message of the app that nobody knows again is asked about before anything is posted twice', async () => {
    await using lab = await openLab();
    await lab.publishKilled(['one'], 'after');
    for (const { ts } of lab.channel.expectedMessages()) {
      lab.channel.change(String(ts), (message) => ({ ...message, text: '', blocks: [] }));
    }
    const finishOnce = () => finishEarlier(lab.withoutMetadata(), lab.channel.id);
    const error = await errorOf(finishOnce());
    expect(error.message).toContain('is not known');
    expect(error.message).toContain(String(lab.channel.expectedMessages()[0]?.['ts']));
    lab.now += 25 * 3_600_000;
    expect((await errorOf(finishOnce())).message).toContain('not posted again');
    expect(await finishOnce()).toEqual([]);
    expect(lab.slack.count('chat.postMessage')).toBe(1);
  });

  test('what others write there, and what the app wrote long before, is no doubt', async () => {
    await using lab = await openLab();
    lab.channel.post({ user: lab.workspace.bot.id, text: 'Hello.', ts: `${Math.floor(lab.now / 1000) - 7200}.000100` });
    await lab.publishKilled(['one'], 'before');
    lab.channel.post({ user: lab.workspace.user('ada').id, text: 'Where is the digest?' });
    await finishEarlier(lab.withoutMetadata(), lab.channel.id);
    expect(lab.posted.filter((text) => text === 'one')).toHaveLength(1);
  });

  test('of two runs that have posted the same after all, the later one removes its own message', async () => {
    for (const removal of ['removed', 'kept'] as const) {
      await using lab = await openLab();
      if (removal === 'kept')
        lab.slack.faults.add({ kind: 'error', error: 'cant_delete_message', method: 'chat.delete' });
      const context = lab.context();
      const frozen: PublishContext['slack'] = {
        history: (request) => context.slack.history(request),
        update: (message) => context.slack.update(message),
        remove: (channel, ts) => context.slack.remove(channel, ts),
        async post(message, claim) {
          // Stopped where nothing can see it: the claim is looked at, and the request does not go out yet.
          await claim();
          lab.now += 2 * settleMs;
          await finishEarlier(lab.context(), lab.channel.id);
          return context.slack.post(message, async () => () => {});
        },
      };
      const late = publish({ ...context, slack: frozen }, lab.request(['one']));
      if (removal === 'removed') {
        expect(await late).toMatchObject({ status: 'posted', posted: [lab.channel.expectedMessages()[0]?.['ts']] });
        expect(lab.posted).toEqual(['one']);
      } else {
        const error = await errorOf(late);
        for (const { ts } of lab.channel.expectedMessages()) expect(error.message).toContain(String(ts));
        expect(lab.posted).toEqual(['one', 'one']);
      }
      expect(lab.slack.count('chat.postMessage')).toBe(2);
    }
  });

  test('a channel that refuses it keeps the digest waiting, with the reason', async () => {
    await using lab = await openLab();
    lab.channel.archive();
    const error = await errorOf(lab.publish(['one']));
    expect(error).toBeInstanceOf(SlackError);
    expect(error).toMatchObject({ code: 'is_archived', exitCode: exitCodes.failed });
    const [waiting] = await lab.database.rows('digest_chunks');
    expect(waiting).toMatchObject({
      status: 'pending',
      posted_ts: null,
      error: expect.stringContaining('is_archived'),
    });
    lab.channel.unarchive();
    await finishEarlier(lab.context(), lab.channel.id);
    expect(lab.posted.at(-1)).toBe('one');
    expect(lab.slept).toEqual([]);
  });

  test('a message that Slack will never take does not stand in the way of later digests', async () => {
    await using lab = await openLab();
    const tooLong: DigestMessage = {
      ...digestMessage('x'),
      blocks: [{ type: 'header', text: plain('x'.repeat(151)) }],
    };
    const error = await errorOf(publish(lab.context(), lab.request([], { messages: [tooLong] })));
    expect(error).toMatchObject({ code: 'invalid_blocks' });
    expect(await finishEarlier(lab.context(), lab.channel.id)).toEqual([]);
    expect((await lab.publish(['x'])).status).toBe('posted');
  });

  test('a part that Slack refuses is tried again for a day, and given up after it', async () => {
    await using lab = await openLab();
    const messages = [
      digestMessage('one'),
      { ...digestMessage('x'), blocks: [{ type: 'header', text: plain('x'.repeat(151)) }] },
    ];
    const publishAll = () => errorOf(publish(lab.context(), lab.request([], { messages })));
    expect(await publishAll()).toMatchObject({ code: 'invalid_blocks' });
    expect(await publishAll()).toMatchObject({ code: 'invalid_blocks' });
    lab.now += 25 * 3_600_000;
    expect(await errorOf(finishEarlier(lab.context(), lab.channel.id))).toMatchObject({ code: 'invalid_blocks' });
    expect(await finishEarlier(lab.context(), lab.channel.id)).toEqual([]);
    expect(lab.posted).toEqual(['one']);
  });

  test('a part that was refused by mistake is posted by the next run', async () => {
    await using lab = await openLab();
    lab.slack.faults.add({ kind: 'error', error: 'msg_too_long', method: 'chat.postMessage', nth: 2 });
    await errorOf(lab.publish(['one', 'two']));
    expect(await lab.publish(['one', 'two'])).toMatchObject({ status: 'posted' });
    expect(lab.posted).toEqual(['one', 'two']);
  });

  test('a message of which nobody can find out whether it stands there is given up after a day, not posted again', async () => {
    await using lab = await openLab();
    await lab.publishKilled(['one'], 'after');
    lab.slack.faults.add({ kind: 'error', error: 'not_in_channel', method: 'conversations.history', times: 9 });
    const finishOnce = () => finishEarlier(lab.context(), lab.channel.id);
    expect((await errorOf(finishOnce())).message).toContain('is not known');
    lab.now += 25 * 3_600_000;
    expect((await errorOf(finishOnce())).message).toContain('not posted again');
    expect(await finishOnce()).toEqual([]);
    expect(lab.posted).toEqual(['one']);
  });

  test('another choice among the news of the same window is another digest', async () => {
    await using lab = await openLab();
    await lab.publish(['one']);
    expect(await lab.publish(['two'], { configHash: 'other' })).toMatchObject({ status: 'posted' });
    expect(lab.posted).toEqual(['one', 'two']);
  });

  test('a run that waits because Slack said so leaves the message to one that came in between', async () => {
    await using lab = await openLab();
    lab.slack.faults.add({ method: 'chat.postMessage', kind: '429', retryAfter: 1 });
    const context = () => lab.context({ now: Date.now, sleep, settleMs: 200 });
    const limited = new Promise<void>((resolve) => lab.slack.onResponse(() => resolve()));
    const first = publish(context(), lab.request(['one']));
    await limited;
    const second = await publish(context(), lab.request(['one']));
    expect(second.posted).toHaveLength(1);
    expect(await first).toMatchObject({ posted: second.posted });
    expect(lab.posted).toEqual(['one']);
  });

  test('an update edits what stands there, and adds what is new', async () => {
    await using lab = await openLab();
    const { posted } = await lab.publish(['one']);
    const updated = await lab.publish(['uno', 'due'], { mode: 'update' });
    expect(updated).toMatchObject({ status: 'updated', posted: [...posted, expect.any(String)] });
    expect(lab.posted).toEqual(['uno', 'due']);
    expect(await lab.publish(['tre'])).toMatchObject({ status: 'already_posted' });
    const keys = await lab.store.digests.listItemKeys(lab.workspace.id, lab.channel.id);
    expect(keys).toEqual(new Set(['item of uno', 'item of due']));
  });

  test('an update to fewer messages leaves a note in the place of the others', async () => {
    await using lab = await openLab();
    await lab.publish(['one', 'two']);
    await lab.publish(['uno'], { mode: 'update' });
    expect(lab.posted).toEqual(['uno', 'The digest above has become shorter.']);
    await lab.publish([], { mode: 'update' });
    expect(lab.posted[0]).toBe('There is nothing left to tell.');
  });

  test('an update may be repeated: what it adds is added once', async () => {
    await using lab = await openLab();
    await lab.publish(['one']);
    lab.slack.faults.add({ method: 'chat.postMessage', kind: 'lost', how: 'reset' });
    await lab.publish(['uno', 'due'], { mode: 'update' });
    await lab.publish(['uno', 'due'], { mode: 'update' });
    expect(lab.posted).toEqual(['uno', 'due']);
  });

  test('an update of nothing says what to do', async () => {
    await using lab = await openLab();
    const error = await errorOf(lab.publish(['one'], { mode: 'update' }));
    expect(error.hint).toContain('--update');
  });

  test('what is posted carries only what tells it apart', async () => {
    await using lab = await openLab();
    const { digest_id } = await lab.publish(['one']);
    const [message] = lab.channel.expectedMessages({ metadata: true });
    expect(message?.['metadata']).toEqual({
      event_type: 'slackingest_digest',
      event_payload: { digest_id, chunk_no: 0 },
    });
  });
});

function plain(text: string): JsonObject {
  return { type: 'plain_text', text };
}
