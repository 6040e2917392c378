/** HTML in which nobody can forget to escape: text becomes markup only through these functions. */
import { oneLine } from './plain-text.ts';
import { splitAddresses, webLink } from './web-link.ts';

/** A piece of HTML that is well formed and safe. */
export class Markup {
  readonly html: string;

  constructor(html: string) {
    this.html = html;
  }
}

type Value = Markup | string | number | null | readonly (Markup | null)[];

/** The template, with texts among the values made printable and escaped (in quoted attributes too), and null left out. */
export function html(template: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(template.map((part, index) => part + htmlOf(values[index] ?? null)).join(''));
}

function htmlOf(value: Value): string {
  if (value === null) return '';
  if (value instanceof Markup) return value.html;
  if (typeof value === 'object') return value.map(htmlOf).join('');
  return escapeHtml(oneLine(String(value)));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** A link that tells the page behind it nothing; only the label where the address is none for a link. */
export function htmlLink(label: string | Markup, address: string | null): Markup {
  const link = webLink(address);
  return link === null ? html`${label}` : html`<a href="${link}" rel="noreferrer noopener">${label}</a>`;
}

/** Text whose addresses are links. */
export function linkedText(text: string): Markup {
  const parts = splitAddresses(oneLine(text));
  return new Markup(
    parts.map((part) => (part.link === null ? escapeHtml(part.text) : htmlLink(part.text, part.link).html)).join(''),
  );
}
