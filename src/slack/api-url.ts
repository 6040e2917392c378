/** Where a token may be sent, and how fast. */
import { UsageError } from '../errors.ts';
import type { Pace } from './allowance.ts';

/** Whether the address stays on this machine: 127.0.0.0/8, ::1 or localhost. `URL` has normalised spellings like 127.1. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}

/**
 * The address of the Web API, checked: https, or http on loopback, because every call carries the token. Throws
 * `UsageError`. An address with a password in it is refused unread, and never shown.
 */
export function checkApiUrl(text: string): URL {
  if (!URL.canParse(text)) throw apiUrlError('it is no URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw apiUrlError(`it begins with ${url.protocol}`);
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw apiUrlError(`the token would travel unencrypted to ${url.host}`);
  }
  // fetch refuses credentials in a URL, and the SDK appends the method's name to the text as it is.
  if (url.username !== '' || url.password !== '') throw apiUrlError('it holds a user name or password');
  if (url.search !== '' || url.hash !== '') throw apiUrlError('it has a query or a fragment');
  return url;
}

/** Throws `UsageError` for a pace above Slack's published rates, unless the API is a stand-in on this machine. */
export function checkPace(pace: Pace, url: URL): void {
  if (pace !== 'off' && !(pace > 0 && Number.isFinite(pace))) {
    throw new UsageError(
      `The pace ${pace} is not a number above 0.`,
      'Use 1 for the published rates, 0.5 for half of them.',
    );
  }
  if ((pace === 'off' || pace > 1) && !isLoopback(url)) {
    throw new UsageError(
      `The pace ${pace} is faster than Slack allows.`,
      "Use 1 or less; a faster pace, or off, is for an API on this machine's loopback address only.",
    );
  }
}

function apiUrlError(why: string): UsageError {
  return new UsageError(
    `The address of Slack's API (SLACK_API_URL) cannot be used: ${why}.`,
    'Use an https address like https://slack.com/api/, or http on 127.0.0.1, ::1 or localhost.',
  );
}
