/** Of which conversation the elements of a file are, and which of them are no messages. */
import type { Element, ReadElement } from '../export/json-elements.ts';
import { type Defects, messageOf, messagesIn } from '../export/read-list.ts';
import { type Around, channelOf, type FoundRecord, type Routes, routeOf, withoutReplies } from '../export/records.ts';
import type { JsonValue } from '../model.ts';
import { hasOddThread, type Message } from '../timestamps.ts';
import { isLocalId, localPrefix } from './folders.ts';

/** Messages of one conversation. */
export interface SortedMessages {
  /** Null for the file's own. */
  folder: string | null;
  isWrapped: boolean;
  messages: { position: number; message: Message; isMended: boolean }[];
}

/** Where the file lies. */
interface Place {
  folder: string;
  routes: Routes | null;
}

/**
 * The messages of a portion by their conversations, at least one part. Why others are none, or cannot be given to a
 * conversation, is added to the defects.
 */
export function sortElements(
  elements: readonly Element[],
  place: Place,
  channels: ReadonlyMap<string, string>,
  defects: Defects,
): SortedMessages[] {
  // Of a folder that nothing names, messages may say more.
  const isNamed = !isLocalId(channels.get(place.folder) ?? localPrefix);
  const own: SortedMessages = { folder: null, isWrapped: false, messages: [] };
  const parts = new Map<string | null, SortedMessages>([[null, own]]);
  const addRecord = (position: number, { kind, value, around }: FoundRecord): void => {
    const told = kind === 'foreign' ? notWhole : folderOf(around, place, channels);
    if (told === null) return;
    if ('reason' in told) {
      defects.add({ position, reason: told.reason });
      return;
    }
    const part = parts.get(told.folder) ?? { folder: told.folder, isWrapped: true, messages: [] };
    parts.set(told.folder, part);
    part.isWrapped = true;
    addMessage(part, position, value, defects);
  };
  for (const element of elements) {
    const { position } = element;
    if ('reason' in element) defects.add({ position, reason: element.reason });
    else if (place.routes === null && isPlain(element, isNamed)) addMessage(own, position, element.value, defects);
    else {
      const records = messagesIn(element);
      if (typeof records === 'string') defects.add({ position, reason: records });
      else for (const record of records) addRecord(position, record);
    }
  }
  const filled = [...parts.values()].filter(({ messages }) => messages.length > 0);
  return filled.length > 0 ? filled : [own];
}

const notWhole = { reason: 'is no message as Slack keeps it: of another program, an event, or what a search found' };

function addMessage(part: SortedMessages, position: number, received: JsonValue, defects: Defects): void {
  const message = messageOf(received);
  if (typeof message === 'string') {
    defects.add({ position, reason: message });
    return;
  }
  part.messages.push({ position, message, isMended: message !== received });
  if (message['thread_ts'] !== undefined && hasOddThread(message)) {
    defects.add({ position, reason: 'has a thread_ts that is none, so it is stored outside of its thread' });
  }
}

/** What almost every element of a day file is: a message that holds no others, or nothing that could hold any. */
function isPlain({ value, found }: ReadElement, isNamed: boolean): boolean {
  if (found !== undefined) return false;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return !Array.isArray(value);
  if (value['ts'] === undefined || (!isNamed && channelOf(value) !== null)) return false;
  return value['reply_count'] === undefined || withoutReplies(value).replies.length === 0;
}

/** The folder by the routes; in a day file its own, unless what stands around the message says otherwise. */
function folderOf(
  around: Around,
  { folder, routes }: Place,
  channels: ReadonlyMap<string, string>,
): { folder: string | null } | { reason: string } | null {
  if (routes !== null) {
    const route = routes.get(routeOf(around));
    if (route === null) return null;
    return route === undefined ? { reason: 'is of a conversation that nobody can tell' } : { folder: route };
  }
  const { channel, hints } = around;
  const own = channels.get(folder);
  const others = (channel === null ? hints.filter((hint) => channels.has(hint)) : [channel]).filter(
    (name) => channels.get(name) !== own,
  );
  return others[0] === undefined
    ? { folder: null }
    : { reason: `is of ${others[0]} by what stands around it, and lies in the folder ${folder}` };
}
