/**
 * Exports of one workspace give the same rows, whatever their order, however often and in which form they come.
 * ORDERS=50 tries more, ORDER_SEED=7 begins elsewhere.
 */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/model.ts';
import { successiveExports } from '../exports/random-export.ts';
import { Random } from '../stand-in/random.ts';
import { eachDatabase } from '../support/databases.ts';
import { openExportLab } from '../support/export-lab.ts';
import type { Stored } from '../support/stored.ts';

const count = Number(process.env['ORDERS'] ?? 1);
const first = Number(process.env['ORDER_SEED'] ?? 1);

interface Step {
  index: number;
  form: 'zip' | 'folder';
}

/** The exports in another order, some of them twice. */
function someOrder(exports: number, random: Random): Step[] {
  const once = Array.from({ length: exports }, (_, index) => index);
  const again = once.filter(() => random.chance(0.3));
  const left = [...once, ...again];
  const order: Step[] = [];
  while (left.length > 0) {
    const [index = 0] = left.splice(random.below(left.length), 1);
    order.push({ index, form: random.chance(0.5) ? 'zip' : 'folder' });
  }
  return order;
}

/** Of several objects with the same former words the one that came last is kept; the words do not depend on the order. */
function withoutFormerObjects(rows: Stored): Stored {
  const revisions = (rows['message_revisions'] ?? []).map(({ raw: _, ...revision }) => revision);
  return { ...rows, message_revisions: revisions.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}

describe('successive exports of a workspace, in any order, some of them twice, as zip and as folder', () => {
  eachDatabase((create) => {
    for (let seed = first; seed < first + count; seed += 1) {
      it(`give the same rows (seed ${seed})`, async () => {
        const random = new Random(seed);
        const exports = successiveExports(seed, 3 + random.below(2), { unlisted: random.chance(0.3) });
        const inOrder = exports.map((_, index): Step => ({ index, form: 'zip' }));
        const orders = [inOrder, someOrder(exports.length, random), someOrder(exports.length, random)];
        const results = [];
        for (const order of orders) {
          await using lab = await openExportLab(create);
          for (const { index, form } of order) {
            const files = exports[index] ?? [];
            const run = await lab.import(form === 'zip' ? lab.zip(files) : lab.unpacked(files));
            expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
          }
          results.push({
            order: order.map(({ index, form }) => `${index} ${form}`).join(', '),
            rows: withoutFormerObjects(await lab.rows()),
          });
        }
        const [expected, ...others] = results;
        for (const { order, rows } of others) expect({ order, ...rows }).toEqual({ order, ...expected?.rows });
      }, 120_000);
    }
  });
});

/** A root with a reply, as an export has it, and the same after somebody deleted the root. */
const root = { type: 'message', user: 'U1', ts: '1700000001.000100', thread_ts: '1700000001.000100' };
const said = { ...root, text: 'what I said', reply_count: 1, latest_reply: '1700000002.000100' };
const deleted = { ...root, user: 'USLACKBOT', subtype: 'tombstone', text: 'This message was deleted.', hidden: true };
const reply = { ...root, ts: '1700000002.000100', text: 'an answer' };

eachDatabase((create) => {
  it.each([
    ['with its counts', { ...deleted, reply_count: 1, latest_reply: reply.ts }],
    ['without them', deleted],
  ])('a root and its tombstone %s give the same rows in either order', async (_, tombstone: JsonObject) => {
    const exportOf = (messages: JsonObject[]) => [
      { path: 'channels.json', content: JSON.stringify([{ id: 'C0000001', name: 'general' }]) },
      { path: 'users.json', content: JSON.stringify([{ id: 'U1', team_id: 'T0000001', name: 'ann' }]) },
      { path: 'general/2023-11-14.json', content: JSON.stringify(messages) },
    ];
    const before = exportOf([said, reply]);
    const after = exportOf([tombstone, reply, { type: 'message', user: 'U1', text: 'later', ts: '1700000009.000100' }]);
    const rows = [];
    for (const order of [
      [before, after],
      [after, before],
    ]) {
      await using lab = await openExportLab(create);
      for (const files of order) expect((await lab.import(files)).code).toBe(0);
      rows.push(await lab.rows());
    }
    expect(rows[1]).toEqual(rows[0]);
    expect(rows[0]?.['messages']?.[0]).toMatchObject({ text: said.text, deleted_at: expect.anything() });
    expect(rows[0]?.['threads']).toMatchObject([{ is_pending: false }]);
  });
});
