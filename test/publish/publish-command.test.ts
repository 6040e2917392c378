/** digest --publish as people run it: what stands in the channel afterwards, and what the exit code says. */
import { describe, expect, it } from 'vitest';
import type { Channel } from '../stand-in/channel.ts';
import { configFile } from '../support/config-file.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { startCli } from '../support/run-cli.ts';

interface Newsroom extends AsyncDisposable {
  lab: Lab;
  ada: string;
  general: Channel;
  daily: Channel;
  publish(...args: string[]): ReturnType<Lab['run']>;
}

async function open(create: () => Promise<TestDatabase>): Promise<Newsroom> {
  const lab = await openLab(create);
  const ada = lab.acme.user('ada').id;
  const general = lab.acme.channel('general');
  const daily = lab.acme.channel('daily');
  general.post({ user: ada, text: 'Wallet v2 is live for all customers!' });
  general.post({ user: ada, text: 'Who has the key of the lab?' });
  await lab.ingest();
  return {
    lab,
    ada,
    general,
    daily,
    publish: (...args) => lab.run(['digest', '--publish', '#daily', '--lock-timeout', '10s', ...args]),
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

/** What a channel's readers see, blocks and all. */
function textsIn(channel: Channel): string[] {
  return channel.store.timeline.map(({ body }) => String(body));
}

eachDatabase((create) => {
  describe('a published digest', () => {
    it('stands there once, however often it is published, until there is something new', async () => {
      await using room = await open(create);
      const first = await room.publish();
      expect(first).toMatchObject({
        code: 0,
        out: { published: [{ status: 'posted', posted: [expect.any(String)] }] },
      });
      expect(textsIn(room.daily)).toEqual([expect.stringContaining('Launch: Wallet v2')]);
      expect(await room.publish()).toMatchObject({ code: 0, out: { published: [{ status: 'nothing' }] } });
      // The digest itself is no news.
      await room.lab.ingest();
      expect(await room.publish()).toMatchObject({ code: 0, out: { published: [{ status: 'nothing' }] } });
      expect(room.daily.store.timeline).toHaveLength(1);

      room.general.post({ user: room.ada, text: 'Search 3 is live!', ts: `${Math.floor(Date.now() / 1000)}.000100` });
      await room.lab.ingest();
      await room.publish();
      expect(textsIn(room.daily)).toHaveLength(2);
      const [, second = ''] = textsIn(room.daily);
      expect(second).toContain('Search 3');
      expect(second).not.toContain('Wallet');
      expect(second).not.toContain('Who has the key');
    });

    it('of a day is posted once, again with --repost, and edited with --update', async () => {
      await using room = await open(create);
      const day = ['--date', new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)];
      await room.publish(...day);
      expect(await room.publish(...day)).toMatchObject({ code: 0, out: { published: [{ status: 'already_posted' }] } });
      expect(room.daily.store.timeline).toHaveLength(1);
      expect(await room.publish(...day, '--update', '--top', '0')).toMatchObject({
        out: { published: [{ status: 'updated' }] },
      });
      expect(room.daily.store.timeline).toHaveLength(1);
      expect(textsIn(room.daily)[0]).not.toContain('Who has the key');
      expect(await room.publish(...day, '--repost')).toMatchObject({ out: { published: [{ status: 'posted' }] } });
      expect(room.daily.store.timeline).toHaveLength(2);
    });

    it('goes to a channel by id, to a person by id or name, or where the config file says', async () => {
      await using room = await open(create);
      const { lab } = room;
      const bram = lab.acme.user('bram').id;
      await lab.run(['sync-users']);
      const to = async (target: string[], ...more: string[]) => {
        const { out, code, stderr } = await lab.run(['digest', '--publish', ...target, ...more]);
        expect({ code, stderr }).toMatchObject({ code: 0 });
        return lab.acme.channels.get(out.target);
      };
      expect(await to([room.daily.id])).toBe(room.daily);
      const direct = await to([bram]);
      expect(direct).toMatchObject({ kind: 'im' });
      expect(await to(['@bram'])).toBe(direct);
      expect(direct?.store.timeline).toHaveLength(1);
      const config = configFile('digest: { channel: daily }');
      expect(await to([], '--repost', '--config', config)).toBe(room.daily);
    });

    it('tells nothing of private channels, unless it is posted there or the config file names them', async () => {
      await using room = await open(create);
      const { lab, ada } = room;
      const deals = lab.acme.channel('deals', { kind: 'private' });
      deals.post({ user: ada, text: 'Project Falcon is live, and a secret!' });
      deals.post({ user: ada, text: 'Who knows about the secret merger yet?' });
      const root = deals.post({ user: ada, text: 'A secret thread.' });
      deals.reply(root, { user: ada, text: 'Indeed secret.' });
      const direct = lab.acme.channel('dm', { kind: 'im', members: [ada] });
      direct.post({ user: ada, text: 'Do you know the secret of the vault?' });
      await lab.ingest();
      await room.publish('--explain');
      expect(textsIn(room.daily).join()).toContain('Wallet v2');
      expect(textsIn(room.daily).join()).not.toMatch(/secret|deals|Falcon/);
      expect((await lab.run(['digest', '--publish', 'deals'])).code).toBe(0);
      expect(textsIn(deals).at(-1)).toContain('Project Falcon');
      expect(textsIn(deals).at(-1)).not.toContain('vault');
      await room.publish('--repost', '--config', configFile('digest: { private_channels: [deals] }'));
      expect(textsIn(room.daily).at(-1)).toContain('Project Falcon');
      expect(textsIn(room.daily).at(-1)).not.toContain('vault');
    });

    it('tells those of another company of their own channel only', async () => {
      await using room = await open(create);
      const shared = room.lab.acme.channel('shared', { isExternallyShared: true, raw: { is_ext_shared: true } });
      shared.post({ user: room.ada, text: 'Portal 5 is live!' });
      await room.lab.ingest();
      await room.lab.run(['digest', '--publish', 'shared']);
      expect(textsIn(shared).at(-1)).toContain('Portal 5');
      expect(textsIn(shared).at(-1)).not.toMatch(/Wallet|general/);
    });

    it('pings nobody, whatever it quotes', async () => {
      await using room = await open(create);
      const call = `<!channel> <!here> <!everyone> <@${room.ada}> <!subteam^S1|@ops> @channel @here`;
      room.general.post({ user: room.ada, text: `${call} is Wallet v9 live, or what?` });
      room.general.post({ user: room.ada, text: `${call} Wallet v9 is live!` });
      await room.lab.ingest();
      await room.publish();
      const said = textsIn(room.daily).join();
      expect(said).toContain('Wallet v9');
      expect(said).not.toMatch(/<[!@]|@(?:channel|here|everyone|ada|ops)\b/);
    });

    it('of which the answer is lost stands there once all the same', async () => {
      for (const how of ['reset', 'http'] as const) {
        await using room = await open(create);
        room.lab.slack.faults.add({ kind: 'lost', how, method: 'chat.postMessage' });
        expect(await room.publish()).toMatchObject({ code: 0, out: { published: [{ status: 'posted' }] } });
        expect(room.daily.store.timeline).toHaveLength(1);
      }
    });

    it('that could not be posted is a failed run, and the next one posts it', async () => {
      await using room = await open(create);
      room.lab.slack.faults.add({ kind: 'reset', method: 'chat.postMessage' });
      const failed = await room.publish();
      expect(failed.code).toBe(1);
      expect(failed.out.errors[0].message).toContain('whether part 1 of the digest was posted is not known');
      expect(room.daily.store.timeline).toHaveLength(0);
      expect(await room.publish()).toMatchObject({ code: 0 });
      expect(room.daily.store.timeline).toHaveLength(1);
    });

    it('is not repeated when nobody can look whether it stands there', async () => {
      await using room = await open(create);
      room.lab.slack.faults.add({ kind: 'lost', how: 'reset', method: 'chat.postMessage' });
      room.lab.slack.faults.add({ kind: 'error', error: 'not_in_channel', method: 'conversations.history', times: 2 });
      expect(await room.publish()).toMatchObject({ code: 1 });
      expect(await room.publish()).toMatchObject({ code: 1 });
      expect(room.daily.store.timeline).toHaveLength(1);
      expect(await room.publish()).toMatchObject({ code: 0 });
      expect(room.daily.store.timeline).toHaveLength(1);
    });

    it.each(['before', 'after'] as const)(
      'of which the run is killed %s the post is completed by the next one',
      async (moment) => {
        await using room = await open(create);
        const { process, result } = startCli(['digest', '--publish', '#daily'], { env: room.lab.env });
        const kill = async ({ method }: { method: string }) => {
          if (method !== 'chat.postMessage') return;
          process.kill('SIGKILL');
          await result;
        };
        const forget = moment === 'before' ? room.lab.slack.onRequest(kill) : room.lab.slack.onResponse(kill);
        expect(await result).toMatchObject({ signal: 'SIGKILL' });
        forget();
        expect(await room.publish()).toMatchObject({ code: 0 });
        expect(room.daily.store.timeline).toHaveLength(1);
        expect(textsIn(room.daily)[0]).toContain('Wallet v2');
      },
    );

    it('waits for no long rest of Slack: the run ends early, and a later one posts it', async () => {
      await using room = await open(create);
      room.lab.slack.faults.add({ kind: '429', retryAfter: 1800, method: 'chat.postMessage' });
      for (const calls of [1, 0]) {
        const limited = await room.publish();
        expect(limited).toMatchObject({ code: 3, out: { status: 'partial', errors: [] } });
        expect(limited.stderr).toMatch(/Slack wants no call of chat\.postMessage for another (?:30|31) min/);
        expect(limited.count('chat.postMessage')).toBe(calls);
      }
      expect(await room.lab.database.rows('digest_chunks')).toMatchObject([{ status: 'pending' }]);
      const dialect = await room.lab.database.open();
      await dialect.db.updateTable('rate_limits').set({ not_before_at: null }).execute();
      const later = await room.publish();
      expect(later).toMatchObject({ code: 0, out: { published: [{ status: 'posted' }, { status: 'nothing' }] } });
      expect(room.daily.store.timeline).toHaveLength(1);
    });

    it('is posted by one of two runs at once', async () => {
      await using room = await open(create);
      const both = await Promise.all([1, 2].map(() => room.lab.run(['digest', '--publish', '#daily'])));
      for (const { code } of both) expect([0, 75]).toContain(code);
      expect(both.some(({ code }) => code === 0)).toBe(true);
      expect(room.daily.store.timeline).toHaveLength(1);
    });

    it('wants the scope to post, and says which one is missing', async () => {
      await using room = await open(create);
      room.lab.world.setScopes(room.lab.acme.botToken, ['channels:read', 'channels:history', 'users:read']);
      const { code, out } = await room.publish();
      expect(code).toBe(4);
      expect(out.errors[0]).toMatchObject({ code: 'missing_scope', hint: expect.stringContaining('chat:write') });
    });

    it.each([
      ['not_in_channel', 'invite'],
      ['is_archived', ''],
      ['restricted_action', ''],
    ])('that Slack refuses with %s is a failed run, and nothing is marked as posted', async (error, hint) => {
      await using room = await open(create);
      room.lab.slack.faults.add({ kind: 'error', error, method: 'chat.postMessage' });
      const { code, out } = await room.publish();
      expect(code).toBe(1);
      expect(String(out.errors[0].hint).toLowerCase()).toContain(hint);
      expect(await room.lab.database.rows('digest_items', { where: `status = 'posted'` })).toEqual([]);
      expect(await room.publish()).toMatchObject({ code: 0 });
      expect(room.daily.store.timeline).toHaveLength(1);
    });
  });
});
