/** What of Slack's answers cannot be taken is set apart and told; the rest goes in. */

import { channelLabel } from '../labels.ts';
import type { JsonObject, Malformed, MessagePage, Ts } from '../model.ts';
import { failedUnit, type SyncContext } from './context.ts';

/** Elements that are told one by one, by a run or an import; all are counted. */
export const toldElements = 1000;

/** What is malformed of one page: `of` names the page for people. */
interface SetApart {
  code: 'malformed_message' | 'malformed_user' | 'malformed_usergroup' | 'malformed_channel';
  of: string;
  channelId: string | null;
  channel: string | null;
}

/** Records each element as an error, so that the run is partial; memory stays bounded however many there are. */
export function reportMalformed(
  context: SyncContext,
  elements: readonly Malformed[],
  { of, code, channelId, channel }: SetApart,
): void {
  const { malformed } = context;
  for (const { position, reason } of elements) {
    malformed.count += 1;
    const more = malformed.count - toldElements;
    if (malformed.more !== null) malformed.more.message = moreText(more);
    else if (more > 0) {
      malformed.more = failedUnit(context, {
        channelId: null,
        channel: null,
        code,
        message: moreText(more),
        hint: null,
      });
    } else {
      const element = position === null ? 'An element' : `Element ${position}`;
      const message = `${element} of ${of} ${reason}. It is set apart; the rest of the page is stored.`;
      failedUnit(context, { channelId, channel, code, message, hint: null }, 'unknown');
    }
  }
}

/** The same for a page of one channel's messages. */
export function reportMessages(
  context: SyncContext,
  { channelId, name }: { channelId: string; name: string },
  elements: readonly Malformed[],
): void {
  const of = `a page of ${channelLabel(name, channelId)}`;
  reportMalformed(context, elements, { code: 'malformed_message', of, channelId, channel: name });
}

/** What is known of the messages that were set apart. */
export function outlinesOf({ malformed }: MessagePage): (JsonObject & { ts: Ts })[] {
  return malformed.flatMap(({ outline }) => outline ?? []);
}

/** All that the page shows to be there, what of it cannot be stored included. */
export function placesOf(page: MessagePage): { ts: Ts }[] {
  return [...page.messages, ...outlinesOf(page)];
}

function moreText(count: number): string {
  return `Of Slack's answers, ${count} more ${count === 1 ? 'element' : 'elements'} cannot be taken; beyond the first ${toldElements} they are only counted.`;
}
