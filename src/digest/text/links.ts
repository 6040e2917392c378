/** Addresses in one form, so that the same page is known again. */

/** What a sentence leaves at the end of an address. */
const sentenceEnds = ',.;:!?)';

/**
 * The address without campaign parameters, fragment, the password of a Zoom meeting (a credential) and the slash at its end
 * (except of a bare host); null for anything that is not http or https. Applying it twice changes nothing.
 */
export function normalizeUrl(text: string): string | null {
  const label = text.indexOf('|');
  let url = (label === -1 ? text : text.slice(0, label)).trim();
  for (;;) {
    const simpler = simplified(url);
    // What is left out at one end may lay bare what is left out next.
    if (simpler === null || simpler === url) return simpler;
    url = simpler;
  }
}

function simplified(text: string): string | null {
  const written = withoutSentenceEnd(text);
  const full = /^www\./i.test(written) ? `https://${written}` : written;
  const parts = /^(https?):\/\/([^/?#\s]+)([^?#\s]*)(\?[^#\s]*)?(?:#\S*)?$/i.exec(full);
  if (parts === null || !URL.canParse(full)) return null;
  const [, scheme = '', host = '', path = '', query = ''] = parts;
  const isZoom = /(?:^|\.)zoom\.us$/i.test(host);
  const kept = query
    .slice(1)
    .split('&')
    .filter((parameter) => parameter !== '' && !/^utm_/i.test(parameter) && !(isZoom && /^pwd=/i.test(parameter)))
    .join('&');
  const directory = withoutEnd(path, `/${sentenceEnds}`);
  const root = directory === '' && path !== '' ? '/' : directory;
  const tail = withoutEnd(kept, `&${sentenceEnds}`);
  return `${scheme.toLowerCase()}://${host.toLowerCase()}${root}${tail === '' ? '' : `?${tail}`}`;
}

/** An address as it stands in a sentence, without what belongs to the sentence. */
export function withoutSentenceEnd(url: string): string {
  return withoutEnd(url, sentenceEnds);
}

/** A bracket stays when it closes one in the text: `/wiki/Slack_(software)`. Looks at every sign once, unlike `/[...]+$/`. */
function withoutEnd(text: string, signs: string): string {
  let end = text.length;
  let unopened: number | null = null;
  for (; end > 0 && signs.includes(text.charAt(end - 1)); end -= 1) {
    if (text.charAt(end - 1) !== ')') continue;
    unopened ??= text.split(')').length - text.split('(').length;
    if (unopened <= 0) break;
    unopened -= 1;
  }
  return text.slice(0, end);
}

/** Each address once, in the order they stand. */
export function normalizeUrls(texts: readonly string[]): string[] {
  const found = new Set<string>();
  for (const text of texts) {
    const url = normalizeUrl(text);
    if (url !== null) found.add(url);
  }
  return [...found];
}
