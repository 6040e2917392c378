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

/** What reads as an address in prose; the punctuation after it belongs to the sentence. */
const address = /(https?:\/\/[^\s<>"]*[^\s<>"'.,:;!?)\]}*_~…])/i;

/** A text of one line in parts that are addresses and parts that are not, in their order, none empty. */
export function splitAddresses(text: string): { text: string; link: string | null }[] {
  // What `split` captured, the addresses, stands at the odd places.
  return text
    .split(address)
    .map((part, index) => ({ text: part, link: index % 2 === 1 ? webLink(part) : null }))
    .filter((part) => part.text !== '');
}
