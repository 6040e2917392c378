/** The width of text on a terminal, where a character takes no cell, one or two. */

/** The text cut to so many terminal cells, with `…` where something is missing. */
export function truncate(text: string, cells: number): string {
  const characters = [...text];
  if (cellsIn(text) <= cells) return text;
  let used = 1;
  let kept = '';
  for (const character of characters) {
    used += cellsOf(character);
    if (used > cells) break;
    kept += character;
  }
  return cells < 1 ? '' : `${kept}…`;
}

/** How many terminal cells the text takes. */
export function cellsIn(text: string): number {
  return [...text].reduce((sum, character) => sum + cellsOf(character), 0);
}

/** The text followed, or with `right` preceded, by as many spaces as it takes to fill the cells. Cut when it is wider. */
export function padded(text: string, cells: number, align: 'left' | 'right' = 'left'): string {
  const cut = truncate(text, cells);
  const padding = ' '.repeat(Math.max(0, cells - cellsIn(cut)));
  return align === 'right' ? padding + cut : cut + padding;
}

/**
 * The words of the text in lines of at most so many cells (at least 2). A word that fits no line is broken, as text without
 * spaces (Chinese, Japanese, Thai) has to be. An address stays whole, alone on its line, because a broken one cannot be opened.
 */
export function wrap(text: string, cells: number): string[] {
  const lines: string[] = [];
  let line = '';
  const startLine = () => {
    if (line !== '') lines.push(line);
    line = '';
  };
  for (const word of text.split(/\s+/).filter((each) => each !== '')) {
    const room = cells - (line === '' ? 0 : cellsIn(line) + 1);
    if (cellsIn(word) <= room) {
      line += line === '' ? word : ` ${word}`;
      continue;
    }
    if (cellsIn(word) <= cells || /^https?:\/\//i.test(word)) {
      startLine();
      line = word;
      continue;
    }
    if (room < fewestOfWord) startLine();
    else if (line !== '') line += ' ';
    for (const character of word) {
      if (cellsIn(line) + cellsOf(character) > cells) startLine();
      line += character;
    }
  }
  startLine();
  return lines;
}

/** Of a broken word no fewer cells stand at the end of a line. */
const fewestOfWord = 8;

/** Terminals disagree about emoji and symbols; counting one too many costs a character, one too few breaks the line. */
function cellsOf(character: string): number {
  if (/\p{Mark}|\p{Cf}/u.test(character)) return 0;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x1100 || (code >= 0x1e00 && code < 0x2300) ? 1 : 2;
}
