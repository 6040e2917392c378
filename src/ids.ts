/**
 * Slack's ids and names stand in keys and indexes, and an index takes no long text: Postgres refuses an entry of more
 * than 2704 bytes (a third of a page), which would stop a run at one odd object. What is longer than any real one is
 * therefore treated as absent, in both databases alike; `raw` keeps it. It is not cut: two long ones that begin alike
 * would become one. All ids of the longest key together with a name stay below 2000 bytes, whatever their characters.
 */

/** Slack's have 9 to 12 letters and digits today. */
const longestId = 100;

/** Slack allows 80 characters for a channel and 100 for an emoji, which a skin tone makes a little longer. */
const longestName = 255;

/** Whether `value` can be an id: text that is neither empty nor longer than an index takes. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longestId;
}

/** Whether `value` can be the name of a channel or an emoji. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longestName;
}
