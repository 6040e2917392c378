/** The Retry-After header: how long a server wants to be left alone (RFC 9110, section 10.2.3). */

/**
 * Milliseconds from `now` (epoch milliseconds) that the header asks for: Slack writes whole seconds, servers in front of it
 * may write a date. Undefined when it is absent or neither. Never negative; how much of it is believed the pacer decides.
 */
export function readRetryAfter(header: string | null | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  // Dates of HTTP begin with the name of a day; Date.parse alone would also take "-5" for a year.
  const at = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
