/** What is known of a message while its clauses are read one after the other. */
import type { CandidateMessage } from '../events/extractor.ts';
import type { Language } from './language.ts';

export interface Context {
  message: CandidateMessage;
  /** The last line that told of an event and its day: a list below it tells of its parts. */
  dated: string | null;
  /** What the clauses before were about. */
  subject: string | null;
  language: Language;
  postedAt: number;
}
