/** Addresses in one form, so that the same page is known again. */

/** What a sentence leaves at the end of an address. */
const trailing = /[,.;:!?)]+$/;

/**
 * The address without campaign parameters, fragment and the slash at its end (except of a bare host); null for anything that
 * is not http or https. Applying it twice changes nothing.
 */
export function normalizeUrl(text: string): string | null {
  const label = text.indexOf('|');
  const written = (label === -1 ? text : text.slice(0, label)).trim().replace(trailing, '');
  const full = /^www\./i.test(written) ? `https://${written}` : written;
  const parts = /^(https?):\/\/([^/?#\s]+)([^?#\s]*)(\?[^#\s]*)?(?:#\S*)?$/i.exec(full);
  if (parts === null || !URL.canParse(full)) return null;
  const [, scheme = '', host = '', path = '', query = ''] = parts;
  const kept = query
    .slice(1)
    .split('&')
    .filter((parameter) => parameter !== '' && !/^utm_/i.test(parameter))
    .join('&')
    .replace(/[&,.;:!?)]+$/, '');
  const directory = path.replace(/[/,.;:!?)]+$/, '');
  const root = directory === '' && path !== '' ? '/' : directory;
  return `${scheme.toLowerCase()}://${host.toLowerCase()}${root}${kept === '' ? '' : `?${kept}`}`;
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
