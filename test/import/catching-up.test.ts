/** After an import, `ingest` finds what happened since, in what was imported too, and takes nothing for what it is not. */
import { expect, it } from 'vitest';
import { exportWorld } from '../exports/export-world.ts';
import { configFile } from '../support/config-file.ts';
import { eachDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { dayBefore, expectSameMessages, imported, postDaily, tsOn } from './import-lab.ts';

const replies = 'conversations.replies';

async function deletedIn(lab: Lab): Promise<unknown[]> {
  const rows = await lab.database.rows('messages', { where: 'deleted_at is not null', order: 'channel_id, ts' });
  return rows.map(({ ts }) => ts);
}

async function row(lab: Lab, ts: string) {
  const [found] = await lab.database.rows('messages', { where: `ts = '${ts}'` });
  return found;
}

async function expectClean(lab: Lab, ...args: string[]): Promise<void> {
  const run = await lab.ingest(...args);
  expect({ code: run.code, errors: run.out.errors }).toEqual({ code: 0, errors: [] });
}

eachDatabase((create) => {
  it('finds in the first run what was edited within the look-back and what was answered since', async () => {
    await using lab = await openLab(create);
    const ann = lab.acme.user('ann').id;
    const general = lab.acme.channel('general');
    const daily = postDaily(general, 60, 3);
    const [recent = '', root = ''] = [daily.at(-2), daily.at(-3)];
    general.reply(root, { ts: tsOn(4), text: 'in the export' });
    expect((await imported(lab, exportWorld(lab.acme))).code).toBe(0);

    general.edit(recent, { text: 'said otherwise' });
    general.react(recent, 'eyes', ann);
    const late = general.reply(root, { text: 'after the export' });
    const fresh = general.post({ text: 'new' });
    await expectClean(lab);
    expect(await row(lab, recent)).toMatchObject({ text: 'said otherwise', source: 'api' });
    expect(await lab.database.rows('message_revisions')).toMatchObject([{ ts: recent, text: 'said 4 days ago' }]);
    expect(await lab.database.rows('reactions')).toMatchObject([{ ts: recent, name: 'eyes', user_id: ann }]);
    expect(await row(lab, late)).toMatchObject({ thread_ts: root });
    expect(await row(lab, fresh)).toBeDefined();
    expect(await deletedIn(lab)).toEqual([]);
    await expectSameMessages(lab, [general]);
  });

  it('finds what was edited, deleted and answered long ago within some runs, and marks nothing else deleted', async () => {
    await using lab = await openLab(create, { thinPages: ({ limit }) => Math.min(limit, 40) });
    lab.acme.user('ann');
    const general = lab.acme.channel('general');
    const daily = postDaily(general, 200, 3);
    const [edited = '', deleted = '', answered = '', unanswered = ''] = [daily[50], daily[80], daily[90], daily[100]];
    general.reply(answered, { ts: tsOn(100, 30), text: 'first' });
    const gone = general.reply(answered, { ts: tsOn(99, 30), text: 'second' });
    expect((await imported(lab, exportWorld(lab.acme))).code).toBe(0);
    general.edit(edited, { text: 'rewritten' });
    general.deleteMessage(deleted);
    general.deleteMessage(gone);
    const late = general.reply(unanswered, { text: 'half a year later' });

    for (let run = 1; run <= 6; run += 1) await expectClean(lab);
    expect(await row(lab, edited)).toMatchObject({ text: 'rewritten' });
    expect(await row(lab, late)).toMatchObject({ thread_ts: unanswered });
    expect(await deletedIn(lab)).toEqual([deleted, gone]);
    await expectSameMessages(lab, [general]);
    expect((await lab.run(['verify'])).out).toMatchObject({ status: 'completed', gaps: [] });
  });

  it('leaves alone what the token cannot see, and fails on none of it', async () => {
    await using lab = await openLab(create);
    const [ann, bob] = ['ann', 'bob'].map((name) => lab.acme.user(name).id);
    const general = lab.acme.channel('general');
    const secret = lab.acme.channel('secret', { kind: 'private', isMember: false });
    const dm = lab.acme.channel('dm', { kind: 'im', isMember: false, members: [ann ?? '', bob ?? ''] });
    const mpim = lab.acme.channel('mpdm-ann--bob-1', { kind: 'mpim', isMember: false });
    const elsewhere = lab.acme.channel('not-joined', { isMember: false });
    const hidden = [secret, dm, mpim, elsewhere];
    for (const channel of [general, ...hidden]) {
      const [root = ''] = postDaily(channel, 40, 3);
      channel.reply(root, { ts: tsOn(39), text: 'a reply' });
    }
    const files = exportWorld(lab.acme);
    // Of the export, but of no list and no Slack: a folder that somebody kept.
    files.push({
      path: 'attic/2019-05-05.json',
      content: '[{"type":"message","user":"U1","text":"old","ts":"1557086400.000100"}]',
    });
    expect((await imported(lab, files)).code).toBe(0);
    expect(await lab.database.rows('channels')).toHaveLength(6);

    for (let run = 1; run <= 5; run += 1) await expectClean(lab);
    for (const args of [
      ['verify'],
      ['verify', '--offline'],
      ['ingest', '--plan'],
      ['status'],
      ['backfill', '--from', dayBefore(90)],
    ]) {
      const run = await lab.run(args);
      expect({ args, code: run.code, errors: run.out.errors ?? [], gaps: run.out.gaps ?? [] }).toEqual({
        args,
        code: 0,
        errors: [],
        gaps: [],
      });
      for (const channel of hidden) expect(run.count(undefined, channel.id)).toBe(0);
    }
    expect(await deletedIn(lab)).toEqual([]);
    await expectSameMessages(lab, [general, ...hidden]);
  });

  it('reads no replies of a thread that the export holds whole, and those of one that it does not', async () => {
    await using lab = await openLab(create);
    lab.acme.user('ann');
    const general = lab.acme.channel('general');
    const daily = postDaily(general, 60, 3);
    const [whole = '', cut = ''] = [daily[20], daily[30]];
    for (let n = 1; n <= 3; n += 1) general.reply(whole, { ts: tsOn(35 - n, 5), text: `whole ${n}` });
    for (let n = 1; n <= 3; n += 1) general.reply(cut, { ts: tsOn(25 - n, 5), text: `cut ${n}` });
    const files = exportWorld(lab.acme).map((file) => {
      if (!String(file.content).includes('cut 2')) return file;
      const messages = JSON.parse(String(file.content)).filter(({ text }: { text: string }) => text !== 'cut 2');
      return { ...file, content: JSON.stringify(messages) };
    });
    const run = await imported(lab, files);
    expect(run.out.threads).toEqual({ incomplete: 1 });
    // What is read again though nothing tells of a change has a budget of its own.
    const config = configFile('audit_requests: 0');
    const first = await lab.ingest('--config', config);
    expect(first.requests.filter(({ method }) => method === replies).map(({ params }) => params['ts'])).toEqual([cut]);
    await expectSameMessages(lab, [general]);
    for (let run = 1; run <= 2; run += 1) expect((await lab.ingest('--config', config)).count(replies)).toBe(0);
    const again = await imported(lab, files);
    expect(again.out).toMatchObject({
      messages: { inserted: 0, updated: 0, unchanged: 63 },
      threads: { incomplete: 0 },
    });
    expect((await lab.ingest('--config', config)).count(replies)).toBe(0);
  });

  it('marks a reply deleted that an export brings and that Slack no longer showed when the thread was read', async () => {
    await using lab = await openLab(create);
    lab.acme.user('ann');
    const general = lab.acme.channel('general');
    const [root = '', alone = ''] = postDaily(general, 60, 3);
    const kept = general.reply(root, { ts: tsOn(50), text: 'kept' });
    const gone = general.reply(root, { ts: tsOn(49), text: 'gone' });
    const files = exportWorld(lab.acme);
    general.deleteMessage(gone);
    general.deleteMessage(alone);
    await expectClean(lab, '--backfill-from', dayBefore(61));
    expect((await imported(lab, files)).code).toBe(0);
    expect(await deletedIn(lab)).toEqual([]);
    for (let run = 1; run <= 4; run += 1) await expectClean(lab, '--backfill-from', dayBefore(61));
    expect(await deletedIn(lab)).toEqual([alone, gone]);
    expect(await row(lab, kept)).toMatchObject({ deleted_at: null });
    expect((await lab.run(['verify'])).out).toMatchObject({ status: 'completed', gaps: [] });

    // And it stays so, however often the export comes.
    expect((await imported(lab, files)).code).toBe(0);
    expect(await deletedIn(lab)).toEqual([alone, gone]);
  });
});
