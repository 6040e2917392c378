import type { ColumnTypes, Migration } from './column-types.ts';

/**
 * Messages have no foreign keys to users or channels: a message may arrive before either, and is never
 * dropped because its author is unknown.
 */
export const init: Migration = {
  name: '0001_init',
  statements: (types) => [...directory(types), ...messages(types), ...positions(types), ...operations(types)],
};

function directory({ text, json, time, flag, tableOptions }: ColumnTypes): string[] {
  return [
    `create table workspaces (
      team_id ${text} not null primary key,
      name ${text},
      domain ${text},
      url ${text},
      enterprise_id ${text},
      users_synced_at ${time},
      updated_at ${time} not null
    )${tableOptions}`,

    // lookup: null for a user Slack described; 'pending' for an id seen in a message and not asked for yet;
    // Slack's error code for an id it does not tell about (never asked again).
    `create table users (
      team_id ${text} not null,
      user_id ${text} not null,
      name ${text},
      real_name ${text},
      display_name ${text},
      email ${text},
      tz ${text},
      is_bot ${flag},
      is_deleted ${flag},
      lookup ${text},
      content_hash ${text},
      raw ${json},
      updated_at ${time} not null,
      primary key (team_id, user_id)
    )${tableOptions}`,

    `create table usergroups (
      team_id ${text} not null,
      usergroup_id ${text} not null,
      handle ${text},
      name ${text},
      description ${text},
      is_deleted ${flag} not null,
      content_hash ${text} not null,
      raw ${json} not null,
      updated_at ${time} not null,
      primary key (team_id, usergroup_id)
    )${tableOptions}`,

    `create table channels (
      team_id ${text} not null,
      channel_id ${text} not null,
      name ${text},
      kind ${text} not null,
      is_archived ${flag} not null,
      is_member ${flag},
      topic ${text},
      purpose ${text},
      content_hash ${text} not null,
      raw ${json} not null,
      updated_at ${time} not null,
      primary key (team_id, channel_id)
    )${tableOptions}`,
    'create index channels_by_name on channels (team_id, name)',
  ];
}

function messages({ text, json, time, flag, integer, bigint, tableOptions }: ColumnTypes): string[] {
  return [
    // content_hash covers what the author wrote, state_hash what others add (reactions, thread counters).
    // is_sanitized: a U+0000 or a lone surrogate was replaced in this row.
    `create table messages (
      team_id ${text} not null,
      channel_id ${text} not null,
      ts ${text} not null,
      posted_at ${time} not null,
      thread_ts ${text},
      is_reply ${flag} not null,
      user_id ${text},
      bot_id ${text},
      subtype ${text},
      text ${text},
      search_text ${text},
      edited_ts ${text},
      reply_count ${integer},
      latest_reply ${text},
      deleted_at ${time},
      source ${text} not null,
      is_sanitized ${flag} not null,
      content_hash ${text} not null,
      state_hash ${text} not null,
      raw ${json} not null,
      first_seen_at ${time} not null,
      updated_at ${time} not null,
      primary key (team_id, channel_id, ts)
    )${tableOptions}`,
    'create index messages_by_thread on messages (team_id, channel_id, thread_ts, ts) where thread_ts is not null',
    'create index messages_by_time on messages (team_id, posted_at)',
    'create index messages_by_user on messages (team_id, user_id, posted_at)',

    // seen_at: since when this was the message, as far as we saw.
    `create table message_revisions (
      team_id ${text} not null,
      channel_id ${text} not null,
      ts ${text} not null,
      seen_at ${time} not null,
      text ${text},
      raw ${json} not null,
      edited_ts ${text},
      primary key (team_id, channel_id, ts, seen_at)
    )${tableOptions}`,

    `create table reactions (
      team_id ${text} not null,
      channel_id ${text} not null,
      ts ${text} not null,
      name ${text} not null,
      user_id ${text} not null,
      first_seen_at ${time} not null,
      primary key (team_id, channel_id, ts, name, user_id)
    )${tableOptions}`,

    `create table files (
      team_id ${text} not null,
      file_id ${text} not null,
      name ${text},
      title ${text},
      mimetype ${text},
      size ${bigint},
      mode ${text},
      url_private ${text},
      created_at ${time},
      content_hash ${text} not null,
      raw ${json} not null,
      updated_at ${time} not null,
      primary key (team_id, file_id)
    )${tableOptions}`,
    `create table message_files (
      team_id ${text} not null,
      channel_id ${text} not null,
      ts ${text} not null,
      file_id ${text} not null,
      primary key (team_id, channel_id, ts, file_id)
    )${tableOptions}`,
    'create index message_files_by_file on message_files (team_id, file_id)',
  ];
}

