/** Each way in which a database can be wrong is planted, found by its own kind, and mended by --repair and one run. */
import { afterAll, expect, it } from 'vitest';
import { eachDatabase } from '../support/databases.ts';
import { content, openVault, type Planted, type Vault } from './vault.ts';

interface Defect {
  what: string;
  /** Statements, or anything else done to the database or to Slack. */
  plant: (planted: Planted, vault: Vault) => string[];
  /** The kinds of gaps that the database alone shows. */
  offline: string[];
  /** The kinds that a comparison with Slack adds. */
  online?: string[];
}

const at = (table: string, ts: string) => `from ${table} where ts = '${ts}'`;

/** The same statements leave no trace in the counts: as if the rows had never been stored. */
const uncount = (n: number) => `update stored_counts set message_rows = message_rows - ${n}`;

const defects: Defect[] = [
  {
    what: 'a removed message',
    plant: ({ plain }) => [`delete ${at('messages', plain)}`],
    offline: ['lost_rows'],
    online: ['missing'],
  },
  {
    what: 'a removed reply',
    plant: ({ replies }) => [`delete ${at('messages', replies[1] ?? '')}`],
    offline: ['lost_rows', 'missing_replies'],
    online: ['missing'],
  },
  {
    what: 'a checkpoint moved over messages that were never read',
    plant: (_, { channel }) => {
      const ts = channel.post({ ts: channel.workspace.world.clock.daysAgo(5), text: 'Skipped.' });
      const next = channel.post({ ts: channel.workspace.world.clock.daysAgo(4), text: 'Skipped too.' });
      return [
        `update ingestion_state set last_ts = '${next}' where channel_id = '${channel.id}'`,
        `update coverage set to_ts = '${next}' where channel_id = '${channel.id}' and to_ts < '${ts}'`,
      ];
    },
    offline: ['checkpoint'],
    online: ['missing', 'missing'],
  },
  {
    what: 'a checkpoint outside of what is covered',
    plant: ({ last }) => [`update ingestion_state set last_ts = '9999999999.000100' where last_ts = '${last}'`],
    offline: ['checkpoint'],
  },
  {
    what: 'coverage that was never read',
    plant: (_, { channel }) => {
      const { clock } = channel.workspace.world;
      const early = clock.daysAgo(200);
      for (const days of [190, 180, 170]) channel.post({ ts: clock.daysAgo(days), text: 'Long ago.' });
      return [
        `update ingestion_state set oldest_ts = '${early}' where channel_id = '${channel.id}'`,
        `update coverage set from_ts = '${early}' where channel_id = '${channel.id}'`,
      ];
    },
    offline: [],
    online: ['missing', 'missing', 'missing'],
  },
  {
    what: 'coverage that ends before it begins',
    plant: ({ last }) => [`update coverage set to_ts = '1000000000.000000' where to_ts = '${last}'`],
    offline: ['coverage'],
  },
  {
    what: 'intervals that overlap',
    plant: ({ reacted, last }, { channel }) => [
      `insert into coverage (team_id, channel_id, from_ts, to_ts, source, audited_at)
        select team_id, channel_id, '${reacted}', to_ts, source, audited_at from coverage
        where channel_id = '${channel.id}' and to_ts = '${last}'`,
    ],
    offline: ['coverage'],
  },
  {
    what: 'coverage in the future',
    plant: ({ last }) => [`update coverage set to_ts = '9999999999.000000' where to_ts = '${last}'`],
    offline: ['coverage'],
  },
  {
    what: 'a hole in what is covered',
    plant: ({ root, reacted, last }, { channel }) => [
      `insert into coverage (team_id, channel_id, from_ts, to_ts, source, audited_at)
        select team_id, channel_id, '${reacted}', to_ts, source, audited_at from coverage
        where channel_id = '${channel.id}' and to_ts = '${last}'`,
      `update coverage set to_ts = '${root}' where to_ts = '${last}' and from_ts < '${root}'`,
      `update ingestion_state set oldest_ts = '${reacted}' where last_ts = '${last}'`,
    ],
    offline: ['not_read'],
  },
  {
    what: 'a lost checkpoint row',
    plant: (_, { channel }) => [`delete from ingestion_state where channel_id = '${channel.id}'`],
    offline: ['no_checkpoint'],
  },
  {
    what: 'lost coverage',
    plant: (_, { channel }) => [`delete from coverage where channel_id = '${channel.id}'`],
    offline: ['checkpoint', 'not_read', 'uncovered'],
  },
  {
    what: 'a changed text',
    plant: ({ plain }) => [`update messages set text = 'Forged.' where ts = '${plain}'`],
    offline: ['changed_row'],
  },
  {
    what: "a change in Slack's own object",
    plant: ({ plain }, { lab }) => [
      lab.database.name === 'sqlite'
        ? `update messages set raw = json_set(raw, '$.text', 'Forged.'), text = 'Forged.' where ts = '${plain}'`
        : `update messages set raw = jsonb_set(raw, '{text}', '"Forged."'), text = 'Forged.' where ts = '${plain}'`,
    ],
    offline: ['changed_row'],
  },
  {
    what: 'a removed reaction',
    plant: ({ reacted }) => [`delete ${at('reactions', reacted)} and user_id = (select max(user_id) from reactions)`],
    offline: ['changed_reactions'],
  },
  {
    what: 'an invented reaction',
    plant: ({ reacted }) => [
      `insert into reactions select team_id, channel_id, ts, 'eyes', min(user_id), min(first_seen_at)
        ${at('reactions', reacted)} group by team_id, channel_id, ts`,
    ],
    offline: ['changed_reactions'],
  },
  {
    what: 'a removed file link',
    plant: ({ withFile }) => [`delete ${at('message_files', withFile)}`],
    offline: ['changed_files'],
  },
  {
    what: 'a removed file',
    plant: () => ['delete from files'],
    offline: ['changed_files'],
  },
  {
    what: 'a deletion that is not marked',
    plant: ({ deleted }) => [`update messages set deleted_at = null where ts = '${deleted}'`],
    offline: [],
    online: ['not_marked_deleted'],
  },
  {
    what: 'a message that is marked deleted and is not',
    plant: ({ plain }) => [`update messages set deleted_at = updated_at where ts = '${plain}'`],
    offline: [],
    online: ['wrongly_deleted'],
  },
  {
    what: 'a reply that is marked deleted and is not',
    plant: ({ replies }) => [`update messages set deleted_at = updated_at where ts = '${replies[0]}'`],
    offline: ['missing_replies'],
    online: ['wrongly_deleted'],
  },
  {
    what: 'a thread settled without having been read',
    plant: ({ root }) => [
      `delete from messages where thread_ts = '${root}' and ts <> '${root}'`,
      uncount(3),
      `update threads set live_replies = 0 where thread_ts = '${root}'`,
    ],
    offline: [],
    online: ['missing', 'missing', 'missing'],
  },
  {
    what: 'a thread settled by an older version without having been read',
    plant: ({ root }) => [
      `delete from messages where thread_ts = '${root}' and ts <> '${root}'`,
      uncount(3),
      `update threads set live_replies = null where thread_ts = '${root}'`,
    ],
    offline: ['unproven_replies'],
    online: ['missing', 'missing', 'missing'],
  },
  {
    what: 'a thread that the ledger forgot',
    plant: ({ root }) => [`delete from threads where thread_ts = '${root}'`],
    offline: ['unknown_thread'],
    online: ['differs'],
  },
  {
    what: 'a thread that waits to be read',
    plant: ({ root }) => [`update threads set is_pending = not is_pending where thread_ts = '${root}'`],
    offline: ['thread_pending'],
  },
  {
    what: 'changed thread counters',
    plant: ({ root }) => [`update messages set reply_count = 7 where ts = '${root}'`],
    offline: ['changed_row', 'reply_count'],
  },
  {
    what: 'rows that nobody counted',
    plant: () => [uncount(1)],
    offline: ['uncounted_rows'],
  },
  {
    what: 'an edit that was missed',
    plant: ({ plain }, { channel }) => {
      channel.change(plain, (before) => ({
        ...before,
        text: 'Corrected.',
        edited: { user: 'U0', ts: '1700000000.000000' },
      }));
      return [];
    },
    offline: [],
    online: ['differs'],
  },
  {
    what: 'a failure of the last run',
    plant: (_, { channel }) => [
      `update ingestion_state set last_error = 'http_500: it broke' where channel_id = '${channel.id}'`,
    ],
    offline: ['channel_failed'],
  },
  {
    what: 'a channel that was never read',
    plant: (_, { lab }) => {
      lab.acme.channel('newly-joined').post({ ts: lab.world.clock.daysAgo(3), text: 'Hello?' });
      return [];
    },
    offline: [],
    online: ['never_read'],
  },
];

