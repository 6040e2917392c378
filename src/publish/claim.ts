/**
 * The right to post a message of a digest. Whoever finds a claim waits until it is `settleMs` old, looks into the channel, and
 * then takes it over; so whoever holds one sends nothing once it is half that old. The other half is for the call itself.
 *
 * Slack knows no key by which it would refuse to post the same again. What remains is a process that is stopped in the very
 * moment between the last look at the clocks and the system call that sends: take-back.ts sees that afterwards.
 */
import type { DigestChunkRow } from '../db/schema.ts';
import { DatabaseError } from '../errors.ts';
import type { IsoTime, LastCheck } from '../model.ts';
import { millisToIso } from '../ts.ts';
import type { PublishContext } from './publish.ts';

const mostClaims = 10;

/** Somebody else has it, or it has become too old to be used. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
}

export class Claim {
  readonly #context: PublishContext;
  readonly #chunk: DigestChunkRow;
  /** As the chunk's row says it; null when nobody ever has claimed it. */
  takenAt: IsoTime | null;

  constructor(context: PublishContext, chunk: DigestChunkRow) {
    this.#context = context;
    this.#chunk = chunk;
    this.takenAt = chunk.claimed_at;
  }

  /** Whether it was taken at all, and not only found. */
  get isTaken(): boolean {
    return this.takenAt !== this.#chunk.claimed_at;
  }

  /**
   * Taken anew right before each request, so that its age tells when the message may still appear. Throws `ClaimLost` when
   * somebody else has it. What it returns throws the same when the claim is too old to send anything.
   */
  async take(): Promise<LastCheck> {
    const { store, now, signal, settleMs } = this.#context;
    const { digest_id, chunk_no } = this.#chunk;
    for (let tries = 0; tries < mostClaims; tries += 1) {
      signal.throwIfAborted();
      const before = this.takenAt;
      const at = laterThan(before, now());
      const age = ageOf(now);
      const isOurs = await store.transaction((tx) => tx.digests.claimChunk(digest_id, chunk_no, before, at));
      if (!isOurs) throw new ClaimLost();
      this.takenAt = at;
      const isYoung = () => age() <= settleMs / 2;
      // Where the database, or whoever stopped the process, keeps us waiting, others could look before the message can be seen.
      if (isYoung()) {
        return () => {
          if (!isYoung()) throw new ClaimLost();
        };
      }
    }
    throw new DatabaseError('the database is too slow to post safely: claiming a message takes too long');
  }
}

/**
 * Milliseconds since now, by the clock that goes on longest: one of them stands still while the machine sleeps, and the other
 * may be set back.
 */
function ageOf(now: () => number): () => number {
  const [wall, steady] = [now(), performance.now()];
  return () => Math.max(now() - wall, performance.now() - steady);
}

/** Two claims are told apart by their time, so no two have the same. */
function laterThan(claimedAt: IsoTime | null, now: number): IsoTime {
  return millisToIso(claimedAt === null ? now : Math.max(now, Date.parse(claimedAt) + 1));
}
