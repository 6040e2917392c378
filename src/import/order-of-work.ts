/** In which order the day files of an export are stored. */
import type { MessageFile } from '../export/layout.ts';

/** About what a database keeps in its cache of the indexes that such a stretch touches. */
const stretchBytes = 64 << 20;

/**
 * Oldest first, in stretches of time, and within a stretch channel by channel. Channel by channel alone, the indexes by time
 * and by author would be written all over for every channel: an export of millions of messages would take ever longer. Day
 * by day alone, every transaction would concern every channel.
 */
export function inStretches(days: readonly MessageFile[]): MessageFile[] {
  const byDate = [...days].sort((a, b) => compare(a.date, b.date) || compare(a.folder, b.folder));
  const ordered: MessageFile[] = [];
  let stretch: MessageFile[] = [];
  let bytes = 0;
  const close = (): void => {
    stretch.sort((a, b) => compare(a.folder, b.folder) || compare(a.date, b.date));
    // Not spread into one call: its arguments lie on the stack, which has room for some 100,000.
    for (const day of stretch) ordered.push(day);
    stretch = [];
    bytes = 0;
  };
  for (const day of byDate) {
    if (bytes >= stretchBytes && day.date !== stretch.at(-1)?.date) close();
    stretch.push(day);
    bytes += day.size;
  }
  close();
  return ordered;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
