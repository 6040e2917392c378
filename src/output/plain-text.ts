/** Text from outside before a medium's own escaping. */
import { printable } from '../secrets.ts';

/** On one line, without controls, secrets and halves of surrogate pairs. Every text of a digest passes here first. */
export function oneLine(text: string): string {
  return printable(text.toWellFormed()).replace(/\s+/g, ' ').trim();
}

/** At most so many UTF-16 units, never half a character, with `…` where something is missing. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, Math.max(0, length - 1));
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}
