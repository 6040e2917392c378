import { expect, it } from 'vitest';
import type { Fault } from '../stand-in/faults.ts';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

const broken: Fault[] = [
  { kind: 'truncated' },
  { kind: 'truncated', transfer: 'chunked' },
  { kind: 'reset' },
  { kind: 'html' },
  { kind: 'broken-json' },
  { kind: 'http', status: 500 },
  { kind: 'http', status: 503 },
  { kind: 'error', error: 'internal_error' },
];
const methods = ['auth.test', 'conversations.list', 'conversations.replies', 'users.list', 'users.info'];

eachDatabase((create) => {
  it('tries again whatever breaks an answer, in every method, and stores each message once', async () => {
    await using lab = await openLab(create);
    const stranger = lab.acme.user('stranger', { kind: 'external' });
    const channels = broken.map((fault, n) => {
      const channel = lab.acme.channel(`channel-${n}`);
      const root = channel.post({ text: 'x'.repeat(5000) });
      channel.reply(root, { text: 'a reply', user: stranger.id });
      lab.slack.faults.add({ ...fault, method: 'conversations.history', channel: channel.id });
      return channel;
    });
    broken.forEach((fault, n) => {
      // The second round of faults meets the second try.
      const nth = 1 + Math.floor(n / methods.length);
      lab.slack.faults.add({ ...fault, method: methods[n % methods.length] ?? '', nth });
    });

    const run = await lab.ingest();
    expect(run.out.errors).toEqual([]);
    expect(run.code).toBe(0);
    expect(run.out.requests).toMatchObject({
      'auth.test': 3,
      'conversations.list': 3,
      'users.list': 2,
      'users.info': 2,
    });
    for (const { id } of channels) expect(run.count('conversations.history', id)).toBeGreaterThanOrEqual(2);
    await expectWorld(lab.database, channels);
    expect(run.out.messages.inserted).toBe(channels.length * 2);
  });

  it('gives one channel up when its answers stay broken, stores nothing of them and reads it the next time', async () => {
    await using lab = await openLab(create, { thinPages: ({ limit }) => Math.min(limit, 4) });
    const [bad, good] = [lab.acme.channel('bad'), lab.acme.channel('good')];
    for (const channel of [bad, good])
      for (let n = 0; n < 10; n += 1) channel.post({ text: `message ${n} ${'x'.repeat(200)}` });
    // The first page comes through, the second never does.
    lab.slack.faults.add({ kind: 'truncated', channel: bad.id, nth: 2, times: Infinity });

    const run = await lab.ingest();
    expect(run.code).toBe(3);
    expect(run.out.channels).toMatchObject({ ok: 1, failed: 1 });
    expect(run.out.errors).toMatchObject([{ channel: 'bad' }]);
    expect(run.count('conversations.history', bad.id)).toBe(7);
    expect(await lab.database.rows('messages', { where: `channel_id = '${bad.id}'` })).toHaveLength(4);
    await expectWorld(lab.database, [good]);

    lab.slack.faults.clear();
    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [bad, good]);
  });

  it('stores the rest of a page that holds something which is no message, and says so', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    general.post({ text: 'a message' });
    lab.acme.channel('random').post({ text: 'another' });
    lab.slack.faults.add({
      kind: 'rewrite',
      channel: general.id,
      body: (honest) => ({
        ...honest,
        messages: [null, { text: 'no ts' }, ...(honest['messages'] as []), { ts: 12.5 }],
      }),
    });
    const run = await lab.ingest();
    expect(run.code).toBe(3);
    expect(run.out.errors.map(({ code }: { code: string }) => code)).toEqual(Array(3).fill('malformed_message'));
    await expectWorld(lab.database, [general]);
  });
});
