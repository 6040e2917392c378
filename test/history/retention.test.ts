/**
 * Retention of every kind, and people who delete besides: what expired is never taken for deleted, and what people deleted
 * is marked wherever something proves it.
 *
 * A failure tells its seed: `SLACKINGEST_TEST_SEED=42 npx vitest run test/history/retention.test.ts` plays it again.
 */
import { describe, expect, it } from 'vitest';
import type { Channel } from '../stand-in/channel.ts';
import { Random } from '../stand-in/random.ts';
import { type StandIn, startStandIn } from '../stand-in/server.ts';
import type { Workspace } from '../stand-in/workspace.ts';
import { World } from '../stand-in/world.ts';
import { configFile } from '../support/config-file.ts';
import { createPostgres, createSqlite, eachDatabase, type TestDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';

async function markedIn(database: TestDatabase): Promise<string[]> {
  const rows = await database.rows('messages', { where: 'deleted_at is not null', order: 'channel_id, ts' });
  return rows.map(({ channel_id, ts }) => `${channel_id} ${ts}`);
}

eachDatabase((create) => {
  it('takes neither a tombstone nor another organisation’s message for proof that nothing expires', async () => {
    await using lab = await openLab(create);
    const { acme, world } = lab;
    const partner = world.workspace('T0PARTNER', { name: 'Partner' });
    const pat = acme.user('pat', { kind: 'external', teamId: 'T0PARTNER' });
    const general = acme.channel('general');
    const shared = acme.channel('shared', { isExternallyShared: true });
    partner.channel('shared', { sharedWith: shared });
    const root = general.post({ ts: world.clock.daysAgo(25), text: 'a root that expires before its replies' });
    shared.post({ ts: world.clock.daysAgo(26), user: pat.id, text: 'theirs, and it stays' });
    const own: string[] = [];
    for (let day = 24; day > 0; day -= 1) {
      own.push(general.post({ ts: world.clock.daysAgo(day), text: `day ${day}` }));
      shared.post({ ts: world.clock.daysAgo(day), text: `day ${day}` });
      if (day % 5 === 0) shared.post({ ts: world.clock.daysAgo(day - 0.5), user: pat.id, text: 'theirs' });
    }
    general.reply(root, { ts: world.clock.daysAgo(2), text: 'late' });
    expect((await lab.ingest()).code).toBe(0);

    acme.retention = 10;
    acme.runRetention();
    const gone = own.at(-3);
    general.deleteMessage(String(gone));
    for (let run = 0; run < 3; run += 1) expect((await lab.ingest('--lookback', '60d')).code).toBe(0);
    expect(await markedIn(lab.database)).toEqual([`${general.id} ${gone}`]);
    const [kept] = await lab.database.rows('messages', { where: `ts = '${root}'` });
    expect(kept).toMatchObject({ text: 'a root that expires before its replies', deleted_at: null, reply_count: 1 });
    expect((await lab.run(['verify'])).out.gaps).toEqual([]);

    // Theirs go by a policy of their own, and what one of them deletes has an older one of theirs beside it.
    const theirs = shared.store.timeline.filter(({ body }) => String(body).includes('T0PARTNER')).map(({ ts }) => ts);
    shared.deleteMessage(String(theirs.at(-1)));
    expect((await lab.ingest('--lookback', '60d')).out.messages).toMatchObject({ deleted: 1 });
    for (const channel of partner.channels.values()) channel.expireBefore(String(theirs.at(-2)));
    expect((await lab.ingest('--lookback', '60d')).out.messages).toMatchObject({ deleted: 0 });
  });

  it('believes retention: none of one’s own messages only', async () => {
    await using lab = await openLab(create);
    const { acme, world } = lab;
    const pat = acme.user('pat', { kind: 'external', teamId: 'T0PARTNER' });
    const shared = acme.channel('shared', { isExternallyShared: true });
    const theirs = shared.post({ ts: world.clock.daysAgo(20), user: pat.id, text: 'theirs' });
    const ours = shared.post({ ts: world.clock.daysAgo(19), text: 'ours' });
    shared.post({ ts: world.clock.daysAgo(3), text: 'later' });
    const config = configFile('retention: none\n');
    expect((await lab.ingest('--config', config)).code).toBe(0);
    for (const ts of [theirs, ours]) shared.deleteMessage(ts);
    expect((await lab.ingest('--config', config)).code).toBe(0);
    expect(await markedIn(lab.database)).toEqual([`${shared.id} ${ours}`]);
  });

  it('does not take for younger than a day what this machine’s clock makes so', async () => {
    await using lab = await openLab(create, { date: () => null });
    const general = lab.acme.channel('general');
    const posted = [5, 4, 3].map((day) => general.post({ ts: lab.world.clock.daysAgo(day), text: `day ${day}` }));
    expect((await lab.ingest()).code).toBe(0);
    lab.acme.expireBefore(String(posted[2]));
    const hook = new URL('../support/shift-clock.mjs', import.meta.url).pathname;
    const env = { NODE_OPTIONS: `--import ${hook}`, SHIFT_CLOCK_MS: String(-6 * 86_400_000) };
    expect((await lab.run(['ingest', '--lookback', '60d'], { env })).code).toBe(0);
    expect((await lab.ingest('--lookback', '60d')).code).toBe(0);
    expect(await markedIn(lab.database)).toEqual([]);
  });
});

const given = process.env['SLACKINGEST_TEST_SEED'];
const only = process.env['SLACKINGEST_TEST_DATABASE'];

describe('in random worlds with policies that begin, change and end', () => {
  it.each(given ? given.split(',').map(Number) : [1, 2, 3, 4])(
    'marks no message that expired, and every one that was provably deleted: seed %d',
    { timeout: 600_000 },
    async (seed) => {
      const databases: TestDatabase[] = [];
      if (only !== 'postgres') databases.push(await createSqlite());
      if (only !== 'sqlite') databases.push(await createPostgres());
      await using story = await Story.begin(seed);
      try {
        for (let step = 0; step < 6; step += 1) await story.step(databases);
      } finally {
        for (const database of databases) await database[Symbol.asyncDispose]();
      }
    },
  );
});

/** Slack's days go by as the world's clock does, so that a policy has something to take in every step. */
class Story implements AsyncDisposable {
  readonly #random: Random;
  readonly #world: World;
  readonly #acme: Workspace;
  readonly #partner: Workspace;
  readonly #shared: Channel;
  readonly #slack: StandIn;
  /** Pages of a few messages, and a daily run between two of them. */
  readonly #isThin: boolean;
  readonly #deleted: { channel: Channel; ts: string; root: string | null }[] = [];

  private constructor(seed: number, world: World, slack: StandIn, isThin: boolean) {
    this.#random = new Random(seed);
    this.#world = world;
    this.#slack = slack;
    this.#isThin = isThin;
    this.#acme = world.workspace('T0ACME', { name: 'Acme' });
    this.#partner = world.workspace('T0PARTNER', { name: 'Partner' });
    for (const name of ['ada', 'bram']) this.#acme.user(name);
    this.#acme.user('pat', { id: 'U0PAT', kind: 'external', teamId: 'T0PARTNER' });
    this.#acme.channel('general');
    this.#acme.channel('own-policy').retention = 2 + this.#random.below(10);
    this.#acme.channel('kept').retention = 'keep';
    this.#shared = this.#acme.channel('shared', { isExternallyShared: true });
    this.#partner.channel('shared', { sharedWith: this.#shared });
    this.#talk(25, 12);
  }

  static async begin(seed: number): Promise<Story> {
    const world = new World({ start: Date.now() - 40 * 86_400_000 });
    const isThin = seed % 2 === 0;
    const slack = await startStandIn({
      world,
      date: () => new Date(world.clock.now).toUTCString(),
      thinPages: ({ limit }) => (isThin ? Math.min(limit, 7) : limit),
    });
    return new Story(seed, world, slack, isThin);
  }

  async step(databases: readonly TestDatabase[]): Promise<void> {
    const random = this.#random;
    const before = this.#gaugeProofs();
    for (const database of databases) await this.#read(database, before);
    const days = 0.3 + 2.5 * random.next();
    this.#world.clock.advance(86_400 * days);
    this.#talk(0.99 * days, 4);
    if (random.chance(0.6)) this.#acme.retention = random.pick(['keep', 1, 3, 7, 14, 30]);
    for (const channel of [...this.#acme.channels.values(), ...this.#partner.channels.values()]) {
      if (random.chance(0.25)) channel.retention = random.pick(['inherit', 'keep', 1, 4, 9, 20]);
      // Not every daily run is through when the program looks.
      if (random.chance(0.8)) channel.runRetention(random.chance(0.3) ? random.below(5) : undefined);
    }
    for (let n = 0; n < 4; n += 1) this.#deleteAny();
  }

  /** In the past of the last `days`. */
  #talk(days: number, most: number): void {
    const random = this.#random;
    for (const channel of this.#acme.channels.values()) {
      const ages = Array.from({ length: most + random.below(most) }, () => random.next() * days).sort((a, b) => b - a);
      for (const age of ages) {
        const ts = this.#world.clock.daysAgo(age);
        const isTheirs = channel === this.#shared && random.chance(0.5);
        const how = isTheirs
          ? { user: 'U0PAT' }
          : random.chance(0.15)
            ? { subtype: 'bot_message', bot_id: 'B0BOT' }
            : {};
        const roots = channel.store.timeline.filter((one) => one.ts < ts && !one.isBroadcast);
        if (roots.length === 0 || random.chance(0.7)) channel.post({ ts, text: 'a word', ...how });
        else channel.reply(random.pick(roots).ts, { ts, text: 'a reply', ...how }, { broadcast: random.chance(0.2) });
      }
    }
  }

  #deleteAny(): void {
    const channel = this.#random.pick([...this.#acme.channels.values()]);
    const alive = channel.store.all.filter(({ isTombstone }) => !isTombstone);
    if (alive.length < 3) return;
    const message = this.#random.pick(alive);
    const root = message.thread === undefined || message.thread.root === message ? null : message.thread.root.ts;
    channel.deleteMessage(message.ts);
    this.#deleted.push({ channel, ts: message.ts, root });
  }

  /** What people deleted of the workspace's own top-level messages where an older one of them is shown now. */
  #gaugeProofs(): Set<string> {
    const proven = this.#deleted.filter(({ channel, ts, root }) => {
      if (root !== null || this.#isThin) return false;
      return channel.store.timeline.some(
        (one) => one.ts < ts && !one.isTombstone && String(one.body).includes('"team":"T0ACME"'),
      );
    });
    return new Set(proven.map(({ channel, ts }) => `${channel.id} ${ts}`));
  }

  async #read(database: TestDatabase, proven: ReadonlySet<string>): Promise<void> {
    const env = { SLACK_TOKEN: this.#acme.botToken, SLACK_API_URL: this.#slack.url, DATABASE_URL: database.url };
    let requests = 0;
    const stop = this.#slack.onRequest(({ method }) => {
      requests += method === 'conversations.history' ? 1 : 0;
      if (this.#isThin && requests === 5) for (const channel of this.#acme.channels.values()) channel.runRetention();
    });
    const run = await runCli(['ingest', '--lookback', '90d', '--json'], { env });
    stop();
    // A thread may vanish between the page that tells of it and the call for its replies.
    const isFine = run.code === 0 || (this.#isThin && run.code === 3);
    expect(isFine ? '' : `${run.code}: ${run.stderr}`).toBe('');
    const marked = await markedIn(database);
    const expired = [...this.#acme.channels.values()].flatMap(({ id, store }) =>
      [...store.expired].map((ts) => `${id} ${ts}`),
    );
    expect(marked.filter((key) => expired.includes(key))).toEqual([]);
    const stored = (await database.rows('messages')).filter(
      ({ channel_id, ts, raw }) => proven.has(`${channel_id} ${ts}`) && JSON.stringify(raw).includes('T0ACME'),
    );
    expect(stored.map(({ channel_id, ts }) => `${channel_id} ${ts}`).filter((key) => !marked.includes(key))).toEqual(
      [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#slack.close();
  }
}
