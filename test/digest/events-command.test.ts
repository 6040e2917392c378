/** Events, from what people wrote to what the command tells. */
import { describe, expect, it } from 'vitest';
import { configFile } from '../support/config-file.ts';
import { eachDatabase, type TestDatabase } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';

/** A Wednesday. */
const noon = Date.parse('2026-03-11T12:00:00Z');
const day = ['--date', '2026-03-11'];

async function open(create: () => Promise<TestDatabase>): Promise<{ lab: Lab; ada: string; bram: string }> {
  const lab = await openLab(create, { start: noon });
  const [ada = '', bram = ''] = ['ada', 'bram'].map((name) => lab.acme.user(name, { timezone: 'Europe/Berlin' }).id);
  return { lab, ada, bram };
}

async function digestOf(lab: Lab, ...args: string[]) {
  const { code, out, stderr } = await lab.run(['digest', ...args], { env: { SLACK_TOKEN: undefined } });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return out.digest;
}

const ingest = (lab: Lab) => lab.ingest('--backfill-from', '2026-01-01');

eachDatabase((create) => {
  describe('events', () => {
    it('are told where they belong: what happened, what is coming up, what is announced for later', async () => {
      const { lab, ada } = await open(create);
      await using _ = lab;
      const general = lab.acme.channel('general');
      const live = general.post({ user: ada, text: 'Wallet v2 is live for all customers! INV-1024' });
      general.post({ user: ada, text: 'We deploy the billing service to production tomorrow at 10:00.' });
      general.post({ user: ada, text: 'The webinar on pricing takes place on 20 May at 17:00.' });
      general.post({ user: ada, text: 'Should we deploy the search service tomorrow?' });
      await ingest(lab);
      const { events, upcoming, announced } = await digestOf(lab, ...day);
      expect(events).toMatchObject([
        {
          title: 'Launch: Wallet v2 (INV-1024)',
          status: 'completed',
          sources: [
            {
              channel: 'general',
              permalink: `https://acme.slack.com/archives/${general.id}/p${live.replace('.', '')}`,
            },
          ],
        },
      ]);
      // In Berlin, where its author lives.
      expect(upcoming).toMatchObject([
        { action: 'Deploy', status: 'planned', environment: 'prod', start: '2026-03-12T09:00:00.000Z' },
      ]);
      expect(announced).toMatchObject([{ action: 'Webinar', start: '2026-05-20T15:00:00.000Z' }]);
      const without = await digestOf(lab, ...day, '--upcoming', '0');
      expect(without.upcoming).toEqual([]);
    });

    it('follow what their message says: edited, and taken back', async () => {
      const { lab, ada } = await open(create);
      await using _ = lab;
      const general = lab.acme.channel('general');
      const first = general.post({ user: ada, text: 'The billing release is on Friday.' });
      const second = general.post({ user: ada, text: 'Payments API is down.' });
      for (let n = 0; n < 3; n += 1) general.post({ user: ada, text: `Chatter ${n}.` });
      await ingest(lab);
      expect((await digestOf(lab, ...day)).upcoming).toMatchObject([{ start: '2026-03-12T23:00:00.000Z' }]);
      const [before] = await lab.database.rows('events', { where: `action = 'Launch'` });
      general.edit(first, { text: 'The billing release is on Monday.' });
      general.deleteMessage(second);
      await lab.ingest('--lookback', '3650d');
      const { upcoming, events } = await digestOf(lab, ...day);
      expect(upcoming).toMatchObject([{ start: '2026-03-15T23:00:00.000Z' }]);
      expect(events).toEqual([]);
      const [after] = await lab.database.rows('events');
      expect(after?.['event_id']).toBe(before?.['event_id']);
    });

    it('of several messages are one, with every message behind it, and the same when nothing changes', async () => {
      const { lab, ada, bram } = await open(create);
      await using _ = lab;
      const general = lab.acme.channel('general');
      const ops = lab.acme.channel('ops');
      general.post({ user: ada, text: 'The launch of Wallet v2 (INV-1024) is on Friday at 10:00.' });
      ops.post({ user: bram, text: 'Reminder: launch of Wallet v2 (INV-1024) on Friday 10:00' });
      await ingest(lab);
      const { upcoming } = await digestOf(lab, ...day);
      expect(upcoming).toHaveLength(1);
      expect(upcoming[0].sources.map(({ channel }: { channel: string }) => channel)).toEqual(['general', 'ops']);
      const tables = ['events', 'event_sources', 'event_candidates'] as const;
      const before = await Promise.all(tables.map((table) => lab.database.rows(table, { order: '1, 2, 3' })));
      await digestOf(lab, ...day);
      expect(await Promise.all(tables.map((table) => lab.database.rows(table, { order: '1, 2, 3' })))).toEqual(before);
    });

    it('that were called off or put off later are told no more as they were planned', async () => {
      const { lab, ada, bram } = await open(create);
      await using _ = lab;
      const general = lab.acme.channel('general');
      general.post({ user: ada, text: 'The launch of Iris is on Friday.' });
      general.post({ user: ada, text: 'The Kafka upgrade takes place on Thursday at 9:00.' });
      lab.world.clock.advance(86_400);
      general.post({ user: bram, text: 'Launch of Iris postponed to 18 March.' });
      general.post({ user: bram, text: 'Kafka upgrade is cancelled.' });
      await ingest(lab);
      const { upcoming, events } = await digestOf(lab, '--date', '2026-03-12');
      expect(upcoming).toMatchObject([
        { title: 'Launch: Iris', status: 'postponed', start: '2026-03-17T23:00:00.000Z' },
      ]);
      expect(events).toMatchObject([{ title: 'Migration: Kafka', status: 'canceled' }]);
    });

    it('of one name are one entry, as far along as the last message has it, and other days are other entries', async () => {
      const { lab, ada, bram } = await open(create);
      await using _ = lab;
      const general = lab.acme.channel('general');
      const ops = lab.acme.channel('ops');
      const hours = (count: number) => lab.world.clock.advance(count * 3600);
      const down = ops.post({ user: ada, text: 'Checkout is down' });
      hours(1);
      const back = general.post({ user: bram, text: 'Checkout is back up.' });
      general.post({ user: ada, text: 'The all-hands is on Friday at 15:00.' });
      ops.post({ user: bram, text: 'Reminder: all-hands on Friday at 15:00' });
      general.post({ user: ada, text: 'Deploy of billing is done.' });
      hours(3);
      general.post({ user: ada, text: 'Deploy of billing is done.' });
      await ingest(lab);
      const { events, upcoming } = await digestOf(lab, ...day);
      const [incident, ...deploys] = events;
      const at = (ts: string) => new Date(Number(ts) * 1000).toISOString();
      expect(incident).toMatchObject({ status: 'completed', sources: [{ ts: down }, { ts: back }] });
      expect([incident.start, incident.end].map((time) => time.slice(0, 19))).toEqual(
        [down, back].map((ts) => at(ts).slice(0, 19)),
      );
      expect(deploys).toMatchObject([{ title: 'Deploy: billing' }, { title: 'Deploy: billing' }]);
      expect(upcoming).toMatchObject([{ title: 'All-hands', sources: [{ channel: 'general' }, { channel: 'ops' }] }]);
      const { explanation } = await digestOf(lab, ...day, '--explain');
      expect(explanation.events.filter(({ chosen }: { chosen: boolean }) => !chosen)).toMatchObject([
        { reason: expect.stringMatching(/^told again later, see the event /) },
      ]);
    });

    it('of a whole day are of that day wherever the reader is', async () => {
      const { lab, ada } = await open(create);
      await using _ = lab;
      lab.acme.channel('general').post({ user: ada, text: 'The company offsite is on Friday.' });
      await ingest(lab);
      await digestOf(lab, ...day);
      // In Berlin the day begins while it is still Thursday in UTC.
      expect(await digestOf(lab, '--date', '2026-03-12')).toMatchObject({
        events: [],
        upcoming: [{ days_only: true }],
      });
      expect(await digestOf(lab, '--date', '2026-03-13')).toMatchObject({
        events: [{ days_only: true }],
        upcoming: [],
      });
      for (const zone of ['America/Los_Angeles', 'Asia/Tokyo'])
        expect((await digestOf(lab, '--date', '2026-03-13', '--tz', zone)).events).toHaveLength(1);
    });

    it('are told of a time as it was known then', async () => {
      const { lab, ada } = await open(create);
      await using _ = lab;
      const general = lab.acme.channel('general');
      general.post({ user: ada, text: 'Something else.' });
      lab.world.clock.advance(2 * 86_400);
      general.post({ user: ada, text: 'The webinar on pricing takes place on Monday at 17:00.' });
      await ingest(lab);
      expect((await digestOf(lab, '--date', '2026-03-13')).upcoming).toHaveLength(1);
      expect((await digestOf(lab, ...day)).upcoming).toEqual([]);
    });

    it('of a private channel are never one with those of a public one', async () => {
      const { lab, ada } = await open(create);
      await using _ = lab;
      const text = 'The launch of Wallet v2 (INV-1024) is on Friday at 10:00.';
      lab.acme.channel('general').post({ user: ada, text });
      lab.acme.channel('deals', { kind: 'private' }).post({ user: ada, text });
      await ingest(lab);
      expect((await digestOf(lab, ...day)).upcoming).toHaveLength(2);
    });

    it('are chosen by category, confidence and importance, as many as asked for, and --explain says why', async () => {
      const { lab, ada } = await open(create);
      await using _ = lab;
      const general = lab.acme.channel('general');
      general.post({ user: ada, text: 'Checkout is down, sev1' });
      general.post({ user: ada, text: 'Wallet v2 is live!' });
      general.post({ user: ada, text: 'Search 3 is live!' });
      await ingest(lab);
      const actions = async (...flags: string[]) =>
        (await digestOf(lab, ...day, ...flags)).events.map(({ action }: { action: string }) => action);
      expect(await actions('--category', 'risk')).toEqual(['Incident']);
      expect(await actions('--category', 'risk', '--category', 'product')).toHaveLength(3);
      expect(await actions('--min-importance', '50')).toEqual(['Incident']);
      expect(await actions('--max-events', '1')).toEqual(['Incident']);
      expect(await actions('--min-confidence', '0.99')).toEqual([]);
      const { explanation } = await digestOf(lab, ...day, '--max-events', '1', '--explain');
      expect(
        explanation.events.map(({ chosen, reason }: { chosen: boolean; reason: string }) => [chosen, reason]),
      ).toEqual(
        expect.arrayContaining([
          [true, 'number 1 of 3 by importance in "events"'],
          [false, 'number 3 by importance; only 1 are shown'],
        ]),
      );
      expect(explanation.candidates).toHaveLength(3);
    });

    it('are scored as the config file says, and again when it says something else', async () => {
      const { lab, ada } = await open(create);
      await using _ = lab;
      lab.acme.channel('general').post({ user: ada, text: 'Wallet v2 is live!' });
      lab.acme.channel('bots').post({ bot_id: 'B1', subtype: 'bot_message', text: 'Search 3 is live!' });
      await ingest(lab);
      const run = async (yaml: string) => {
        const { explanation } = (await lab.run(['digest', ...day, '--explain', '--config', configFile(yaml)])).out
          .digest;
        return Object.fromEntries(
          explanation.candidates.map(
            ({ channel, score, status }: { channel: string; score: number; status: string }) => [
              channel,
              [score, status],
            ],
          ),
        );
      };
      expect(await run('scoring: { keywords: [wallet] }')).toEqual({
        general: [10, 'rules_ok'],
        bots: [-15, 'skipped'],
      });
      expect(await run('scoring: { keywords: [wallet], weights: { keyword: 3 }, trusted_bots: [B1] }')).toEqual({
        general: [3, 'rules_ok'],
        bots: [0, 'rules_ok'],
      });
      expect(await run('scoring: { keywords: [], channels: [{ channel: bots, threshold: -20 }] }')).toEqual({
        general: [0, 'rules_ok'],
        bots: [-15, 'rules_ok'],
      });
      expect(await run('scoring: { keywords: [wallet], threshold: 11 }')).toMatchObject({ general: [10, 'skipped'] });
    });

    it('take their names from the object registry, and their weights from the config file', async () => {
      const { lab, ada } = await open(create);
      await using _ = lab;
      lab.acme.channel('general').post({ user: ada, text: 'Wallet v2 is live!' });
      await ingest(lab);
      const objects = configFile('objects: { core.wallet: [Wallet v2] }');
      const yaml = `digest: { objects: ${JSON.stringify(objects)} }\nimportance: { category: { product: 50 } }\n`;
      expect((await lab.run(['digest', ...day, '--config', configFile(yaml)])).code).toBe(0);
      expect(await lab.database.rows('events')).toMatchObject([{ object_id: 'core.wallet', importance: 68 }]);
    });

    it('leave nothing behind in a dry run', async () => {
      const { lab, ada } = await open(create);
      await using _ = lab;
      lab.acme.channel('general').post({ user: ada, text: 'Wallet v2 is live!' });
      await ingest(lab);
      const { events } = await digestOf(lab, ...day, '--dry-run');
      expect(events).toHaveLength(1);
      for (const table of ['events', 'event_candidates', 'event_sources'])
        expect(await lab.database.rows(table)).toEqual([]);
      expect(await lab.database.rows('runs', { where: `command = 'digest'` })).toEqual([]);
    });
  });
});
