import { type Kysely, Transaction } from 'kysely';
import type { IsoTime } from '../../model.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { CandidateStatus, EventCandidateRow, Schema } from '../schema.ts';

/** A candidate as it is named, and as an owner may change it. */
export type CandidateKey = Pick<EventCandidateRow, 'team_id' | 'channel_id' | 'ts'>;

/** Which candidates may be leased: open ones of these channels, posted in `[from, to)`. */
export interface LeaseScope {
  teamId: string;
  channelIds: readonly string[];
  from: IsoTime;
  to: IsoTime;
}

export interface LeaseRequest {
  owner: string;
  now: IsoTime;
  expiresAt: IsoTime;
  limit: number;
  /** Only candidates with at least this score; null for all. */
  minScore: number | null;
  /** Candidates of the workspace that are passed over. */
  except: readonly CandidateKey[];
}

export interface LeasedCandidate extends CandidateKey {
  score: number;
  /** This one included. */
  attempts: number;
  /** What it was before it was leased. */
  previous: OpenStatus;
}

/** Not read by a language model yet. */
export type OpenStatus = 'new' | 'rules_ok';

/** So often is a candidate given to a language model. */
const maxAttempts = 3;

/**
 * Who works on which candidate: an owner has it until its lease expires, and nobody else meanwhile. Everything wants a
 * transaction except `listOpenScores`.
 */
export interface CandidateLeaseRepository {
  /**
   * Candidates whose owner is gone become `new` again, since what had read them before is not known any more; those that
   * were tried often enough become `llm_fail`. Returns how many there were.
   */
  returnExpired(teamId: string, now: IsoTime): Promise<number>;
  /** Descending. */
  listOpenScores(scope: LeaseScope): Promise<number[]>;
  /** Leases the best ones, each for one owner however many ask at once. Counts an attempt for each. */
  lease(scope: LeaseScope, request: LeaseRequest): Promise<LeasedCandidate[]>;
  /** Puts the end of a lease off; false when it is not the owner's any more. */
  renew(key: CandidateKey, owner: string, expiresAt: IsoTime): Promise<boolean>;
  /** Makes the candidate `llm_ok`; false, and no change, when it is not the owner's any more. */
  finish(key: CandidateKey, owner: string, now: IsoTime): Promise<boolean>;
  /** Gives the candidate back as it was, as if it had not been leased. */
  release(candidate: LeasedCandidate, owner: string, now: IsoTime): Promise<void>;
  /** Gives it back after a failure; after its last attempt it becomes `llm_fail`, with the reason. Tells which. */
  fail(
    candidate: LeasedCandidate,
    owner: string,
    failure: { reason: string; now: IsoTime },
  ): Promise<'lost' | 'returned' | 'llm_fail'>;
  /** Makes it `llm_fail`, however often it was tried. */
  giveUp(key: CandidateKey, owner: string, failure: { reason: string; now: IsoTime }): Promise<void>;
}

const openStatuses: readonly OpenStatus[] = ['new', 'rules_ok'];

/** The repository of one database, for any of its connections and transactions. */
export function candidateLeaseRepository(dialect: Dialect): (db: Kysely<Schema>) => CandidateLeaseRepository {
  return (db) => boundTo(dialect, db);
}

