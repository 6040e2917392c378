/** Posts as status pages write them: "[Statuspage] Investigating – Delayed notifications". */
import type { ExtractedEvent, Status } from '../events/event.ts';
import { build } from './build-event.ts';
import type { Clause } from './clauses.ts';
import type { Context } from './context.ts';
import { sure } from './status.ts';
import { anyKind, kinds } from './vocabulary.ts';

const headline =
  /^(?:\[[^\]]{2,30}\]\s*|statuspage:?\s+)(investigating|identified|monitoring|update|resolved)\s*[–—:-]\s+(\S.{3,80})$/i;

const statuses: Readonly<Record<string, Status>> = {
  investigating: 'started',
  identified: 'updated',
  monitoring: 'updated',
  update: 'updated',
  resolved: 'completed',
};

const incident = kinds.find(({ action }) => action === 'Incident') ?? anyKind;

/** The incident that a headline names; null for any other clause. */
export function incidentOfStatusPage({ text, isQuestion }: Clause, { message }: Context): ExtractedEvent | null {
  const [, word = '', title = ''] = headline.exec(text) ?? [];
  const status = statuses[word.toLowerCase()];
  // A sentence is none: "Resolved - The issue has been fixed."
  if (status === undefined || isQuestion || /[.!]$/.test(title)) return null;
  const facts = { text, kind: incident, object: title.trim(), anchor: null, status, date: null } as const;
  return build({ ...facts, confidence: sure.verb }, message);
}
