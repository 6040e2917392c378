/** An event as it is stored, of what was found in a clause. */
import type { IsoTime } from '../../model.ts';
import { localTime, startOf } from '../../time-zone.ts';
import { millisToIso } from '../../ts.ts';
import type { ExtractedEvent, Status } from '../events/event.ts';
import type { CandidateMessage } from '../events/extractor.ts';
import { anchorsOf } from '../text/anchors.ts';
import type { FoundDate } from './dates.ts';
import { environments, impactAreas, type Kind, severities } from './vocabulary.ts';

export interface Facts {
  text: string;
  kind: Kind;
  object: string;
  anchor: string | null;
  status: Status;
  date: FoundDate | null;
  confidence: number;
}

export function versionIn(text: string): string | null {
  return /\bv\d+(?:\.\d+)*(?:-[\w.]+)?\b|\b\d+\.\d+\.\d+\b|\bQ[1-4][- ]\d{4}\b/i.exec(text)?.[0] ?? null;
}

/** What names the event besides its object: a ticket, else a version. */
function anchorBeside(object: string, anchors: readonly string[], found: string | null): string | null {
  const folded = object.toLowerCase();
  return (
    [...anchors, ...(found === null ? [] : [found])].find((anchor) => !folded.includes(anchor.toLowerCase())) ?? null
  );
}

/** Of days, where the last one ends. */
export function endOf({ end, hasTime }: FoundDate, zone: string): IsoTime | null {
  if (end === null || hasTime) return end;
  const { year, month, day } = localTime(Date.parse(end), zone);
  return millisToIso(startOf({ year, month, day: day + 1 }, zone));
}

export function build(
  { text, kind, object, anchor, status, date, confidence }: Facts,
  message: CandidateMessage,
): ExtractedEvent {
  const isPlanned =
    status === 'planned' ||
    status === 'confirmed' ||
    status === 'postponed' ||
    (status === 'canceled' && date !== null);
  const isDone = status === 'completed' || status === 'rolled_back';
  const at = date?.start ?? message.posted_at;
  const end = date === null ? null : endOf(date, message.zone);
  const links = message.text.links.filter((link) => text.includes(link));
  const near = anchorsOf(text, links);
  const anchors = near.length > 0 ? near : message.text.anchors.slice(0, 1);
  const { plain } = message.text;
  return {
    action: kind.action,
    object_name_raw: object,
    qualifiers: [],
    stroke: null,
    anchor: anchorBeside(object, anchors, anchor),
    category: kind.category,
    status,
    change_type: kind.change_type,
    environment: environments.find(([, pattern]) => pattern.isIn(text))?.[0] ?? 'unknown',
    severity: kind.category === 'risk' ? (severities.find(([, pattern]) => pattern.isIn(plain))?.[0] ?? null) : null,
    planned_start: isPlanned ? (date?.start ?? null) : null,
    planned_end: isPlanned ? end : null,
    actual_start: isPlanned || (isDone && date?.end === null) || (isDone && date === null) ? null : at,
    actual_end: isDone ? (end ?? at) : null,
    ...(date !== null && !date.hasTime ? { days_only: true } : {}),
    time_source: date === null ? 'ts_fallback' : date.isRelative ? 'relative' : 'explicit',
    time_confidence: date?.confidence ?? 0.3,
    summary: text,
    why_it_matters: null,
    links: (links.length > 0 ? links : message.text.links).slice(0, 3),
    anchors,
    impact_area: impactAreas
      .filter(([, pattern]) => pattern.isIn(text))
      .map(([area]) => area)
      .slice(0, 3),
    impact_type: kind.action === 'Incident' ? ['downtime'] : kind.action === 'Policy' ? ['policy_change'] : [],
    confidence: Math.max(0, Math.min(1, Math.round(confidence * 100) / 100)),
  };
}
