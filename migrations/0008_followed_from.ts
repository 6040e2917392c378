import type { Migration } from './column-types.ts';

/**
 * followed_from_ts: what Slack had last when a channel, or a thread, was first read from its API, by Slack's own count of time.
 * What is found to be older than this, later, is history that was read late; what is newer is news. Null while it was not read.
 * Of a channel that was read before this column was there, its checkpoint; of a thread its claim, when it is next heard of.
 */
export const followedFrom: Migration = {
  name: '0008_followed_from',
  statements: ({ text }) => [
    `alter table ingestion_state add column followed_from_ts ${text}`,
    `alter table threads add column followed_from_ts ${text}`,
    'update ingestion_state set followed_from_ts = last_ts',
  ],
};
