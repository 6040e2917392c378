/**
 * Words of an answer. A message may tell the model what to write, so an answer is as little to be trusted as the message:
 * it may hold nothing invisible, and no address that does not stand in the message, in whatever field.
 */

/** What the message holds, to which an answer is held. */
export interface MessageFacts {
  /** What people see of it. */
  text: string;
  /** Normalized. */
  links: readonly string[];
  anchors: readonly string[];
}

/** Controls, and separators of lines and paragraphs. */
const breaks = /[\p{Cc}\p{Zl}\p{Zp}]/gu;
/** What is invisible or turns the direction of writing (unicode.org/reports/tr9): `evil` hides in `e\u200bvil`. */
const invisible = /\p{Cf}/gu;

/** On one line, without anything that cannot be seen; lone surrogates, which no database takes, are replaced. */
export function visibleLine(text: string): string {
  return text.toWellFormed().replace(breaks, ' ').replace(invisible, '').replace(/\s+/g, ' ').trim();
}

/** At most `length` UTF-16 units, an ellipsis in place of the rest; no surrogate pair is split. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text
    .slice(0, length - 1)
    .replace(/[\ud800-\udbff]$/, '')
    .trimEnd()}…`;
}

/** `scheme:` and `//`, `www.`, an address to write or phone to. */
const address = /(?:[a-z][a-z0-9+.-]{0,30}:\/\/|\bwww\.|\b(?:mailto|tel|javascript|data|slack):)[^\s<>"'`|]*/giu;
/** What programs turn into a link by themselves: `example.com`, `example.com/path`, `somebody@example.com`. */
const bareAddress =
  /(?<![\p{L}\p{N}-])(?:[\w.+-]{0,64}@)?(?:[\p{L}\p{M}\p{N}-]{1,63}\.)+(?:xn--[a-z0-9-]+|[\p{L}\p{M}]{2,})(?![a-z0-9])(?::\d+)?(?:[/?#][^\s<>"'`|]*)?/giu;
/** Slack's own: `<https://…|label>`, `<@U123>`, `<!channel>`. */
const slackToken = /<([@!#][^<>]*|[a-z][a-z0-9+.-]*:[^<>|]*(?:\|[^<>]*)?)>/gi;

const endings = /[.,;:!?)\]}]+$/;

/**
 * The text without addresses that do not stand in the message, `instead` in their place, and without tokens that call
 * people. A mere host loses its dots.
 */
export function withoutForeignLinks(text: string, facts: MessageFacts, instead: string): string {
  const message = facts.text.toLowerCase();
  const known = new Set(facts.links.map(linkKey));
  const isKnown = (found: string) =>
    ['', 'https://', 'http://'].some((scheme) => known.has(linkKey(`${scheme}${found}`)));
  const without = (found: string) => {
    const ending = endings.exec(found)?.[0] ?? '';
    const body = found.slice(0, found.length - ending.length);
    return isKnown(body) ? found : instead + ending;
  };
  return text
    .replace(slackToken, (token, inner: string) => (/^[@!#]/.test(inner) ? '' : token.replace(/[<>|]/g, ' ')))
    .replace(address, without)
    .replace(bareAddress, (found) => {
      if (standsIn(message, found.toLowerCase()) || isKnown(found)) return found;
      // Perhaps a name like Node.js, which stays readable.
      return /[@/?#:]/.test(found) ? without(found) : found.replaceAll('.', ' ');
    })
    .replace(/\s+/g, ' ')
    .trim();
}

/** The message's own spelling of those links that stand in it, each once. */
export function knownLinks(links: readonly string[], facts: MessageFacts): string[] {
  const known = new Map(facts.links.map((link) => [linkKey(link), link]));
  return [...new Set(links.flatMap((link) => known.get(linkKey(link.trim())) ?? []))];
}

/** The message's own spelling of those keys that stand in it, each once. */
export function knownAnchors(anchors: readonly string[], facts: MessageFacts): string[] {
  const known = new Map(facts.anchors.map((anchor) => [anchor.toLowerCase(), anchor]));
  return [...new Set(anchors.flatMap((anchor) => known.get(anchor.trim().toLowerCase()) ?? []))];
}

/** A name for an event: a key of the message, or words that stand in its text (`v2.3.0`, `Q3`). */
export function knownAnchor(anchor: string, facts: MessageFacts): string | null {
  const [known] = knownAnchors([anchor], facts);
  if (known !== undefined) return known;
  return anchor !== '' && standsIn(facts.text.toLowerCase(), anchor.toLowerCase()) ? anchor : null;
}

/** As a whole word. */
function standsIn(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (!isWordPart(text.charAt(at - 1)) && !isWordPart(text.charAt(at + word.length))) return true;
  }
  return false;
}

function isWordPart(character: string): boolean {
  return /[\p{L}\p{N}_]/u.test(character);
}

/** Two spellings of one link have one key: models drop a slash at the end, tracking, or the case of the host. */
function linkKey(link: string): string {
  if (!URL.canParse(link)) return link;
  const url = new URL(link);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return link;
  // A login before the host makes another address look like the host (https://known.example@other.example).
  if (url.username !== '' || url.password !== '') return link;
  const parameters = [...url.searchParams].filter(([name]) => !name.toLowerCase().startsWith('utm_'));
  return JSON.stringify([url.protocol, url.host, url.pathname.replace(/\/+$/, ''), parameters]);
}
