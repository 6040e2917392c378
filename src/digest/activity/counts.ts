/** How much was said, by whom and where. */
import type { CountedMessage } from '../../db/repositories/activity.ts';
import type { Counts } from '../digest.ts';

/** Messages by which Slack tells of itself, not people of anything. */
const notices = new Set([
  'channel_join',
  'channel_leave',
  'channel_topic',
  'channel_purpose',
  'channel_name',
  'channel_archive',
  'channel_unarchive',
  'channel_convert_to_private',
  'channel_convert_to_public',
  'channel_posting_permissions',
  'group_join',
  'group_leave',
  'group_topic',
  'group_purpose',
  'group_name',
  'group_archive',
  'group_unarchive',
  'bot_add',
  'bot_remove',
  'pinned_item',
  'reminder_add',
  'huddle_thread',
  'sh_room_created',
  'app_conversation_join',
  'channel_canvas_updated',
  'tombstone',
]);

export function isNotice(subtype: string | null): boolean {
  return subtype !== null && notices.has(subtype);
}

class Tally {
  #messages = 0;
  readonly #people = new Set<string>();
  readonly #threads = new Set<string>();

  add({ channel_id, user_id, bot_id, is_reply, thread_ts }: CountedMessage, isBot: boolean): void {
    this.#messages += 1;
    if (user_id !== null && bot_id === null && !isBot) this.#people.add(user_id);
    if (is_reply && thread_ts !== null) this.#threads.add(`${channel_id} ${thread_ts}`);
  }

  counts(): Counts {
    return { messages: this.#messages, people: this.#people.size, threads: this.#threads.size };
  }
}

export interface Tallied {
  all: Counts;
  byChannel: ReadonlyMap<string, Counts>;
}

/** Counts messages, people and threads with replies; Slack's own notices are none of them. */
export function tally(messages: readonly CountedMessage[], isBot: (userId: string) => boolean): Tallied {
  const all = new Tally();
  const byChannel = new Map<string, Tally>();
  for (const message of messages) {
    if (isNotice(message.subtype)) continue;
    let ofChannel = byChannel.get(message.channel_id);
    if (ofChannel === undefined) {
      ofChannel = new Tally();
      byChannel.set(message.channel_id, ofChannel);
    }
    const byBot = message.user_id !== null && isBot(message.user_id);
    all.add(message, byBot);
    ofChannel.add(message, byBot);
  }
  return { all: all.counts(), byChannel: new Map([...byChannel].map(([id, counted]) => [id, counted.counts()])) };
}

export const noCounts: Counts = { messages: 0, people: 0, threads: 0 };
