/**
 * Messages as teams write them, and the events a reader of a digest would want to be told of. An event is written as
 * `action|status|word of its object|start`; alternatives are parted by `/`. The start is a minute in UTC, or the author's local
 * day where only a day is told; empty when no time is told, so that the message's own is right.
 */

import { messages as ofBookshop } from './labelled-bookshop.ts';
import { messages as withoutEvents } from './labelled-chatter.ts';
import { messages as ofCompany } from './labelled-company.ts';
import { messages as elsewhere } from './labelled-elsewhere.ts';
import { messages as inEnglish } from './labelled-english.ts';
import { messages as ofFreeSoftware } from './labelled-free-software.ts';
import { messages as inOtherLanguages } from './labelled-languages.ts';
import { messages as ofPayments } from './labelled-payments.ts';
import { messages as ofSaas } from './labelled-saas.ts';
import { messages as ofSoftware } from './labelled-software.ts';
import { messages as ofTrades } from './labelled-trades.ts';
import { messages as ofUniversity } from './labelled-university.ts';

export interface Labelled {
  text: string;
  /** When it was posted, and where its author lives. */
  at: string;
  zone: string;
  attachments?: { title?: string; text?: string; fallback?: string }[];
  events: readonly string[];
}

type Entry = readonly [text: string, ...events: string[]];

/** Messages of one moment and place. */
export function posted(at: string, zone: string, entries: readonly Entry[]): Labelled[] {
  return entries.map(([text, ...events]) => ({ text, at, zone, events }));
}

/** A post of an app, which keeps its words in an attachment. */
export function byApp(at: string, attachment: { title?: string; text?: string }, ...events: string[]): Labelled {
  return { text: '', at, zone: 'UTC', attachments: [attachment], events };
}

export const labelled: readonly Labelled[] = [
  ...inEnglish,
  ...inOtherLanguages,
  ...ofCompany,
  ...elsewhere,
  ...ofTrades,
  ...ofSaas,
  ...ofBookshop,
  ...ofSoftware,
  ...ofPayments,
  ...ofUniversity,
  ...ofFreeSoftware,
  ...withoutEvents,
];
