/** Rows as aligned plain text, safe to print. */
import { printable } from '../../src/secrets.ts';

export type Cell = string | number | null;

const widest = 56;

/** Numbers to the right, text to the left, long text cut. */
export function formatTable(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [[...titles], ...rows.map((row) => row.map(formatCell))];
  const widths = titles.map((_, column) => Math.max(...cells.map((row) => widthOf(row[column] ?? ''))));
  const isNumber = titles.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  return cells
    .map((row) =>
      row
        .map((text, column) => {
          const padding = ' '.repeat((widths[column] ?? 0) - widthOf(text));
          return isNumber[column] ? padding + text : text + padding;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatCell(cell: Cell): string {
  if (typeof cell === 'number') return cell.toLocaleString('en-US');
  const text = printable(cell ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const characters = [...text];
  return characters.length <= widest ? text : `${characters.slice(0, widest - 1).join('')}…`;
}

/** Emoji take two cells on most terminals, marks and joiners none. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}|\p{Cf}/u.test(character)) continue;
    width += /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\uffef]/u.test(character) ? 2 : 1;
  }
  return width;
}
