import type { ColumnTypes, Migration } from './column-types.ts';

/** From messages to a digest: candidates, events, what language models were asked, and what was posted where. */
export const digests: Migration = {
  name: '0004_digests',
  statements: (types) => [
    ...candidates(types),
    ...events(types),
    ...languageModels(types),
    ...posted(types),
    ...lateNews(),
  ],
};

function candidates({ text, json, time, integer, real, tableOptions }: ColumnTypes): string[] {
  return [
    // text_hash: of the normalized text, message_updated_at: of the message's row, as they were when it was scored.
    `create table event_candidates (
      team_id ${text} not null,
      channel_id ${text} not null,
      ts ${text} not null,
      source ${text} not null,
      posted_at ${time} not null,
      score ${real} not null,
      status ${text} not null,
      reason ${text},
      features ${json} not null,
      config_hash ${text} not null,
      norm_version ${integer} not null,
      text_hash ${text} not null,
      message_updated_at ${time} not null,
      lease_owner ${text},
      lease_expires_at ${time},
      attempts ${integer} not null,
      created_at ${time} not null,
      updated_at ${time} not null,
      primary key (team_id, channel_id, ts)
    )${tableOptions}`,
    'create index event_candidates_by_score on event_candidates (team_id, status, score)',
    'create index event_candidates_by_time on event_candidates (team_id, posted_at)',
  ];
}

function events({ text, json, time, integer, real, tableOptions }: ColumnTypes): string[] {
  return [
    // scope: 'public', or the one private channel that the event is from; events of different scopes are never one.
    // origin: what the event's own message says, before it was merged with others, and which message that is.
    `create table events (
      event_id ${text} not null primary key,
      team_id ${text} not null,
      source ${text} not null,
      scope ${text} not null,
      extracted_at ${time} not null,
      extractor ${text} not null,
      prompt_version ${text},
      model ${text},
      action ${text} not null,
      object_id ${text},
      object_name_raw ${text} not null,
      qualifiers ${json} not null,
      stroke ${text},
      anchor ${text},
      category ${text} not null,
      status ${text} not null,
      change_type ${text} not null,
      environment ${text} not null,
      severity ${text},
      planned_start ${time},
      planned_end ${time},
      actual_start ${time},
      actual_end ${time},
      time_source ${text} not null,
      time_confidence ${real} not null,
      primary_time ${time},
      summary ${text} not null,
      why_it_matters ${text},
      links ${json} not null,
      anchors ${json} not null,
      impact_area ${json} not null,
      impact_type ${json} not null,
      confidence ${real} not null,
      importance ${integer} not null,
      cluster_key ${text} not null,
      dedup_key ${text} not null,
      merged_into ${text},
      state ${text} not null,
      reasons ${json} not null,
      origin ${json} not null
    )${tableOptions}`,
    'create index events_by_cluster on events (team_id, cluster_key)',
    `create unique index events_live on events (team_id, scope, dedup_key) where merged_into is null and state <> 'rejected'`,
    'create index events_by_time on events (team_id, primary_time)',
    'create index events_by_extraction on events (team_id, extracted_at)',
    'create index events_absorbed on events (merged_into) where merged_into is not null',

    `create table event_sources (
      event_id ${text} not null,
      team_id ${text} not null,
      channel_id ${text} not null,
      ts ${text} not null,
      permalink ${text},
      primary key (event_id, team_id, channel_id, ts)
    )${tableOptions}`,
    'create index event_sources_by_message on event_sources (team_id, channel_id, ts)',
  ];
}

function languageModels({ text, json, time, flag, integer, real, tableOptions }: ColumnTypes): string[] {
  return [
    `create table llm_calls (
      id ${text} not null primary key,
      team_id ${text} not null,
      channel_id ${text} not null,
      ts ${text} not null,
      chunk_index ${integer} not null,
      cache_key ${text} not null,
      model ${text} not null,
      prompt_version ${text} not null,
      temperature ${real} not null,
      tokens_in ${integer} not null,
      tokens_out ${integer} not null,
      cost_usd ${real} not null,
      latency_ms ${integer} not null,
      attempt ${integer} not null,
      success ${flag} not null,
      cached ${flag} not null,
      error_code ${text},
      error_message ${text},
      created_at ${time} not null
    )${tableOptions}`,
    'create index llm_calls_by_time on llm_calls (created_at)',
    `create table llm_cache (
      cache_key ${text} not null primary key,
      response ${json} not null,
      created_at ${time} not null,
      expires_at ${time} not null
    )${tableOptions}`,
  ];
}

function posted({ text, json, time, integer, tableOptions }: ColumnTypes): string[] {
  return [
    // channel_id: where it is posted. Written before the first post: an outbox.
    `create table digests (
      digest_id ${text} not null primary key,
      team_id ${text} not null,
      channel_id ${text} not null,
      window_from ${time} not null,
      window_to ${time} not null,
      config_hash ${text} not null,
      status ${text} not null,
      created_at ${time} not null,
      posted_at ${time}
    )${tableOptions}`,
    'create index digests_by_target on digests (team_id, channel_id, window_to)',

    // status: 'posting' with claimed_at from before the call until its answer is stored; in between only Slack knows.
    `create table digest_chunks (
      digest_id ${text} not null,
      chunk_no ${integer} not null,
      payload ${json} not null,
      status ${text} not null,
      claimed_at ${time},
      posted_ts ${text},
      error ${text},
      primary key (digest_id, chunk_no)
    )${tableOptions}`,

    `create table digest_items (
      digest_id ${text} not null,
      position ${integer} not null,
      item_key ${text} not null,
      chunk_no ${integer} not null,
      posted_ts ${text},
      status ${text} not null,
      primary key (digest_id, position)
    )${tableOptions}`,
    'create index digest_items_by_key on digest_items (item_key)',
  ];
}

/** What became known lately of messages that are older: rows changed after they were first stored, threads read again. */
function lateNews(): string[] {
  return [
    'create index messages_by_change on messages (team_id, updated_at) where updated_at <> first_seen_at',
    'create index threads_by_check on threads (team_id, last_checked_at)',
  ];
}
