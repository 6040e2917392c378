import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';
import { expectWorld } from '../support/world-rows.ts';

const history = 'conversations.history';
const replies = 'conversations.replies';

eachDatabase((create) => {
  it('stores no message that a rule of the config file discards, counts them per rule, and still reads the threads', async () => {
    await using lab = await openLab(create);
    const folder = mkdtempSync(join(tmpdir(), 'slackingest-config-'));
    try {
      const config = join(folder, 'config.yaml');
      writeFileSync(
        config,
        `discard:
  - { field: subtype, op: in, value: [channel_join, channel_leave], note: comings and goings }
  - { field: bot_profile.name, op: eq, value: Noisy }
  - { field: text, op: regex, value: "^secret:" }
`,
      );
      const general = lab.acme.channel('general');
      const keep = general.post({ text: 'keep me' });
      const ann = lab.acme.user('ann').id;
      general.join(ann);
      general.leave(ann);
      general.post({ subtype: 'bot_message', bot_id: 'B1', bot_profile: { name: 'Noisy' }, text: 'beep' });
      general.post({ subtype: 'bot_message', bot_id: 'B2', bot_profile: { name: 'Quiet' }, text: 'boop' });
      const root = general.post({ text: 'secret: the plan' });
      const kept = general.reply(root, { text: 'an open answer' });
      general.reply(root, { text: 'secret: another' });

      const args = ['ingest', '--config', config];
      const run = await lab.run(args);
      expect(run.code).toBe(0);
      expect(run.out.discarded_by_rule).toMatchObject({ 'comings and goings': 2, 'bot_profile.name eq "Noisy"': 1 });
      // The root is shown by history and again by replies.
      const secrets = run.out.discarded_by_rule['text regex /^secret:/u'];
      expect(secrets).toBeGreaterThanOrEqual(2);
      expect(run.out.messages.discarded).toBe(3 + secrets);
      const stored = await lab.database.rows('messages', { order: 'ts' });
      expect(stored.map(({ text }) => text)).toEqual(['keep me', 'boop', 'an open answer']);
      expect(stored.map(({ ts }) => ts)).toEqual([keep, expect.any(String), kept]);
      // The rule itself, which is configuration, stands in the record of the run.
      for (const table of ['messages', 'message_revisions', 'threads', 'runs'])
        expect(JSON.stringify(await lab.database.rows(table))).not.toMatch(/secret: (?:the plan|another)/);

      general.reply(root, { text: 'a later answer' });
      const next = await lab.run(args);
      expect(next.count(replies)).toBe(1);
      expect(next.out.messages).toMatchObject({ inserted: 1 });
      const unchanged = await lab.run(args);
      expect(unchanged.count(replies)).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('reads only the channels that are asked for, and says so when one of them does not exist', async () => {
    await using lab = await openLab(create);
    const channels = ['general', 'proj-one', 'proj-two', 'proj-secret', 'random'].map((name) => lab.acme.channel(name));
    const [general, one, two, secret, random] = channels;
    for (const channel of channels) channel.post({ text: `in ${channel.name}` });

    const run = await lab.ingest('--channel', '#general', '--channel', 'PROJ-*', '--exclude', 'proj-secret');
    expect(run.code).toBe(0);
    expect(run.out.channels).toMatchObject({ total: 3, ok: 3 });
    expect([secret, random].map((channel) => run.count(undefined, channel?.id))).toEqual([0, 0]);
    const stored = await lab.database.rows('messages');
    expect(new Set(stored.map(({ channel_id }) => channel_id))).toEqual(new Set([general?.id, one?.id, two?.id]));

    const unknown = await lab.ingest('--channel', 'no-such-channel', '--channel', random?.id ?? '');
    expect(unknown.code).toBe(3);
    expect(unknown.out.errors).toMatchObject([{ channel: 'no-such-channel', code: 'channel_not_found' }]);
    expect(unknown.out.errors[0].message).toContain('no-such-channel');
    expect(unknown.count(history)).toBeGreaterThanOrEqual(1);
    expect(
      unknown.requests
        .filter(({ params }) => params['channel'])
        .every(({ params }) => params['channel'] === random?.id),
    ).toBe(true);

    const alone = await runCli(['ingest', '--channel', 'no-such-channel'], { env: lab.env });
    expect(alone.code).toBe(1);
    expect(alone.stdout + alone.stderr).toContain('no-such-channel');
    const refused = await runCli(['ingest', '--exclude', ''], { env: lab.env });
    expect(refused.code).toBe(2);
  });

  it('leaves the replies for a later run when threads are not wanted', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    for (let n = 0; n < 3; n += 1) general.reply(general.post({ text: `root ${n}` }), { text: `reply ${n}` });
    const first = await lab.ingest('--no-threads');
    expect(first.code).toBe(0);
    expect(first.count(replies)).toBe(0);
    expect(first.out.threads).toMatchObject({ read: 0, pending: 3 });
    expect(await lab.database.rows('messages')).toHaveLength(3);

    // Without a look-back window nothing but the remembered queue leads to the threads.
    const second = await lab.ingest('--lookback', '0s');
    expect(second.code).toBe(0);
    expect(second.out.threads).toMatchObject({ read: 3, pending: 0 });
    await expectWorld(lab.database, [general]);
    expect((await lab.ingest()).count(replies)).toBe(0);
  });

  it('joins public channels only when told to, and never private or archived ones', async () => {
    await using lab = await openLab(create);
    const join = 'conversations.join';
    const open = lab.acme.channel('open', { isMember: false });
    const archived = lab.acme.channel('archived', { isMember: false, isArchived: true });
    const hidden = lab.acme.channel('hidden', { isMember: false, kind: 'private' });
    const mine = lab.acme.channel('mine');
    for (const channel of [open, archived, hidden, mine]) channel.post({ text: `in ${channel.name}` });

    const without = await lab.ingest();
    expect(without.code).toBe(0);
    expect(without.count(join)).toBe(0);
    expect(without.out.channels).toMatchObject({ total: 3, ok: 1, skipped: 2 });
    expect(await lab.database.rows('messages')).toHaveLength(1);

    // One that was named and cannot be read is a failure, not a channel without messages.
    const named = await lab.ingest('--channel', 'open', '--channel', 'mine');
    expect(named.code).toBe(3);
    expect(named.out.errors).toMatchObject([
      { channel: 'open', code: 'not_in_channel', hint: expect.stringContaining('--join') },
    ]);

    const rehearsed = await lab.ingest('--join', '--dry-run');
    expect(rehearsed.count(join)).toBe(0);

    const joined = await lab.ingest('--join');
    expect(joined.code).toBe(0);
    expect(joined.requests.filter(({ method }) => method === join).map(({ params }) => params['channel'])).toEqual([
      open.id,
    ]);
    await expectWorld(lab.database, [open, mine]);
    expect((await lab.ingest('--join')).count(join)).toBe(0);
  });
});
