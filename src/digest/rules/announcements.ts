/** Events that no telling word tells of: a name and a day to come, or an item of a list whose heading tells. */
import type { ExtractedEvent } from '../events/event.ts';
import { anchorsOf } from '../text/anchors.ts';
import { build, versionIn } from './build-event.ts';
import type { Clause } from './clauses.ts';
import { lessFor } from './confidence.ts';
import type { Context } from './context.ts';
import { type FoundDate, mayAnnounce, readDates } from './dates.ts';
import { kindOf } from './kind-by-name.ts';
import type { Match } from './matches.ts';
import { announcedName, dateMark, masked } from './object-name.ts';
import { sure } from './status.ts';
import { tenseOf } from './tense.ts';
import { absenceWords, anyKind, doubtWords, requestWords } from './vocabulary.ts';

const dayMs = 86_400_000;

/**
 * "Playtest on Wednesday 15:00", "the pitch for Contoso is on 28 January": a name and a time to come, whatever it is. Less sure
 * than a word that tells of events.
 */
const fileName = /\.(?:png|jpe?g|gif|heic|webp|mp4|mov|pdf|docx?|xlsx?|pptx?|csv|zip|log|txt|json|ya?ml)\b/i;

/** As calendars put it: "Canceled: Planning". */
const label =
  /^(?:(cancell?ed|abgesagt|annulé|cancelado)|(postponed|rescheduled|verschoben|reporté|pospuesto))(?: event)?:\s+(?=\S)/i;

export function announced(said: string, context: Context): ExtractedEvent[] {
  const [labels = '', isCanceled, isPostponed] = label.exec(said) ?? [];
  const text = said.slice(labels.length);
  const status = isCanceled !== undefined ? 'canceled' : isPostponed !== undefined ? 'postponed' : 'planned';
  // "A few things for next week:" is a heading.
  if (!mayAnnounce(text) || fileName.test(text) || text.endsWith(':')) return [];
  const { postedAt, language, message } = context;
  const [date] = readDates(text, language, { postedAt, zone: message.zone }, 'forward');
  if (date === undefined || Date.parse(date.start) <= postedAt) return [];
  const name = announcedName(text.slice(0, date.index)) ?? nameBehind(text, date);
  if (name === null || doubtWords.isIn(text) || absenceWords.isIn(text) || requestWords.isIn(text)) return [];
  const anchor = anchorsOf(text, [])[0] ?? versionIn(text);
  const kind = kindOf(anyKind, name);
  const facts = { text: said, kind, object: name, anchor, status, date } as const;
  return [build({ ...facts, confidence: labels === '' ? sure.announced : sure.verb }, context.message)];
}

/** "Mar 17: Hiring day". */
function nameBehind(text: string, { index, length }: FoundDate): string | null {
  if (text.slice(0, index).trim() !== '') return null;
  const rest = /^\s*[:–—-]\s*([^.,;:()]{3,60})(?:$|[.,;()])/u.exec(text.slice(index + length))?.[1];
  return rest === undefined ? null : announcedName(rest);
}

/** "We launched: • Dark mode • CSV export": what is over needs no date. */
function finished({ text, heading }: Clause, match: Match, context: Context): ExtractedEvent[] {
  const { action } = match.kind;
  if (heading === null || !heading.endsWith(':') || !match.isVerb || (action !== 'Launch' && action !== 'Deploy'))
    return [];
  if (tenseOf(heading, [match], () => false) !== 'past' || doubtWords.isIn(heading)) return [];
  const [said = ''] = text.split(/[.;(:–—]|\s-\s/);
  const name = announcedName(said);
  if (name === null) return [];
  const anchor = anchorsOf(text, [])[0] ?? versionIn(text);
  const facts = { text, kind: match.kind, object: name, anchor, status: 'completed', date: null } as const;
  return [build({ ...facts, confidence: sure.followUp }, context.message)];
}

/** "Release dates: • iOS: 12 Oct • Android: 19 Oct": each item is what the heading tells of. */
export function fromList(
  clause: Clause,
  inherited: readonly Match[],
  dates: readonly FoundDate[],
  context: Context,
): ExtractedEvent[] {
  const [match] = inherited;
  const [date] = dates;
  if (match === undefined) return [];
  if (date === undefined) return finished(clause, match, context);
  // Parts of what is told above, with a date of its own: "taxis only after 9pm", "runs to 30 September".
  if (context.dated === clause.heading) return [];
  const unmarked = masked(clause.text, dates);
  const name = unmarked
    .split(dateMark)
    .map((part) =>
      part
        .replace(/^[\s:,–—-]+|[\s:,–—-]+$/g, '')
        .replace(/\s+(?:on|at|by|from|until|am|le|el)$/i, '')
        .trim(),
    )
    .find((part) => /\p{L}/u.test(part));
  if (name === undefined) return [];
  const isOver = Date.parse(date.start) + dayMs < context.postedAt;
  const { text, heading } = clause;
  const anchor = anchorsOf(text, [])[0] ?? versionIn(text);
  const status = isOver ? 'completed' : 'planned';
  const isDoubtful = doubtWords.isIn(text) || doubtWords.isIn(heading ?? '');
  const confidence = isDoubtful ? sure.list - lessFor.doubt : sure.list;
  return [
    build({ text, kind: match.kind, object: name.slice(0, 80), anchor, status, date, confidence }, context.message),
  ];
}
