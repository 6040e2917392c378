/** Reads the HTML that we write, strictly: what a browser would have to mend is an error here. */

const elements = new Set(
  'html head meta title style body main article header footer section nav h1 h2 h3 h4 p ul li div span b bdi a time del ins table caption thead tbody tfoot tr th td svg rect details summary'.split(
    ' ',
  ),
);
const empty = new Set(['meta', 'rect']);
const tag = /<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+="[^"<>]*")*)(\/?)>/y;

export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: (Element | string)[];
}

/** Throws where the document is not well formed, or holds an element that no digest needs. */
export function readHtml(text: string): Element {
  const start = '<!doctype html>\n';
  if (!text.startsWith(start)) throw new Error('no doctype');
  const root: Element = { name: '', attributes: {}, children: [] };
  const open = [root];
  let at = start.length;
  while (at < text.length) {
    const current = open.at(-1) ?? root;
    if (text[at] !== '<') {
      const end = text.indexOf('<', at);
      const words = text.slice(at, end === -1 ? text.length : end);
      if (current.name !== 'style' && /&(?!(?:amp|lt|gt|quot|#39);)/.test(words))
        throw new Error(`bare & in "${words}"`);
      current.children.push(current.name === 'style' ? words : decode(words));
      at += words.length;
      continue;
    }
    tag.lastIndex = at;
    const match = tag.exec(text);
    const name = match?.[2] ?? '';
    if (match === null || !elements.has(name)) throw new Error(`no tag: ${text.slice(at, at + 60)}`);
    if (match[1] === '/') {
      if (current.name !== name) throw new Error(`</${name}> ends <${current.name}>`);
      open.pop();
    } else {
      const pairs = [...(match[3] ?? '').matchAll(/ ([a-z-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [
        key,
        decode(value),
      ]);
      const element: Element = { name, attributes: Object.fromEntries(pairs), children: [] };
      current.children.push(element);
      if (!empty.has(name)) open.push(element);
    }
    at = tag.lastIndex;
  }
  if (open.length > 1) throw new Error(`<${open.at(-1)?.name}> is never ended`);
  return root;
}

function decode(text: string): string {
  const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => characters[name] ?? '');
}

export function findAll(element: Element, name: string): Element[] {
  return element.children.flatMap((child) =>
    typeof child === 'string' ? [] : [...(child.name === name ? [child] : []), ...findAll(child, name)],
  );
}

export function textOf(element: Element): string {
  return element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}
