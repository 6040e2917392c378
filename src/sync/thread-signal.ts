/** A latch between the lane that finds threads and the lane that reads them. */
export class ThreadSignal {
  #wake: (() => void) | null = null;
  #isRaised = false;
  #isClosed = false;

  /** Tells that threads became pending. */
  raise(): void {
    this.#isRaised = true;
    this.#wake?.();
  }

  /** Tells that no more will come. */
  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  /** Resolves to true when threads were found since the last call, to false when none will come any more. */
  async next(): Promise<boolean> {
    if (!this.#isRaised && !this.#isClosed) await new Promise<void>((resolve) => (this.#wake = resolve));
    const found = this.#isRaised;
    this.#isRaised = false;
    return found;
  }
}