function boundTo(dialect: Dialect, db: Kysely<Schema>): CandidateLeaseRepository {
  const open = ({ teamId, channelIds, from, to }: LeaseScope) =>
    db
      .selectFrom('event_candidates')
      .where('team_id', '=', teamId)
      .where('status', 'in', openStatuses)
      .where(dialect.isAnyOf('channel_id', channelIds))
      .where('posted_at', '>=', from)
      .where('posted_at', '<', to)
      .where('attempts', '<', maxAttempts);

  const owned = ({ team_id, channel_id, ts }: CandidateKey, owner: string) =>
    db
      .updateTable('event_candidates')
      .where('team_id', '=', team_id)
      .where('channel_id', '=', channel_id)
      .where('ts', '=', ts)
      .where('status', '=', 'processing')
      .where('lease_owner', '=', owner);

  const end = async (key: CandidateKey, owner: string, ending: Ending): Promise<boolean> => {
    const { now, ...change } = ending;
    const changed = await owned(key, owner)
      .set({ ...change, lease_owner: null, lease_expires_at: null, updated_at: now })
      .returning('ts')
      .execute();
    return changed.length > 0;
  };

  return {
    async returnExpired(teamId, now) {
      await takeTurns(dialect, db);
      const expired = () =>
        db
          .updateTable('event_candidates')
          .set({ lease_owner: null, lease_expires_at: null, updated_at: now })
          .where('team_id', '=', teamId)
          .where('status', '=', 'processing')
          .where('lease_expires_at', '<=', now);
      const reason = `given up after ${maxAttempts} attempts, the last of which did not end`;
      const failed = await expired()
        .set({ status: 'llm_fail', reason })
        .where('attempts', '>=', maxAttempts)
        .returning('ts')
        .execute();
      const returned = await expired().set({ status: 'new' }).returning('ts').execute();
      return failed.length + returned.length;
    },

    async listOpenScores(scope) {
      const rows = await open(scope).select('score').orderBy('score', 'desc').execute();
      return rows.map(({ score }) => score);
    },

    async lease(scope, { owner, now, expiresAt, limit, minScore, except }) {
      await takeTurns(dialect, db);
      const best = open(scope)
        .select(['team_id', 'channel_id', 'ts', 'score', 'attempts', 'status'])
        .orderBy('score', 'desc')
        .orderBy('posted_at', 'desc')
        .orderBy('channel_id')
        .orderBy('ts', 'desc')
        .limit(limit + except.length);
      const found = await (minScore === null ? best : best.where('score', '>=', minScore)).execute();
      const nameOf = ({ channel_id, ts }: Pick<CandidateKey, 'channel_id' | 'ts'>) => `${channel_id} ${ts}`;
      const names = new Set(except.map(nameOf));
      const chosen = found.filter((row) => !names.has(nameOf(row))).slice(0, limit);
      const leased: LeasedCandidate[] = [];
      for (const { team_id, channel_id, ts, score, attempts, status } of chosen) {
        // Another stage may have changed it meanwhile: scoring does not wait for leases.
        const changed = await db
          .updateTable('event_candidates')
          .set({
            status: 'processing',
            lease_owner: owner,
            lease_expires_at: expiresAt,
            attempts: attempts + 1,
            updated_at: now,
          })
          .where('team_id', '=', team_id)
          .where('channel_id', '=', channel_id)
          .where('ts', '=', ts)
          .where('status', '=', status)
          .where('attempts', '=', attempts)
          .returning('ts')
          .execute();
        if (changed.length === 0) continue;
        const previous = status === 'new' ? 'new' : 'rules_ok';
        leased.push({ team_id, channel_id, ts, score, attempts: attempts + 1, previous });
      }
      return leased;
    },

    async renew(key, owner, expiresAt) {
      const renewed = await owned(key, owner).set({ lease_expires_at: expiresAt }).returning('ts').execute();
      return renewed.length > 0;
    },

    finish: (key, owner, now) => end(key, owner, { status: 'llm_ok', reason: null, now }),

    async release(candidate, owner, now) {
      await end(candidate, owner, { status: candidate.previous, attempts: candidate.attempts - 1, now });
    },

    async fail(candidate, owner, { reason, now }) {
      const isLast = candidate.attempts >= maxAttempts;
      const ending: Ending = isLast ? { status: 'llm_fail', reason, now } : { status: candidate.previous, now };
      if (!(await end(candidate, owner, ending))) return 'lost';
      return isLast ? 'llm_fail' : 'returned';
    },

    async giveUp(key, owner, { reason, now }) {
      await end(key, owner, { status: 'llm_fail', reason, now });
    },
  };
}

interface Ending {
  status: CandidateStatus;
  reason?: string | null;
  attempts?: number;
  now: IsoTime;
}

/** Runs that lease at the same moment wait for each other: what one takes the other does not even look at. */
async function takeTurns(dialect: Dialect, db: Kysely<Schema>): Promise<void> {
  if (!(db instanceof Transaction)) throw new Error('candidates may be leased inside a transaction only');
  await dialect.serialize(db, 'candidate leases');
}
