import type { ColumnTypes, Migration } from './column-types.ts';

/** What it takes to find changes to messages that were read before, and to tell whether rows are missing. */
export const audits: Migration = {
  name: '0002_audits',
  statements: (types) => [...audited(types), ...counted(types), ...aliases(types)],
};

function audited({ text, time, integer, tableOptions }: ColumnTypes): string[] {
  return [
    // Runs of ingest so far: audits are spread over runs, not over days, because only a run can do one. Apart from
    // workspaces, which a run that finds nothing leaves as it is.
    `create table run_counts (
      team_id ${text} not null primary key,
      ingest_runs ${integer} not null
    )${tableOptions}`,

    // audited_at: whatever is covered was seen at or after this moment. audit_ts: an audit that is under way since
    // audit_began_at has re-read everything from here up. audited_run: the number of the run in which the last one ended.
    // expired_to_ts: what is not later than this vanished the way retention makes messages vanish; that is no deletion.
    `alter table ingestion_state add column audited_at ${time}`,
    `alter table ingestion_state add column audited_run ${integer}`,
    `alter table ingestion_state add column audit_ts ${text}`,
    `alter table ingestion_state add column audit_began_at ${time}`,
    `alter table ingestion_state add column expired_to_ts ${text}`,

    // live_replies: how many replies were stored and not deleted when all had been read; null until then.
    // next_audit_run: the run from which on the thread is re-read whole; audit_interval: for how many runs it was left alone.
    `alter table threads add column live_replies ${integer}`,
    `alter table threads add column next_audit_run ${integer}`,
    `alter table threads add column audit_interval ${integer}`,
    // Threads read before take their turn too.
    'update threads set next_audit_run = 1, audit_interval = 24 where last_checked_at is not null',
    'create index threads_by_audit on threads (team_id, next_audit_run) where next_audit_run is not null',
  ];
}

/** Counted where rows are inserted, so that a row that vanished from `messages` is noticed. */
function counted({ text, bigint, tableOptions }: ColumnTypes): string[] {
  return [
    `create table stored_counts (
      team_id ${text} not null,
      channel_id ${text} not null,
      message_rows ${bigint} not null,
      primary key (team_id, channel_id)
    )${tableOptions}`,
    `insert into stored_counts (team_id, channel_id, message_rows)
      select team_id, channel_id, count(*) from messages group by team_id, channel_id`,
  ];
}

/** Names and ids a channel had: a private channel gets a new id when it is shared with another workspace. */
function aliases({ text, time, tableOptions }: ColumnTypes): string[] {
  return [
    // kind: 'name' or 'id'.
    `create table channel_aliases (
      team_id ${text} not null,
      kind ${text} not null,
      alias ${text} not null,
      channel_id ${text} not null,
      updated_at ${time} not null,
      primary key (team_id, kind, alias, channel_id)
    )${tableOptions}`,
  ];
}
