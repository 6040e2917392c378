/** digest --publish: which stretch of time a digest tells of, to whom, and what of it nobody may see. */
import { describe, expect, it } from 'vitest';
import type { Channel } from '../stand-in/channel.ts';
import { configFile } from '../support/config-file.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';

/** A ts so many seconds before now. */
function secondsAgo(seconds: number, fraction = 100): string {
  return `${Math.floor(Date.now() / 1000) - seconds}.${String(fraction).padStart(6, '0')}`;
}

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
  general.post({ user: ada, text: 'Wallet v2 is live for all customers!', ts: secondsAgo(7200) });
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

function textsIn(channel: Channel): string[] {
  return channel.store.timeline.map(({ body }) => String(body));
}

eachDatabase((create) => {
  describe('a published digest', () => {
    it('ends where Slack was last read, and the next one tells of what was written since', async () => {
      await using room = await open(create);
      const [read] = await room.lab.database.rows('runs', { where: "command = 'ingest'" });
      room.general.post({ user: room.ada, text: 'Search 3 is live!', ts: secondsAgo(0) });
      const first = await room.publish();
      expect(first.out.digest.window.to).toBe(read?.['started_at']);
      await room.lab.ingest();
      await room.publish();
      expect(textsIn(room.daily)).toHaveLength(2);
      expect(textsIn(room.daily)[1]).toContain('Search 3');
    });

    it('tells of messages that the last one could not know', async () => {
      await using room = await open(create);
      await room.publish();
      room.general.post({ user: room.ada, text: 'Portal 7 is live!', ts: secondsAgo(3600) });
      // Its history was read up to now; this is what an import or a channel that failed leaves behind.
      await room.lab.run(['backfill', '--from', new Date(Date.now() - 86_400_000).toISOString()]);
      await room.lab.run(['verify', '--repair']);
      await room.lab.ingest();
      const second = await room.publish();
      expect(second.out.digest.activity.late).toMatchObject({ messages: 1 });
      expect(textsIn(room.daily)[1]).toContain('Portal 7');
      await room.lab.ingest();
      expect(await room.publish()).toMatchObject({ out: { published: [{ status: 'nothing' }] } });
    });

    it('tells of further replies to the same thread, and of what --top had left out', async () => {
      await using room = await open(create);
      const bram = room.lab.acme.user('bram').id;
      const root = room.general.post({ user: room.ada, text: 'A thread that sleeps.', ts: secondsAgo(5 * 86_400) });
      for (const [n, text] of ['one', 'two', 'three'].entries())
        room.general.post({ user: room.ada, text: `Who knows ${text} of these?`, ts: secondsAgo(600, n + 1) });
      await room.lab.ingest();
      await room.publish('--top', '1');
      const asked = (text = '') => ['one', 'two', 'three'].filter((n) => text.includes(`Who knows ${n}`));
      expect(asked(textsIn(room.daily)[0])).toEqual(['one']);
      for (const times of [1, 2]) {
        room.general.reply(root, { user: bram, text: `Reply ${times}.`, ts: secondsAgo(0, times) });
        await room.lab.ingest();
        await room.publish();
        expect(textsIn(room.daily)[times]).toContain('A thread that sleeps');
      }
    });

    it('of some channels or kinds leaves the rest to others', async () => {
      await using room = await open(create);
      room.lab.acme.channel('deploys').post({ user: room.ada, text: 'Auth 3.0 is live!', ts: secondsAgo(600) });
      await room.lab.ingest();
      await room.publish('--channel', 'general');
      expect(textsIn(room.daily)[0]).toContain('Wallet v2');
      expect(textsIn(room.daily)[0]).not.toContain('Auth');
      await room.publish();
      expect(textsIn(room.daily)[1]).toContain('Auth 3.0');
      expect(textsIn(room.daily)[1]).not.toContain('Launch: Wallet');
    });

    it('of a day is edited only as that day', async () => {
      await using room = await open(create);
      const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
      room.general.post({ user: room.ada, text: 'Who knows?', ts: secondsAgo(2 * 86_400) });
      await room.lab.ingest();
      await room.publish('--from', day(5), '--to', day(2));
      const before = textsIn(room.daily);
      const { code, out } = await room.publish('--from', day(8), '--to', day(6), '--update');
      expect(code).toBe(1);
      expect(out.errors[0].message).toContain('no posted digest of this window');
      expect(textsIn(room.daily)).toEqual(before);
      expect(await room.publish('--update', '--top', '0')).toMatchObject({
        out: { published: [{ status: 'updated' }] },
      });
    });

    it('can be looked at before, as its readers will see it', async () => {
      await using room = await open(create);
      room.lab.acme
        .channel('deals', { kind: 'private' })
        .post({ user: room.ada, text: 'Falcon 1 is live!', ts: secondsAgo(60) });
      await room.lab.ingest();
      const { code, out } = await room.publish('--dry-run');
      expect(code).toBe(0);
      expect(JSON.stringify(out.digest)).toContain('Wallet v2');
      expect(JSON.stringify(out.digest)).not.toMatch(/Falcon|deals/);
      expect(await room.lab.database.rows('digests')).toEqual([]);
      expect(textsIn(room.daily)).toEqual([]);
    });

    it('that is posted once more and cut off is posted once more, not twice', async () => {
      await using room = await open(create);
      await room.publish();
      room.lab.slack.faults.add({ kind: 'reset', method: 'chat.postMessage' });
      expect(await room.publish('--repost')).toMatchObject({ code: 1 });
      expect(await room.publish('--repost')).toMatchObject({ code: 0 });
      expect(textsIn(room.daily)).toHaveLength(2);
      expect(await room.publish('--repost')).toMatchObject({ code: 0 });
      expect(textsIn(room.daily)).toHaveLength(3);
    });

    it('asks Slack who reads a place that was never copied', async () => {
      await using room = await open(create);
      const { lab } = room;
      const shared = lab.acme.channel('shared', { isExternallyShared: true, raw: { is_ext_shared: true } });
      const guest = lab.acme.user('gus', { kind: 'guest' }).id;
      const direct = lab.acme.channel('', { kind: 'im', members: [guest] });
      const own = lab.acme.channel('own');
      for (const target of [shared.id, guest, direct.id]) {
        const { code, out } = await lab.run(['digest', '--publish', target, '--lock-timeout', '10s']);
        expect({ code, published: out.published }).toMatchObject({ code: 0, published: [{ status: 'nothing' }] });
      }
      expect(await lab.run(['digest', '--publish', own.id])).toMatchObject({ code: 0 });
      expect(textsIn(own)[0]).toContain('Wallet v2');
    });

    it('goes to one place: a pattern is none', async () => {
      await using room = await open(create);
      const { code, stderr } = await room.lab.run(['digest', '--publish', 'da*']);
      expect(code).toBe(2);
      expect(stderr).toContain('may mean several channels');
      expect(textsIn(room.daily)).toEqual([]);
    });

    it('keeps direct messages even where all private channels may be told of', async () => {
      await using room = await open(create);
      const { lab, ada } = room;
      lab.acme.channel('deals', { kind: 'private' }).post({ user: ada, text: 'Falcon 1 is live!', ts: secondsAgo(60) });
      lab.acme
        .channel('dm', { kind: 'im', members: [ada] })
        .post({ user: ada, text: 'Vault 2 is live!', ts: secondsAgo(60) });
      await lab.ingest();
      await room.publish('--config', configFile('digest: { private_channels: ["*"] }'));
      expect(textsIn(room.daily)[0]).toContain('Falcon 1');
      expect(textsIn(room.daily)[0]).not.toContain('Vault');
    });

    it('tells neither the names of private channels nor what is quoted from them', async () => {
      await using room = await open(create);
      const { lab, ada } = room;
      const deals = lab.acme.channel('topsecret', { kind: 'private' });
      room.general.post({ user: ada, text: `Who can read <#${deals.id}|topsecret> these days?`, ts: secondsAgo(60) });
      room.general.post({
        user: ada,
        text: '',
        ts: secondsAgo(50),
        attachments: [
          { is_msg_unfurl: true, channel_id: deals.id, text: 'SEV1: the vault is down', fallback: 'vault' },
        ],
      });
      await lab.ingest();
      await room.publish();
      expect(textsIn(room.daily)[0]).toContain('#private-channel');
      expect(textsIn(room.daily)[0]).not.toMatch(/topsecret|vault/);
    });
  });
});
