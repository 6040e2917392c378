/**
 * Slack's time. This machine's clock may be wrong by hours or years, and jump while a run is at work; every answer of
 * Slack carries its own time in the `Date` header (RFC 9110, 6.6.1), and what is read is Slack's past, not ours.
 */

/** A header tells whole seconds, an answer takes a while to arrive, and small errors do no harm. */
const toleranceMs = 60_000;

/** What a broken proxy or an appliance after a reset may say is no time of Slack's. */
const earliest = Date.UTC(2020, 0);
const latest = Date.UTC(2100, 0);

export class SlackTime {
  readonly #local: () => number;
  readonly #steady: () => number;
  /** What Slack's clock showed, and where the steady one stood then. */
  #answered: { date: number; at: number } | null = null;

  /** `local`: epoch milliseconds by this machine. `steady`: milliseconds of a clock that nobody sets. */
  constructor(local: () => number, steady: () => number = () => performance.now()) {
    this.#local = local;
    this.#steady = steady;
  }

  /** Takes the `Date` header of an answer that is Slack's without doubt. Absent or odd ones change nothing. */
  note(header: string | null): void {
    const date = header === null ? Number.NaN : Date.parse(header);
    if (date >= earliest && date < latest) this.#answered = { date, at: this.#steady() };
  }

  /** Epoch milliseconds: this machine's time where it agrees with Slack's or Slack has not said, else Slack's. */
  now(): number {
    const local = this.#local();
    return this.#offsetOf(local) === 0 ? local : this.#slack();
  }

  /** By how much this machine's clock is ahead, negative when behind; 0 where it is right or Slack has not said. */
  get aheadMs(): number {
    return this.#offsetOf(this.#local());
  }

  /** Slack's own time, null as long as Slack has not said: for what must not rest on this machine's word. */
  told(): number | null {
    return this.#answered === null ? null : this.#slack();
  }

  #offsetOf(local: number): number {
    if (this.#answered === null) return 0;
    const offset = Math.round(local - this.#slack());
    return Math.abs(offset) <= toleranceMs ? 0 : offset;
  }

  #slack(): number {
    if (this.#answered === null) return this.#local();
    const { date, at } = this.#answered;
    return Math.round(date + this.#steady() - at);
  }
}
