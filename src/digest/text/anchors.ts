/** Keys by which people mean the same thing: tickets, pull requests, meetings, documents. */

/** Look like tickets and are none. */
const noTickets =
  /^(?:UTF|SHA|ISO|COVID|MD|AES|RSA|HTTP|TLS|SSL|IPV|RFC|CVE|GPT|UTC|GMT|ASCII|BASE|CP|WIN|ISBN|USB|PM|AM|ES|EC|MP|H|Q|FY|SEV|P)-\d/;

interface Kind {
  /** In the text itself, or in addresses only. */
  pattern: RegExp;
  anchor: (match: RegExpMatchArray) => string;
}

/** In the order in which anchors are listed. */
const kinds: readonly Kind[] = [
  {
    pattern: /github\.com\/([\w.-]+\/[\w.-]+?)(?:\/(?:issues|pull)\/|#)(\d+)/g,
    anchor: ([, repo, n]) => `${repo}#${n}`,
  },
  {
    pattern: /gitlab[\w.-]*\/((?:[\w.-]+\/)+?[\w.-]+)(?:\/-)?\/(?:issues|merge_requests)\/(\d+)/g,
    anchor: ([, project, n]) => `${project}#${n}`,
  },
  {
    // A host of one's own or of the vendor's; the password of a meeting is a credential.
    pattern: /(?:[\w-]+\.)?(zoom\.us\/(?:j|my|s|w|wc)\/[\w./-]+)/g,
    anchor: ([, meeting = '']) => `zoom:${meeting.replace(/[./-]+$/, '')}`,
  },
  { pattern: /meet\.google\.com\/([a-z]{3}-[a-z]{4}-[a-z]{3})/g, anchor: ([, code]) => `meet:${code}` },
  { pattern: /teams\.(?:microsoft|live)\.com\/(?:l\/meetup-join|meet)\//g, anchor: () => 'teams:meeting' },
  {
    pattern: /\/(?:wiki\/\S*?pages\/|pages\/viewpage\.action\?pageId=)(\d+)/g,
    anchor: ([, page]) => `confluence:${page}`,
  },
  { pattern: /notion\.(?:so|site)\/\S*?([0-9a-f]{32})\b/g, anchor: ([, page]) => `notion:${page}` },
  { pattern: /docs\.google\.com\/\S*?\/d\/([\w-]{25,})/g, anchor: ([, id]) => `gdoc:${id}` },
];

/** The anchors in a text and in the addresses beside it: tickets first, then by kind, each once. */
export function anchorsOf(text: string, links: readonly string[] = []): string[] {
  const everything = links.length === 0 ? text : `${text}\n${links.join('\n')}`;
  const found = new Set<string>();
  // Part of an address or of a longer word is no ticket.
  for (const [, key = ''] of everything.matchAll(/(?<![\w-])([A-Z]{2,10}-\d+)(?![\w-])/g)) {
    if (!noTickets.test(key)) found.add(key);
  }
  if (!everything.includes('/')) return [...found];
  for (const { pattern, anchor } of kinds) {
    for (const match of everything.matchAll(pattern)) found.add(anchor(match));
  }
  return [...found];
}