eachDatabase((create) => {
  let mendedVault: Vault | undefined;
  afterAll(() => mendedVault?.[Symbol.asyncDispose]());

  it.each(defects)('finds and mends $what', async ({ plant, offline, online = [] }) => {
    // What one test mended serves the next one; what it did not is thrown away with its failure.
    const vault = mendedVault ?? (await openVault(create));
    mendedVault = undefined;
    const { lab, planted, channel } = vault;
    const whole = await content(lab.database);
    const before = JSON.stringify(channel.expectedMessages());
    for (const statement of plant(planted, vault)) await vault.change(statement);

    const byItself = await vault.verify('--offline');
    expect(byItself.out.gaps.map(kindOf).sort()).toEqual(offline);
    expect(byItself.code).toBe(offline.length === 0 ? 0 : 3);
    expect(byItself.requests).toEqual([]);

    const repaired = await vault.verify('--repair');
    expect(repaired.out.gaps.map(kindOf).sort()).toEqual([...offline, ...online].sort());
    expect(repaired.code).toBe(3);
    expect(repaired.out.errors).toEqual([]);
    expect(repaired.out.checked.slack.share).toBe(1);

    expect((await lab.ingest()).code).toBe(0);
    const after = await vault.verify();
    expect(after.out.gaps).toEqual([]);
    expect(after.code).toBe(0);
    // Unless Slack itself changed, the database is what it was before the defect.
    if (JSON.stringify(channel.expectedMessages()) === before && !online.includes('never_read'))
      expect(await content(lab.database)).toEqual(whole);
    mendedVault = vault;
  });
});

