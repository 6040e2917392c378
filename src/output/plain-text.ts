/** Text from outside before a medium's own escaping. */
import { printable } from '../secrets.ts';

/** On one line, without controls, secrets and halves of surrogate pairs. Every text of a digest passes here first. */
export function oneLine(text: string): string {
  return printable(text.toWellFormed()).replace(/\s+/g, ' ').trim();
}
