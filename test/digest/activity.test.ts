/** What people did in a window, as the command tells it. */
import { describe, expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';

const dayMs = 86_400_000;
/** A Wednesday, noon. */
const noon = Date.parse('2026-03-11T12:00:00Z');

eachDatabase((create) => {
  describe('activity', () => {
    it('counts messages, people and threads per channel against the stretch before', async () => {
      await using lab = await openLab(create, { start: noon - dayMs });
      const [ada = '', bram = ''] = ['ada', 'bram'].map((name) => lab.acme.user(name).id);
      const general = lab.acme.channel('general');
      const quiet = lab.acme.channel('quiet');
      general.post({ user: ada, text: 'One, the day before.' });
      quiet.post({ user: ada, text: 'Only before.' });
      lab.world.clock.advance(dayMs / 1000);
      const root = general.post({ user: ada, text: 'Two.' });
      general.reply(root, { user: bram, text: 'Three.' });
      general.reply(root, { user: ada, text: 'Four.' });
      general.post({ bot_id: 'B1', text: 'Five, of a bot.', subtype: 'bot_message' });
      general.post({ user: bram, subtype: 'channel_topic', text: 'set the topic' });
      await lab.ingest('--backfill-from', '2026-01-01');

      const { activity } = await digestOf(lab, '--from', '2026-03-11T00:00:00Z', '--to', '2026-03-12T00:00:00Z');
      expect(activity).toMatchObject({
        now: { messages: 4, people: 2, threads: 1 },
        before: { messages: 2, people: 1, threads: 0 },
      });
      expect(activity.channels).toMatchObject([
        { name: 'general', kind: 'public', now: { messages: 4, people: 2, threads: 1 }, before: { messages: 1 } },
        { name: 'quiet', now: { messages: 0 }, before: { messages: 1 } },
      ]);
    });

    it('ranks threads by replies, people and reactions, with the address of each', async () => {
      await using lab = await openLab(create, { start: noon });
      const [ada = '', bram = '', chiara = ''] = ['ada', 'bram', 'chiara'].map((name) => lab.acme.user(name).id);
      const general = lab.acme.channel('general');
      const small = general.post({ user: ada, text: 'Small' });
      general.reply(small, { user: bram, text: 'One reply.' });
      const large = general.post({ user: ada, text: `Large <@${bram}> &amp; co` });
      for (const user of [bram, chiara, ada]) general.reply(large, { user, text: 'Mine.' });
      general.react(large, 'tada', [bram, chiara]);
      await lab.ingest('--backfill-from', '2026-01-01');

      const { activity } = await digestOf(lab, '--date', '2026-03-11', '--top', '5');
      expect(activity.threads).toMatchObject([
        {
          text: 'Large @bram & co',
          author: 'ada',
          replies: 3,
          people: 3,
          reactions: 2,
          permalink: `https://acme.slack.com/archives/${general.id}/p${large.replace('.', '')}`,
        },
        { text: 'Small', replies: 1, people: 1, reactions: 0 },
      ]);
      const one = await digestOf(lab, '--date', '2026-03-11', '--top', '1');
      expect(one.activity.threads).toHaveLength(1);
    });

    it('lists the questions that nobody else has answered', async () => {
      await using lab = await openLab(create, { start: noon });
      const [ada = '', bram = ''] = ['ada', 'bram'].map((name) => lab.acme.user(name).id);
      const general = lab.acme.channel('general');
      general.post({ user: ada, text: 'Does anybody have the key of the lab?' });
      const answered = general.post({ user: ada, text: 'Who is on call this week?' });
      general.reply(answered, { user: bram, text: 'Me.' });
      const talkedToHerself = general.post({ user: ada, text: 'Where did I put my notes?' });
      general.reply(talkedToHerself, { user: ada, text: 'Still looking.' });
      const answeredByApp = general.post({ user: ada, text: 'Who can reset a password?' });
      general.reply(answeredByApp, { bot_id: 'B1', subtype: 'bot_message', text: 'A ticket was made.' });
      general.post({ user: ada, text: 'Look at https://example.com/?q=what and `is this?` please' });
      general.post({ user: ada, text: 'Right?' });
      general.post({ bot_id: 'B1', subtype: 'bot_message', text: 'Did you know that bots ask too?' });
      await lab.ingest('--backfill-from', '2026-01-01');

      const { activity } = await digestOf(lab, '--date', '2026-03-11');
      expect(texts(activity.questions)).toEqual([
        'Does anybody have the key of the lab?',
        'Where did I put my notes?',
        'Who can reset a password?',
      ]);
    });

    it('tells of new channels and new members, and not of old ones who join another channel', async () => {
      await using lab = await openLab(create, { start: noon - 10 * dayMs });
      const ada = lab.acme.user('ada').id;
      const general = lab.acme.channel('general', { raw: { is_general: true } });
      general.post({ user: ada, text: 'Hello.' });
      lab.world.clock.advance((10 * dayMs) / 1000);
      const newcomer = lab.acme.user('nia').id;
      general.join(newcomer);
      const project = lab.acme.channel('project-x', { created: noon / 1000, creator: ada, purpose: 'All about X' });
      project.members.delete(ada);
      project.join(ada);
      await lab.ingest('--backfill-from', '2026-01-01');

      const { activity } = await digestOf(lab, '--date', '2026-03-11');
      expect(activity.new_channels).toMatchObject([
        { name: 'project-x', created_at: '2026-03-11T12:00:00.000Z', creator: 'ada', purpose: 'All about X' },
      ]);
      expect(activity.new_members).toMatchObject([{ user_id: newcomer, name: 'nia' }]);
    });

    it('tells of replies, edits and deletions of older messages that became known in the window', async () => {
      await using lab = await openLab(create);
      const [ada = '', bram = ''] = ['ada', 'bram'].map((name) => lab.acme.user(name).id);
      const general = lab.acme.channel('general');
      const root = general.post({ user: ada, text: 'A thread that sleeps.' });
      general.reply(root, { user: bram, text: 'First.' });
      const edited = general.post({ user: ada, text: 'The office opens at 8.' });
      const deleted = general.post({ user: ada, text: 'A secret that slipped out.' });
      for (let n = 0; n < 3; n += 1) general.post({ user: ada, text: `Chatter ${n}.` });
      await lab.ingest();
      const since = new Date().toISOString();
      general.edit(edited, { text: 'The office opens at 9.' });
      general.deleteMessage(deleted);
      general.reply(root, { user: bram, text: 'Second, much later.' });
      await lab.ingest();

      const { activity } = await digestOf(lab, '--from', since, '--top', '10');
      expect(activity.late).toMatchObject({ replies: 1, edits: 1, deletions: 1 });
      const items = [...activity.late.items].sort((a, b) => (a.what < b.what ? -1 : 1));
      expect(items).toMatchObject([
        { what: 'deletion', ts: deleted, text: '' },
        { what: 'edit', ts: edited, text: 'The office opens at 9.', before: 'The office opens at 8.' },
        { what: 'replies', ts: root, count: 1 },
      ]);
      // Nothing became known since.
      const later = await digestOf(lab, '--from', new Date().toISOString());
      expect(later.activity.late).toMatchObject({ replies: 0, edits: 0, deletions: 0 });
    });

    it('keeps to the channels that were asked for', async () => {
      await using lab = await openLab(create, { start: noon });
      const ada = lab.acme.user('ada').id;
      lab.acme.channel('general').post({ user: ada, text: 'Is this the one that counts?' });
      lab.acme.channel('random').post({ user: ada, text: 'Or is it this one here?' });
      await lab.ingest('--backfill-from', '2026-01-01');
      const { activity } = await digestOf(lab, '--date', '2026-03-11', '--channel', 'general');
      expect(activity.channels.map(({ name }: { name: string }) => name)).toEqual(['general']);
      expect(texts(activity.questions)).toEqual(['Is this the one that counts?']);
    });

    it('prints no page for channels that there are not, lest it look like a quiet day', async () => {
      await using lab = await openLab(create, { start: noon });
      lab.acme.channel('general').post({ user: lab.acme.user('ada').id, text: 'Anything but quiet.' });
      await lab.ingest('--backfill-from', '2026-01-01');
      const env = { SLACK_TOKEN: undefined };
      const none = await lab.run(['digest', '--channel', 'genral'], { env });
      expect(none).toMatchObject({ code: 1, out: { channels: { total: 0 } } });
      expect(none.stderr).toContain('There is no channel "genral" in the database');
      const some = await lab.run(['digest', '--date', '2026-03-11', '--channel', 'genral', '--channel', 'general'], {
        env,
      });
      expect(some).toMatchObject({ code: 3, out: { channels: { total: 1, ok: 1 } } });
    });
  });
});

async function digestOf(lab: Awaited<ReturnType<typeof openLab>>, ...args: string[]) {
  const { code, out, stderr } = await lab.run(['digest', ...args], { env: { SLACK_TOKEN: undefined } });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return out.digest;
}

function texts(items: { text: string }[]): string[] {
  return items.map(({ text }) => text);
}
