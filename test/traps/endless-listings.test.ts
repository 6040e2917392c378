/** Slack may send short and empty pages; cursors that lead on for ever and bring nothing must end somewhere. */
import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/model.ts';
import { eachDatabase } from '../support/databases.ts';
import { openLab } from '../support/lab.ts';
import { expectWorld } from '../support/world-rows.ts';

/** Always one more page, with a cursor nobody has seen. */
function endless(key: string, elements: JsonObject[] = []): () => JsonObject {
  let n = 0;
  return () => {
    n += 1;
    return { ok: true, [key]: elements, has_more: true, response_metadata: { next_cursor: `page-${n}` } };
  };
}

eachDatabase((create) => {
  it('fails a channel whose history is 200 empty pages and one more, and reads it when Slack comes to its senses', async () => {
    await using lab = await openLab(create);
    const [bad, good] = [lab.acme.channel('bad'), lab.acme.channel('good')];
    for (const channel of [bad, good]) channel.post({ text: 'hello' });
    const method = 'conversations.history';
    lab.slack.faults.add({ kind: 'rewrite', method, channel: bad.id, times: Infinity, body: endless('messages') });

    const run = await lab.ingest();
    expect(run.code).toBe(3);
    expect(run.out.errors).toMatchObject([{ channel: 'bad', code: 'no_progress' }]);
    expect(run.count(method, bad.id)).toBe(201);
    await expectWorld(lab.database, [good]);

    lab.slack.faults.clear();
    expect((await lab.ingest()).code).toBe(0);
    await expectWorld(lab.database, [bad, good]);
  });

  it('stores the messages although the listing of users never ends, and says that it did not', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    general.post({ text: 'hello' });
    lab.slack.faults.add({ kind: 'rewrite', method: 'users.list', times: Infinity, body: endless('members') });
    const run = await lab.ingest();
    expect(run.code).toBe(3);
    expect(run.out.errors).toMatchObject([
      { channel: null, code: 'no_progress', message: expect.stringContaining('users.list') },
    ]);
    expect(run.count('users.list')).toBe(201);
    await expectWorld(lab.database, [general]);

    lab.slack.faults.clear();
    expect((await lab.ingest()).code).toBe(0);
    expect(await lab.database.rows('users')).toHaveLength(1);
  });

  it('does not take the same entries over and over for progress', async () => {
    await using lab = await openLab(create);
    const general = lab.acme.channel('general');
    const body = endless('channels', [{ id: general.id, name: 'general', is_channel: true, is_member: true }]);
    lab.slack.faults.add({ kind: 'rewrite', method: 'conversations.list', times: Infinity, body });
    const run = await lab.ingest();
    expect(run.code).toBe(1);
    expect(run.out.errors).toMatchObject([
      { code: 'no_progress', message: expect.stringContaining('conversations.list') },
    ]);
    expect(run.count('conversations.list')).toBe(202);
  });
});
