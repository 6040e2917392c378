/** Random choices that can be made again from their seed. */

/** Numbers in [0, 1): mulberry32, good enough to choose by. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const drawn: { item: Item; at: number }[] = items.map((item) => ({ item, at: random() }));
  return drawn.sort((a, b) => a.at - b.at).map(({ item }) => item);
}

/** Keeps `size` of the items it is shown, each with the same chance, however many come. */
export class Reservoir<Item> {
  readonly #size: number;
  readonly #random: () => number;
  readonly #kept: Item[] = [];
  #shown = 0;

  constructor(size: number, random: () => number) {
    this.#size = size;
    this.#random = random;
  }

  show(item: Item): void {
    this.#shown += 1;
    if (this.#kept.length < this.#size) {
      this.#kept.push(item);
      return;
    }
    const place = Math.floor(this.#random() * this.#shown);
    if (place < this.#size) this.#kept[place] = item;
  }

  get shown(): number {
    return this.#shown;
  }

  get kept(): readonly Item[] {
    return this.#kept;
  }
}
