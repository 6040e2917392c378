/** Slack tells of replies and does not show them: a doubt that stays on record, and no gap of ours. */
import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';

const method = 'conversations.replies';

/** What `conversations.replies` answers from now on, for every thread. */
function showOnly(lab: Lab, keep: (message: { ts: string; thread_ts: string }) => boolean, hasMore = false): void {
  lab.slack.faults.add({
    kind: 'rewrite',
    method,
    times: Infinity,
    body: (honest) => ({
      ...honest,
      messages: (honest['messages'] as { ts: string; thread_ts: string }[]).filter(keep),
      ...(hasMore ? { has_more: true, response_metadata: { next_cursor: '' } } : {}),
    }),
  });
}

eachDatabase((create) => {
  it.each<[string, number, (message: { ts: string; thread_ts: string }) => boolean, boolean?]>([
    ['the root alone', 0, ({ ts, thread_ts }: { ts: string; thread_ts: string }) => ts === thread_ts],
    ['nothing at all', 0, () => false],
    [
      'the root alone and the word that there is more',
      0,
      ({ ts, thread_ts }: { ts: string; thread_ts: string }) => ts === thread_ts,
      true,
    ],
    ['one of them', 1, ({ ts, thread_ts }: { ts: string; thread_ts: string }) => ts === thread_ts || ts.endsWith('1')],
  ])(
    'says so when Slack counts three replies and shows %s, until it shows them',
    async (_, shows, keep, hasMore = false) => {
      await using lab = await openLab(create);
      const general = lab.acme.channel('general');
      const root = general.post({ text: 'a question' });
      for (const n of [1, 2, 3])
        general.reply(root, { ts: `${Number(root.slice(0, 10)) + n}.00000${n}`, text: `${n}` });
      general.post({ text: 'later' });
      showOnly(lab, keep, hasMore);
      const first = await lab.ingest();
      expect(first.code).toBe(0);
      expect(first.stderr).toContain('Of a thread Slack shows fewer replies than it says there are.');

      const status = (await lab.run(['status'])).out.workspaces[0];
      expect(status.channels[0].unshown_replies).toEqual([{ ts: root, says: 3, shows }]);
      const words = await runCli(['status'], { env: lab.env });
      expect(words.stdout).toContain(`thread ${root}: Slack says 3 replies and shows ${shows}`);
      for (const args of [['--offline'], []]) {
        const { code, out } = await lab.run(['verify', ...args]);
        expect({ code, gaps: out.gaps }).toEqual({ code: 0, gaps: [] });
        expect(out.unshown_replies).toEqual([{ channel_id: general.id, channel: 'general', ts: root, says: 3, shows }]);
      }
      const sound = await runCli(['verify'], { env: lab.env });
      expect(sound.stdout).toContain('whole, but for replies that Slack does not show');
      expect(sound.stdout).toContain(`#general ${root}: Slack says 3 replies and shows ${shows}.`);

      // Tried again in the next run, then ever less often.
      const tries: number[] = [];
      for (let run = 0; run < 7; run += 1) tries.push((await lab.ingest()).count(method));
      expect(tries).toEqual([1, 0, 1, 0, 0, 0, 1]);
      expect(await lab.database.rows('messages', { where: 'deleted_at is not null' })).toEqual([]);

      lab.slack.faults.clear();
      const seen = await lab.run(['verify']);
      expect(seen.out.gap_counts).toEqual({ missing: 3 - shows });
      general.reply(root, { text: 'four' });
      expect((await lab.ingest()).code).toBe(0);
      expect(await lab.database.rows('messages', { where: 'is_reply' })).toHaveLength(4);
      expect((await lab.run(['verify'])).out).toMatchObject({ gaps: [], unshown_replies: [] });
    },
  );

  it('keeps replies that it has while Slack shows none, and marks none of them deleted', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    general.post({ text: 'older' });
    const root = general.post({ text: 'a question' });
    for (const n of [1, 2, 3]) general.reply(root, { text: `${n}` });
    expect((await lab.ingest()).code).toBe(0);
    showOnly(lab, ({ ts, thread_ts }) => ts === thread_ts);
    for (let run = 0; run < 5; run += 1) expect((await lab.ingest()).code).toBe(0);
    expect(await lab.database.rows('messages', { where: 'deleted_at is not null' })).toEqual([]);
    const { code, out } = await lab.run(['verify']);
    expect(code).toBe(0);
    expect(out.unshown_replies).toMatchObject([{ ts: root, says: 3, shows: 0 }]);

    lab.slack.faults.clear();
    for (let run = 0; run < 4; run += 1) expect((await lab.ingest()).code).toBe(0);
    expect((await lab.run(['verify', '--offline'])).out.unshown_replies).toEqual([]);
  });

  it('says nothing of a thread that expired before its replies were read', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const root = general.post({ ts: lab.world.clock.daysAgo(6), text: 'a question' });
    general.reply(root, { ts: lab.world.clock.daysAgo(5), text: 'an answer' });
    const newer = general.post({ ts: lab.world.clock.daysAgo(2), text: 'newer' });
    expect((await lab.ingest('--no-threads')).code).toBe(0);
    general.expireBefore(newer);
    // That it expired may be seen after its replies were asked for: then the next run knows.
    await lab.ingest();
    for (let run = 0; run < 2; run += 1) {
      const { code, out } = await lab.ingest();
      expect({ code, errors: out.errors }).toEqual({ code: 0, errors: [] });
    }
    const { code, out } = await lab.run(['verify']);
    expect({ code, unshown: out.unshown_replies }).toEqual({ code: 0, unshown: [] });
    expect(await lab.database.rows('messages', { where: 'deleted_at is not null' })).toEqual([]);
  });

  it('says so too when Slack knows no thread where a root tells of replies', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const root = general.post({ text: 'a question' });
    general.reply(root, { text: 'an answer' });
    lab.slack.faults.add({ kind: 'error', error: 'thread_not_found', method, times: Infinity });
    await lab.ingest();
    expect((await lab.ingest()).code).toBe(0);
    const { code, out } = await lab.run(['verify', '--offline']);
    expect({ code, gaps: out.gaps }).toEqual({ code: 0, gaps: [] });
    expect(out.unshown_replies).toMatchObject([{ ts: root, says: 1, shows: 0 }]);

    lab.slack.faults.clear();
    for (let run = 0; run < 3; run += 1) expect((await lab.ingest()).code).toBe(0);
    expect(await lab.database.rows('messages', { where: 'is_reply' })).toHaveLength(1);
    expect((await lab.run(['verify'])).out).toMatchObject({ gaps: [], unshown_replies: [] });
  });
});
