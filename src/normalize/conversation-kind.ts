/**
 * What kind a conversation is: the one place that decides it, whatever its object comes from.
 *
 * Wrong evidence must not publish what was said in private. So a conversation is public only when something says so and
 * nothing speaks against it; and what nothing settles is of kind `unknown`, which everybody else treats as private.
 */
import type { ChannelKind, JsonObject, JsonValue } from '../model.ts';

/** The conversation's own flags, as Slack's API has them and as other programs write them into their exports. */
export const kindFlags = ['is_channel', 'is_group', 'is_im', 'is_mpim', 'is_private'] as const;

/**
 * By its own flags, then its id, then its name, then `listedAs`, the kind of the list of an export that it stands in (the
 * objects of Slack's own exports have no flags). What contradicts itself is not public.
 */
export function kindOf(channel: JsonObject, listedAs: ChannelKind = 'unknown'): ChannelKind {
  const says = (flag: (typeof kindFlags)[number]) => sayingOf(channel[flag]);
  const id = textOf(channel['id']);
  const isGroupMessage = textOf(channel['name']).toLowerCase().startsWith('mpdm-');
  if (says('is_im') === 'yes') return 'im';
  if (says('is_mpim') === 'yes') return 'mpim';
  if (id.startsWith('D')) return 'im';
  // Group messages are private too, and their ids begin like those of private channels.
  const isClosed = says('is_private') === 'yes' || says('is_group') === 'yes' || id.startsWith('G');
  if (isClosed) return isGroupMessage || listedAs === 'mpim' ? 'mpim' : 'private';
  if (isGroupMessage) return 'mpim';
  if (listedAs !== 'public' && listedAs !== 'unknown') return listedAs;
  return isCalledPublic(channel, listedAs) ? 'public' : 'unknown';
}

/** `is_channel` is true of private channels too (docs.slack.dev conversation object), so alone it does not say it. */
function isCalledPublic(channel: JsonObject, listedAs: ChannelKind): boolean {
  const sayings = kindFlags.map((flag) => sayingOf(channel[flag]));
  // A program that writes all flags as false had nothing to fill them with.
  if (sayingOf(channel['is_channel']) === 'no') return false;
  if (sayingOf(channel['is_private']) === 'no') return true;
  return listedAs === 'public' && !sayings.includes('unclear');
}

type Saying = 'yes' | 'no' | 'nothing' | 'unclear';

/** Programs write flags as 0 and 1, or as text. */
function sayingOf(value: JsonValue | undefined): Saying {
  if (value === undefined) return 'nothing';
  const written = typeof value === 'object' ? 'null' : String(value).trim().toLowerCase();
  if (written === 'true' || written === '1') return 'yes';
  return written === 'false' || written === '0' ? 'no' : 'unclear';
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** From what says nothing to what is nobody else's business. */
const byStrictness: readonly ChannelKind[] = ['unknown', 'public', 'private', 'mpim', 'im'];

/** What two lists or two exports say together, in either order: what one of them calls private is private. */
export function strictestKind(one: ChannelKind, other: ChannelKind): ChannelKind {
  return byStrictness.indexOf(one) >= byStrictness.indexOf(other) ? one : other;
}
