/** Keys by which people mean the same thing: tickets, pull requests, meetings, documents. */

/** Look like tickets and are none: standards, algorithms, zones, hours, severities. Where a project may have such a key, only by its numbers. */
const noTickets =
  /^(?:(?:UTF|UCS|ASCII|SHA|AES|RSA|ISO|IEC|RFC|ISBN|CVE|COVID|SARS|GPT|UTC|GMT|FY|SEV)-\d|(?:MD-5|BASE-(?:16|32|58|64|85)|CP-12\d\d|HTTP-[1-3]|TLS-1|SSL-[23]|IPV-[46]|USB-[1-4]|WIN-(?:32|64)|ES-(?:[5-9]|20\d\d)|EC-2|MP-[34]|[AP]M-\d{1,2})$)/;

interface Kind {
  /** Stands in every text that holds one, and is looked for first: most texts hold none. */
  sign: string;
  pattern: RegExp;
  anchor: (match: RegExpMatchArray) => string;
}

/** In the order in which anchors are listed. Repetitions are bounded, so that no text takes long. */
const kinds: readonly Kind[] = [
  {
    sign: 'github.com/',
    pattern: /github\.com\/([\w.-]{1,100}\/[\w.-]{1,100}?)(?:\/(?:issues|pull)\/|#)(\d+)/g,
    anchor: ([, repo, n]) => `${repo}#${n}`,
  },
  {
    sign: 'gitlab',
    pattern:
      /gitlab[\w.-]{0,100}\/((?:[\w.-]{1,100}\/){1,20}?[\w.-]{1,100})(?:\/-)?\/(?:issues|merge_requests)\/(\d+)/g,
    anchor: ([, project, n]) => `${project}#${n}`,
  },
  {
    // GitLab at a host of any name.
    sign: '/-/',
    pattern: /:\/\/[\w.:-]{1,100}\/((?:[\w.-]{1,100}\/){1,20}?[\w.-]{1,100})\/-\/(?:issues|merge_requests)\/(\d+)/g,
    anchor: ([, project, n]) => `${project}#${n}`,
  },
  {
    // Whatever the host is called before it; the password of a meeting is a credential.
    sign: 'zoom.us/',
    pattern: /(?<![\w-])(zoom\.us\/(?:j|my|s|w|wc)\/[\w./-]{1,100})/g,
    anchor: ([, meeting = '']) => `zoom:${meeting.replace(/[./-]+$/, '')}`,
  },
  {
    sign: 'meet.google.com/',
    pattern: /meet\.google\.com\/([a-z]{3}-[a-z]{4}-[a-z]{3})/g,
    anchor: ([, code]) => `meet:${code}`,
  },
  {
    sign: 'teams.',
    pattern: /teams\.(?:microsoft|live)\.com\/(?:l\/meetup-join|meet)\//g,
    anchor: () => 'teams:meeting',
  },
  {
    sign: 'pages/',
    pattern:
      /\/(?:wiki\/[^\s?#]{0,200}?pages\/(?:edit-v2\/)?|pages\/viewpage\.action\?(?:[^\s#]{0,200}?&)?pageId=)(\d+)/g,
    anchor: ([, page]) => `confluence:${page}`,
  },
  {
    sign: 'notion.',
    pattern: /notion\.(?:so|site)\/\S{0,300}?([0-9a-f]{32})\b/g,
    anchor: ([, page]) => `notion:${page}`,
  },
  {
    sign: '.google.com/',
    pattern: /(?:docs|drive)\.google\.com\/\S{0,100}?\/d\/([\w-]{25,200})/g,
    anchor: ([, id]) => `gdoc:${id}`,
  },
];

/** The anchors in a text and in the addresses beside it: tickets first, then by kind, each once. */
export function anchorsOf(text: string, links: readonly string[] = []): string[] {
  const everything = links.length === 0 ? text : `${text}\n${links.join('\n')}`;
  const found = new Set<string>();
  // What is part of a longer word or number is no ticket; a branch may go on behind one: ABC-12-fix-login.
  for (const [, key = ''] of everything.matchAll(/(?<![\w-])([A-Z]{2,10}-\d+)(?!\w|[-.]\d)/g)) {
    if (!noTickets.test(key)) found.add(key);
  }
  if (!everything.includes('/')) return [...found];
  for (const { sign, pattern, anchor } of kinds) {
    if (!everything.includes(sign)) continue;
    for (const match of everything.matchAll(pattern)) found.add(anchor(match));
  }
  return [...found];
}
