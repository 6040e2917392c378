/** Addresses from messages, made safe to link to. */
import { oneLine } from './plain-text.ts';

/** What would end an address early in HTML, Markdown or mrkdwn. */
const markup = /["'<>|\\`^{}()\s]/g;

/** Longer than browsers and Slack take without complaint, and than anybody writes. */
const longest = 1000;

/**
 * The address in its normal form, with every character percent-encoded that would end it early in HTML, Markdown or mrkdwn
 * (`&` is left to those who escape it). Null when it is not http(s), no address at all, or longer than 1000 characters.
 */
export function webLink(address: string | null): string | null {
  if (address === null) return null;
  const text = oneLine(address);
  if (!URL.canParse(text)) return null;
  const { protocol, href } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return null;
  const link = href.replace(
    markup,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  return link.length > longest ? null : link;
}

/** The address without what every address begins with: for the eye only. */
export function shortAddress(link: string): string {
  return link.replace(/^https?:\/\/(?:www\.)?/, '').replace(/\/$/, '');
}