eachDatabase((create, name) => {
  it('a damaged message that Slack does not have any more is no gap for ever: what is left is all there is', async () => {
    await using vault = await openVault(create);
    const { planted, channel, lab } = vault;
    const set = name === 'sqlite' ? `json_set(raw, '$.text', 'Forged.')` : `jsonb_set(raw, '{text}', '"Forged."')`;
    for (const ts of [planted.plain, planted.replies[1] ?? '']) {
      await vault.change(`update messages set raw = ${set} where ts = '${ts}'`);
      channel.deleteMessage(ts);
    }
    expect((await vault.verify('--repair')).code).toBe(3);
    expect((await lab.ingest()).code).toBe(0);
    const after = await vault.verify();
    expect([after.code, after.out.gaps]).toEqual([0, []]);
    // Nothing is claimed of a message before Slack was asked.
    await vault.change(`update messages set raw = ${set} where ts = '${planted.reacted}'`);
    expect((await vault.verify('--offline')).out.gaps.map(kindOf)).toEqual(['changed_row']);
  });

  it('with a budget that compares nothing with Slack, it is partial: what nobody looked at is not proved', async () => {
    await using vault = await openVault(create);
    for (const n of ['1', '2']) {
      const run = await vault.verify('--max-requests', n);
      expect({ code: run.code, status: run.out.status, gaps: run.out.gaps }).toEqual({
        code: 3,
        status: 'partial',
        gaps: [],
      });
      expect(run.out.checked.slack.windows.read).toBe(0);
    }
    expect((await vault.verify('--max-requests', '3')).code).toBe(0);
  });
});

function kindOf({ kind }: { kind: string }): string {
  return kind;
}
