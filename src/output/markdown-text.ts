/** Text from outside inside Markdown. */
import { oneLine } from './plain-text.ts';
import { splitAddresses, webLink } from './web-link.ts';

const wordJoiner = '\u2060';

/**
 * The text as one line that shows what was written, wherever in a paragraph, list item, heading or table cell it stands.
 * Addresses become links to themselves.
 */
export function escapeMarkdown(text: string): string {
  const escaped = splitAddresses(oneLine(text)).map((part) =>
    part.link === null ? escapeWords(part.text) : `<${part.link}>`,
  );
  return escapeEdges(escaped.join(''));
}

/** `[label](<address>)`, or the label alone where the address is none for a link. */
export function markdownLink(label: string, address: string | null): string {
  const link = webLink(address);
  const words = escapeWords(oneLine(label));
  return link === null || words === '' ? escapeMarkdown(label) : `[${words}](<${link}>)`;
}

/**
 * What begins or ends something within a line (spec.commonmark.org, and GitHub's math). GitHub looks for `@name`, `#12` and
 * addresses after it has undone all escaping, and would call people and refer to issues: there an invisible character parts them.
 */
function escapeWords(text: string): string {
  return text
    .replace(/[\\`*_[\]~|$]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@(?=\S)|#(?=\d)|:(?=\/\/)|\bwww(?=\.)/gi, `$&${wordJoiner}`);
}

/** At the start of a line these make lists, headings, columns and underlines of headings; at the end of a heading `#` is left out. */
function escapeEdges(line: string): string {
  return line
    .replace(/^(\d+)(?=[.)])/, '$1\\')
    .replace(/^[-+=:#]/, '\\$&')
    .replace(/(?<=\s)#(?=#*$)/, '\\#');
}
