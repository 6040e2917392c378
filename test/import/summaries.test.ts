/** The numbers that people read add up, and say what anybody would see. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exportWorld } from '../exports/export-world.ts';
import { createSqlite, eachDatabase } from '../support/databases.ts';
import { openExportLab } from '../support/export-lab.ts';
import { openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';
import { imported, postDaily } from './import-lab.ts';

/** Every message that was found is in one of the counts of what became of it. */
function accountedFor({
  messages,
  found,
}: {
  messages: Record<string, number>;
  found: Record<string, number>;
}): number {
  const { seen: _, ...became } = messages;
  return [...Object.values(became), found['repeated'] ?? 0, found['refused'] ?? 0].reduce((sum, n) => sum + n, 0);
}

const ts = fc.integer({ min: 0, max: 5 }).map((n) => `170491680${n}.000100`);
const count = fc.constantFrom<unknown>(1, 2, 2.5, -1, 3_000_000_001.5, 1e300, '3', null, 'many');
const message = fc.record({
  ts,
  user: fc.constantFrom('U0A', 'U0B'),
  text: fc.constantFrom('one', 'two', 'three'),
  reactions: fc.array(fc.record({ name: fc.constantFrom('tada', 'eyes'), count, users: fc.constant(['U0A']) }), {
    maxLength: 2,
  }),
});

it('accounts for every message found, however often it stands in the export', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(message, { maxLength: 8 }), { minLength: 1, maxLength: 3 }), async (days) => {
      await using lab = await openExportLab(createSqlite);
      const files = [
        { path: 'channels.json', content: JSON.stringify([{ id: 'C0GENERAL', name: 'general' }]) },
        { path: 'users.json', content: JSON.stringify([{ id: 'U0A', team_id: 'T0ACME', name: 'a' }]) },
        ...days.map((day, n) => ({ path: `general/2024-01-1${n}.json`, content: JSON.stringify(day) })),
      ];
      const { out } = await lab.import(files);
      expect(out.found.messages).toBe(days.flat().length);
      expect(accountedFor(out)).toBe(out.found.messages);
      expect(Number.isSafeInteger(out.found.reactions)).toBe(true);
    }),
    { numRuns: 6 },
  );
});

it('tells of copies and of what Slack calls a number in words', async () => {
  await using lab = await openExportLab(createSqlite);
  const one = {
    ts: '1704916800.000100',
    user: 'U0A',
    text: 'one',
    reactions: [{ name: 'eyes', count: 3_000_000_001.5, users: ['U0A'] }],
  };
  const path = lab.unpacked([
    { path: 'channels.json', content: JSON.stringify([{ id: 'C0GENERAL', name: 'general' }]) },
    { path: 'users.json', content: JSON.stringify([{ id: 'U0A', team_id: 'T0ACME', name: 'a' }]) },
    { path: 'general/2024-01-10.json', content: JSON.stringify([one, one, one]) },
  ]);
  const { stdout } = await runCli(['import', path], { env: lab.env });
  expect(stdout).toContain('found     3 messages in 1 conversation');
  expect(stdout).toContain('3 reactions');
  expect(stdout).toContain('stored    1 new, 0 changed, 0 deleted, 0 unchanged, 2 found more than once');
});

eachDatabase((create) => {
  it('calls nothing changed of which only the source has', async () => {
    await using lab = await openLab(create);
    const user = lab.acme.user('ann').id;
    const general = lab.acme.channel('general');
    const [first = ''] = postDaily(general, 12, 3);
    general.reply(first, { user, text: 'a reply' });
    general.react(first, 'tada', [user]);
    expect((await imported(lab, exportWorld(lab.acme))).code).toBe(0);
    const run = await lab.ingest('--lookback', '30d');
    expect(run.code).toBe(0);
    expect(run.out.messages).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
    const rows = await lab.database.rows('messages', { where: `ts = '${first}'` });
    expect(rows).toMatchObject([{ source: 'api' }]);
  });
});
