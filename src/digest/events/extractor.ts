/** What every way of finding events in messages has in common. */
import type { IsoTime, Ts } from '../../model.ts';
import type { MessageText } from '../text/message-text.ts';
import type { ExtractedEvent } from './event.ts';

/** A message as an extractor sees it. */
export interface CandidateMessage {
  team_id: string;
  channel_id: string;
  ts: Ts;
  posted_at: IsoTime;
  /** Without `#`; null in direct messages. */
  channel_name: string | null;
  text: MessageText;
  /** IANA name: the author's time zone, or the configured one where it is not known. */
  zone: string;
  isBot: boolean;
  /** It says something in answer to others: a broadcast reply. */
  isReply: boolean;
}

export interface Extraction {
  /** At most five, in the order of the text. */
  events: ExtractedEvent[];
}

/** Finds events without calling anybody. */
export interface LocalExtractor {
  /** Changes whenever the same message may give other events. */
  readonly version: string;
  extract(message: CandidateMessage): Extraction;
}