function positions({ text, time, flag, tableOptions }: ColumnTypes): string[] {
  return [
    // wanted_from_ts: how far back this channel is meant to be complete.
    // floor_ts: Slack hides what is older (plan limit); floor_probed_ts and _at: down to where that was tried, and when.
    `create table ingestion_state (
      team_id ${text} not null,
      channel_id ${text} not null,
      wanted_from_ts ${text} not null,
      last_ts ${text},
      oldest_ts ${text},
      floor_ts ${text},
      floor_probed_ts ${text},
      floor_probed_at ${time},
      last_checked_at ${time},
      last_error ${text},
      primary key (team_id, channel_id)
    )${tableOptions}`,

    // Closed intervals [from_ts, to_ts] that were read without a gap; they never overlap.
    `create table coverage (
      team_id ${text} not null,
      channel_id ${text} not null,
      from_ts ${text} not null,
      to_ts ${text} not null,
      source ${text} not null,
      audited_at ${time} not null,
      primary key (team_id, channel_id, from_ts)
    )${tableOptions}`,

    // claim: what the root says of its replies ("reply_count latest_reply"); settled_claims: the claims that the
    // last complete read of the replies has answered. is_pending: the replies are to be fetched. resume_ts: up to this
    // reply they were fetched by a read that is not finished.
    `create table threads (
      team_id ${text} not null,
      channel_id ${text} not null,
      thread_ts ${text} not null,
      claim ${text} not null,
      settled_claims ${text},
      is_pending ${flag} not null,
      resume_ts ${text},
      last_checked_at ${time},
      last_error ${text},
      primary key (team_id, channel_id, thread_ts)
    )${tableOptions}`,
    'create index threads_pending on threads (team_id, thread_ts) where is_pending',
  ];
}

function operations({ text, json, time, flag, integer, tableOptions }: ColumnTypes): string[] {
  return [
    // "trigger" is a word of SQL, so it stands in quotes here and nowhere else needs to.
    `create table runs (
      run_id ${text} not null primary key,
      team_id ${text},
      workspace ${text},
      command ${text} not null,
      "trigger" ${text} not null,
      status ${text} not null,
      started_at ${time} not null,
      finished_at ${time},
      heartbeat_at ${time} not null,
      exit_code ${integer},
      counts ${json} not null,
      error ${text},
      config_hash ${text},
      app_version ${text} not null
    )${tableOptions}`,
    'create index runs_by_start on runs (team_id, started_at)',
    `create table run_channels (
      run_id ${text} not null,
      channel_id ${text} not null,
      team_id ${text} not null,
      status ${text} not null,
      counts ${json} not null,
      error ${text},
      primary key (run_id, channel_id)
    )${tableOptions}`,

    `create table rate_limits (
      team_id ${text} not null,
      method ${text} not null,
      not_before_at ${time},
      is_restricted ${flag} not null,
      recent_calls ${json} not null,
      updated_at ${time} not null,
      primary key (team_id, method)
    )${tableOptions}`,

    `create table locks (
      name ${text} not null primary key,
      owner ${text} not null,
      host ${text} not null,
      pid ${integer} not null,
      acquired_at ${time} not null,
      heartbeat_at ${time} not null,
      expires_at ${time} not null
    )${tableOptions}`,
  ];
}
