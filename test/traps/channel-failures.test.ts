import { expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';
import { expectWorld } from '../support/world-rows.ts';

const codes = ['not_in_channel', 'channel_not_found', 'access_denied', 'ekm_access_denied'];

eachDatabase((create) => {
  it('reads the other channels when some refuse, says which and why, and keeps what it has of them', async () => {
    await using lab = await openLab(create);
    const bad = codes.map((code) => lab.acme.channel(code.replaceAll('_', '-')));
    const good = ['first', 'second'].map((name) => lab.acme.channel(name));
    const all = [...bad, ...good];
    for (const channel of all) channel.post({ text: 'stored before' });
    expect((await lab.ingest()).code).toBe(0);
    const badIds = bad.map(({ id }) => `'${id}'`).join(',');
    const position = { where: `channel_id in (${badIds})`, order: 'channel_id' };
    const rows = await lab.database.rows('messages', position);
    const coverage = await lab.database.rows('coverage', position);
    const ignored = { ...position, without: ['last_checked_at', 'last_error'] };
    const states = await lab.database.rows('ingestion_state', ignored);

    for (const channel of all) channel.post({ text: 'new' });
    codes.forEach((error, n) => {
      lab.slack.faults.add({ kind: 'error', error, channel: bad[n]?.id ?? '', times: Infinity });
    });
    const run = await lab.ingest();
    expect(run.code).toBe(3);
    expect(run.out).toMatchObject({ status: 'partial', channels: { total: 6, ok: 2, failed: 4, skipped: 0 } });
    await expectWorld(lab.database, good);
    expect(await lab.database.rows('messages', position)).toEqual(rows);
    expect(await lab.database.rows('coverage', position)).toEqual(coverage);
    expect(await lab.database.rows('ingestion_state', ignored)).toEqual(states);
    // Not worth a retry, neither now nor in disguise.
    expect(bad.map(({ id }) => run.count(undefined, id))).toEqual([1, 1, 1, 1]);

    codes.forEach((code, n) => {
      const error = run.out.errors.find((entry: { channel_id: string }) => entry.channel_id === bad[n]?.id);
      expect(error).toMatchObject({ channel: bad[n]?.name, code, message: expect.stringMatching(/\w/) });
      expect(run.stderr).toContain(bad[n]?.name);
    });

    const where = `run_id = '${run.out.run_id}'`;
    const perChannel = await lab.database.rows('run_channels', { where });
    expect(perChannel).toHaveLength(6);
    codes.forEach((code, n) => {
      const row = perChannel.find(({ channel_id }) => channel_id === bad[n]?.id);
      expect(row).toMatchObject({ status: 'failed', error: expect.stringContaining(code) });
    });
    const [record] = await lab.database.rows('runs', { where });
    expect(record).toMatchObject({ status: 'partial', exit_code: 3 });
    const noted = await lab.database.rows('ingestion_state', position);
    for (const { last_error } of noted) expect(codes.some((code) => String(last_error).includes(code))).toBe(true);

    lab.slack.faults.clear();
    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, all);
    const healed = await lab.database.rows('ingestion_state');
    expect(healed.map(({ last_error }) => last_error)).toEqual(all.map(() => null));
  });

  it('says for each refused channel what to do next', async () => {
    await using lab = await openLab(create);
    for (const error of codes) {
      const channel = lab.acme.channel(error.replaceAll('_', '-'));
      lab.slack.faults.add({ kind: 'error', error, channel: channel.id });
    }
    const run = await lab.ingest();
    const hints = new Map(run.out.errors.map(({ code, hint }: { code: string; hint: string | null }) => [code, hint]));
    expect(hints.get('not_in_channel')).toContain('/invite');
    expect(codes.filter((code) => !hints.get(code))).toEqual([]);
  });

  it('prints the failed channels for people too, and fails when no channel could be read', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    general.post({ text: 'out of reach' });
    lab.slack.faults.add({ kind: 'error', error: 'access_denied', channel: general.id, times: Infinity });
    const run = await runCli(['ingest'], { env: lab.env });
    expect(run.code).toBe(1);
    expect(run.stdout).toContain('general');
    expect(run.stdout).toContain('1 failed');
    expect(await lab.database.rows('messages')).toEqual([]);
  });
});
