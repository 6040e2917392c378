/** A table of plain text for a terminal of so many columns. Pure. */
import { cellsIn, padded } from '../output/cells.ts';

export interface Column {
  title: string;
  /** Numbers stand at the right. Default: left. */
  align?: 'right';
  /** Cut short when the table is too wide; at most one column is. */
  isFlexible?: boolean;
}

const gap = 2;
/** Less says nothing. */
const narrowestFlexible = 8;

/** The lines of the table, each at most `width` cells unless even that cannot hold the columns that are not flexible. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, index) => all.reduce((most, row) => Math.max(most, cellsIn(row[index] ?? '')), 0));
  const total = widths.reduce((sum, cells) => sum + cells, 0) + gap * (columns.length - 1);
  const flexible = columns.findIndex(({ isFlexible }) => isFlexible === true);
  const widest = widths[flexible];
  if (widest !== undefined) {
    widths[flexible] = Math.min(widest, Math.max(narrowestFlexible, widest - Math.max(0, total - width)));
  }
  return all.map((row) =>
    columns
      .map(({ align }, index) => padded(row[index] ?? '', widths[index] ?? 0, align ?? 'left'))
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}
