/** Lines of text as a terminal of so many cells shows them. */
import { cellsIn, padded, truncate, wrap } from './cells.ts';
import { oneLine } from './plain-text.ts';
import { webLink } from './web-link.ts';

/** Colours of a terminal; each gives the text back with what switches the colour on and off around it. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

export interface TextScreen {
  /** How many cells a line has; 80 where nobody knows. Below 20 it counts as 20. */
  columns: number;
  /** Null for no colours. */
  paint: Paint | null;
}

export type Style = keyof Paint;

const narrowest = 20;
/** Longer lines are hard to read, however wide the screen. */
const widest = 110;
const indent = '  ';
const bullet = '• ';
/** Less of a name says nothing. */
const fewestOfName = 8;

/**
 * Collects lines. What is written may come from outsiders: it is made printable here, then broken into lines, then coloured,
 * so that a colour neither counts as width nor can be imitated.
 */
export class TextPage {
  readonly lines: string[] = [];
  readonly #width: number;
  readonly #paint: Paint | null;

  constructor({ columns, paint }: TextScreen) {
    this.#width = Math.min(widest, Math.max(narrowest, columns));
    this.#paint = paint;
  }

  /** A paragraph from the left edge. */
  line(text: string, ...styles: Style[]): void {
    this.#write(text, '', '', styles);
  }

  gap(): void {
    this.lines.push('');
  }

  title(text: string): void {
    this.gap();
    this.line(text, 'bold');
  }

  /** A paragraph of a section that is no item of a list. */
  remark(text: string, ...styles: Style[]): void {
    this.#write(text, indent, indent, styles);
  }

  item(text: string, ...styles: Style[]): void {
    this.#write(text, indent + bullet, indent + indent, styles);
  }

  /** More about the item above. */
  detail(text: string, ...styles: Style[]): void {
    this.#write(text, indent + indent, indent + indent, styles);
  }

  /** Where the item above can be read: on one line when it fits, else the address alone, and whole. */
  address(address: string | null, label = ''): void {
    const link = webLink(address) ?? '';
    const both = [oneLine(label), link].filter((part) => part !== '').join('  ');
    if (cellsIn(both) <= this.#width - 2 * indent.length) {
      if (both !== '') this.lines.push(indent + indent + this.#painted(both, ['dim']));
      return;
    }
    this.detail(label, 'dim');
    if (link !== '') this.lines.push(indent + indent + this.#painted(link, ['dim']));
  }

  /**
   * Rows of a name and numbers, in columns. The name is cut where the screen is narrow; where even that does not help, only the
   * first number of each row is shown.
   */
  table(heads: readonly string[], rows: readonly (readonly string[])[]): void {
    const all = [heads, ...rows].map((cells) => cells.map(oneLine));
    const widths = heads.map((_, index) => all.reduce((most, cells) => Math.max(most, cellsIn(cells[index] ?? '')), 0));
    const room = widths.slice(1).reduce((left, cells) => left - cells - 1, this.#width - indent.length);
    const name = Math.min(widths[0] ?? 0, Math.max(fewestOfName, room));
    const shown = room < fewestOfName ? 2 : heads.length;
    for (const [row, [first = '', ...numbers]] of all.entries()) {
      const columns = numbers.slice(0, shown - 1).map((cell, index) => {
        // A change stands close to the number it belongs to.
        const isChange = index % 2 === 1;
        return padded(cell, widths[index + 1] ?? 0, isChange ? 'left' : 'right');
      });
      const line = truncate([padded(first, name), ...columns].join(' '), this.#width - indent.length).trimEnd();
      this.lines.push(indent + this.#painted(line, row === 0 ? ['dim'] : []));
    }
  }

  #write(text: string, first: string, rest: string, styles: readonly Style[]): void {
    for (const [index, line] of wrap(oneLine(text), this.#width - cellsIn(rest)).entries()) {
      this.lines.push((index === 0 ? first : rest) + this.#painted(line, styles));
    }
  }

  #painted(text: string, styles: readonly Style[]): string {
    const paint = this.#paint;
    return paint === null ? text : styles.reduce((painted, style) => paint[style](painted), text);
  }
}
