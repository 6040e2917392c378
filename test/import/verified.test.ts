/** What is whole is found whole, whoever brought it; `status` and `--plan` tell what an import left to do. */
import { expect, it } from 'vitest';
import { dayFile, exportFolder, exportWorld } from '../exports/export-world.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { dayBefore, imported, postDaily, tsOn, without } from './import-lab.ts';

const history = 'conversations.history';

/** A channel with one of everything, and its export. */
async function labWithTalk(create: () => Promise<TestDatabase>) {
  const lab = await openLab(create);
  const ann = lab.acme.user('ann').id;
  const general = lab.acme.channel('general');
  const daily = postDaily(general, 60, 3);
  const [root = '', loved = '', edited = '', buried = ''] = daily;
  for (let n = 1; n <= 3; n += 1) general.reply(root, { ts: tsOn(50 - n, 5), text: `reply ${n}` });
  general.reply(root, { ts: tsOn(45, 5), text: 'to all' }, { broadcast: true });
  general.react(loved, 'tada', ann);
  general.edit(edited, { text: 'edited' });
  general.reply(buried, { ts: tsOn(44, 5), text: 'left over' });
  general.deleteMessage(buried);
  general.post({ ts: tsOn(43, 5), text: 'a file', files: [{ id: 'F0A', name: 'a.pdf', mode: 'hosted', created: 1 }] });
  general.post({
    ts: tsOn(42, 5),
    subtype: 'bot_message',
    bot_id: 'B0BOT',
    username: 'Bot',
    text: '',
    attachments: [{ id: 1, fallback: 'red', text: 'red' }],
  });
  return { lab, ann, general, daily, files: exportWorld(lab.acme) };
}

async function expectWhole(lab: Lab): Promise<void> {
  for (const args of [['verify', '--offline'], ['verify']]) {
    const { code, out } = await lab.run(args);
    expect({ args, code, gaps: out.gaps, errors: out.errors }).toEqual({ args, code: 0, gaps: [], errors: [] });
  }
}

eachDatabase((create) => {
  it('finds nothing amiss after an import alone, after an ingest that follows, and after one before', async () => {
    const { lab, files } = await labWithTalk(create);
    await using _ = lab;
    expect((await imported(lab, files)).code).toBe(0);
    await expectWhole(lab);
    expect((await lab.ingest('--backfill-from', dayBefore(61))).code).toBe(0);
    await expectWhole(lab);

    await using other = await create();
    const env = { env: { DATABASE_URL: other.url } };
    for (const args of [
      ['ingest', '--backfill-from', dayBefore(61)],
      ['import', exportFolder(files)],
      ['verify', '--offline'],
      ['verify'],
    ]) {
      const { code, out } = await lab.run(args, env);
      expect({ args, code, gaps: out.gaps ?? [] }).toEqual({ args, code: 0, gaps: [] });
    }
  });

  it('finds what Slack shows otherwise than the export said', async () => {
    const { lab, ann, general, daily, files } = await labWithTalk(create);
    await using _ = lab;
    expect((await imported(lab, files)).code).toBe(0);
    expect((await lab.ingest('--backfill-from', dayBefore(61))).code).toBe(0);
    const [, , , , changed = '', reacted = '', gone = ''] = daily;
    general.change(changed, (message) => ({ ...message, text: 'changed without an edit' }));
    general.react(reacted, 'eyes', ann);
    general.deleteMessage(gone);
    const { code, out } = await lab.run(['verify']);
    const found = out.gaps.map(({ kind, ts }: { kind: string; ts: string }) => [ts, kind]);
    expect(found.sort()).toEqual([
      [changed, 'differs'],
      [reacted, 'differs'],
      [gone, 'not_marked_deleted'],
    ]);
    expect(code).toBe(3);
    expect((await lab.run(['verify', '--repair'])).code).toBe(3);
    expect((await lab.ingest()).code).toBe(0);
    await expectWhole(lab);
  });

  it('shows in status what was imported, and plans what is left', async () => {
    const { lab, general, files } = await labWithTalk(create);
    await using _ = lab;
    const lost = dayFile(general, dayBefore(20));
    const quiet = await imported(lab, without(files, lost));
    expect(quiet.code).toBe(0);
    const status = await lab.run(['status']);
    expect(status.code).toBe(0);
    const workspace = status.out.workspaces[0];
    expect(workspace.runs).toMatchObject([{ command: 'import', status: 'completed' }]);
    expect(workspace).toMatchObject({
      channels_not_read: 0,
      totals: { channels: 1, messages: quiet.out.found.messages },
    });
    const [channel] = workspace.channels;
    expect(channel).toMatchObject({ name: 'general', error: null, last_checked_at: null });
    expect(channel.coverage).toMatchObject([{ source: 'import' }, { source: 'import' }]);

    const plan = await lab.run(['ingest', '--plan', '--backfill-from', dayBefore(58)]);
    expect({ code: plan.code, calls: plan.count(history) }).toEqual({ code: 0, calls: 0 });
    expect(plan.out.plan).toMatchObject({ holes: 1, requests: { [history]: 2 } });
    const run = await lab.ingest('--backfill-from', dayBefore(58));
    expect(run.count(history)).toBe(2);

    const after = await lab.run(['status']);
    const [read] = after.out.workspaces[0].channels;
    expect(read).toMatchObject({ holes: [], messages: general.expectedMessages().length });
    // All of it in one piece, whoever vouches for which part.
    expect(read.complete_from <= `${dayBefore(57)}T00:00:00.000Z`).toBe(true);
    const text = await lab.run(['status', '--no-color']);
    expect(text.code).toBe(0);
  });
});
