import type { ColumnTypes, Migration } from './column-types.ts';

/** What Slack says and does not show, and what is to be read again without anything around it. */
export const doubts: Migration = {
  name: '0006_doubts',
  statements: ({ text, integer }: ColumnTypes) => [
    // So many replies the last whole reading of the thread showed, where that is fewer than the root tells of; else null.
    `alter table threads add column shown_replies ${integer}`,
    // Ranges before wanted_from_ts that are to be read again, "from-to from-to"; null when there are none. What lies between
    // them nobody asked for.
    `alter table ingestion_state add column reread_ranges ${text}`,
  ],
};
