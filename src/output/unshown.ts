import { countOf } from './counts.ts';

/** What is to be said of a thread of which Slack shows fewer replies than its root tells of. */
export function unshownText(says: number, shows: number): string {
  return `Slack says ${countOf(says, 'reply', 'replies')} and shows ${shows}`;
}
