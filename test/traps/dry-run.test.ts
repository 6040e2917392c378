import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { dump, expectWorld } from '../support/world-rows.ts';

eachDatabase((create, name) => {
  it('writes nothing at all in a dry run, and yet tells what a run would do', async () => {
    await using lab = await openLab(create);
    const file = lab.database.url.replace('sqlite:', '');
    const channels = ['general', 'random'].map((channel) => lab.acme.channel(channel));
    const stranger = lab.acme.user('stranger', { kind: 'external' }).id;
    for (const channel of channels) channel.reply(channel.post({ text: 'hello' }), { user: stranger, text: 'hi' });

    const onNothing = await lab.ingest('--dry-run');
    expect(onNothing.code).toBe(0);
    expect(onNothing.out).toMatchObject({ run_id: null, status: 'completed', channels: { ok: 2 } });
    expect(onNothing.out.messages).toMatchObject({ inserted: 2 });
    expect(onNothing.count('conversations.history')).toBeGreaterThanOrEqual(2);
    if (name === 'sqlite') expect(existsSync(file)).toBe(false);
    else await expect(lab.database.rows('messages')).rejects.toThrow();

    expect((await lab.ingest()).code).toBe(0);
    for (const channel of channels) {
      channel.post({ text: 'new' });
      channel.edit(channel.expectedMessages()[0]?.['ts'] as string, { text: 'edited' });
    }
    const bytes = name === 'sqlite' ? readFileSync(file) : null;
    const rows = await dump(lab.database);
    const run = await lab.ingest('--dry-run');
    expect(run.code).toBe(0);
    expect(run.out.messages).toMatchObject({ inserted: 2, updated: 2 });
    expect(await dump(lab.database)).toBe(rows);
    if (bytes !== null) expect(readFileSync(file).equals(bytes)).toBe(true);

    const real = await lab.ingest();
    expect(real.out.messages).toMatchObject({ inserted: 2, updated: 2 });
    await expectWorld(lab.database, channels);
  });

  it('stops when its requests are used up, says what is left, and completes in later runs', async () => {
    await using lab = await openLab(create);
    const channels = Array.from({ length: 5 }, (_, n) => {
      const channel = lab.acme.channel(`channel-${n}`);
      channel.post({ text: 'hello' });
      return channel;
    });
    const first = await lab.ingest('--max-requests', '4');
    expect(first.code).toBe(3);
    expect(first.count()).toBe(4);
    expect(first.out).toMatchObject({ status: 'partial', errors: [], remaining: { channels: expect.any(Number) } });
    expect(first.out.remaining.channels).toBeGreaterThanOrEqual(3);
    const [record] = await lab.database.rows('runs');
    expect(record).toMatchObject({ status: 'partial', exit_code: 3 });

    // Two requests find out what there is, two are left for channels: those that were read last must not come first.
    for (let runs = 0; runs < 2; runs += 1) expect((await lab.ingest('--max-requests', '4')).count()).toBe(4);
    const stored = await lab.database.rows('messages');
    expect(stored).toHaveLength(5);

    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, channels);
  });
});
