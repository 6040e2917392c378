/**
 * The world's time and the ts it hands out. It moves only when something is posted or a test says so, so that a
 * test can place messages before, during and after a run.
 */
export class Clock {
  #micros: number;
  #sequence = 0;

  constructor(start: Date | number) {
    this.#micros = Math.floor(Number(start) / 1000) * 1_000_000;
  }

  /** Epoch milliseconds. */
  get now(): number {
    return Math.floor(this.#micros / 1000);
  }

  get seconds(): number {
    return Math.floor(this.#micros / 1_000_000);
  }

  advance(seconds: number): void {
    if (seconds < 0) throw new Error('The clock never goes back; give an explicit ts instead.');
    this.#micros += Math.round(seconds * 1_000_000);
  }

  /**
   * A ts later than every one handed out before; costs one second of world time. It always ends in a zero: whoever
   * passes a ts through a float prints it back one digit short, and shall fail.
   */
  nextTs(): string {
    this.#micros = (Math.floor(this.#micros / 1_000_000) + 1) * 1_000_000;
    this.#sequence += 1;
    return tsFromMicros(this.#micros + ((this.#sequence * 7919) % 99_999) * 10);
  }

  /** A ts that many days before now, unlike any handed out before. The clock stays where it is. */
  daysAgo(days: number): string {
    this.#sequence += 1;
    const seconds = Math.floor(this.#micros / 1_000_000 - days * 86_400);
    return tsFromMicros(seconds * 1_000_000 + ((this.#sequence * 7919) % 99_999) * 10);
  }
}

/** Exact: microseconds fit a double until 2255. */
export function tsFromMicros(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  return `${String(seconds).padStart(10, '0')}.${String(micros % 1_000_000).padStart(6, '0')}`;
}

/** A bound as callers send it ("1700000000", "1700000000.5") in the fixed width that sorts as text; undefined when malformed. */
export function parseBound(value: string): string | undefined {
  const match = /^(\d{1,10})(?:\.(\d{1,6}))?$/.exec(value);
  if (match === null) return undefined;
  return `${(match[1] ?? '').padStart(10, '0')}.${(match[2] ?? '').padEnd(6, '0')}`;
}
