import { Refusal } from './refusal.ts';

export interface CursorLifetime {
  /** A listing may be continued this many times; the next continuation is refused. */
  pages?: number;
  ms?: number;
}

export interface Position {
  /** Where the next page begins: a ts or an id. */
  at: string;
  /** How many pages came before. */
  depth: number;
}

/**
 * Slack's cursors are base64 of a position ("next_ts:1512085861000543", "team:C061FA5PB"), so a listing that changes
 * under the reader goes on from the same place. One that this server did not mint for the same listing, or that is too
 * old, is an invalid_cursor (docs.slack.dev, pagination).
 */
export class Cursors {
  readonly #minted = new Map<string, Position & { mintedAt: number }>();
  readonly #lifetime: CursorLifetime;

  constructor(lifetime: CursorLifetime = {}) {
    this.#lifetime = lifetime;
  }

  /** `previous` is the position the page itself began at, undefined on the first page. */
  mint(listing: string, kind: string, at: string, previous: Position | undefined): string {
    const depth = (previous?.depth ?? 0) + 1;
    const place = `${kind}:${kind === 'next_ts' ? at.replace('.', '') : at}`;
    // An empty page stays where it was; its cursor still has to differ from the one that led there.
    const text = previous?.at === at ? `${place}:${depth}` : place;
    const cursor = Buffer.from(text).toString('base64');
    this.#minted.set(key(listing, cursor), { at, depth, mintedAt: Date.now() });
    return cursor;
  }

  open(listing: string, cursor: string | undefined): Position | undefined {
    if (cursor === undefined || cursor === '') return undefined;
    const position = this.#minted.get(key(listing, cursor));
    const { pages = Infinity, ms = Infinity } = this.#lifetime;
    if (position === undefined || position.depth > pages || Date.now() - position.mintedAt > ms) {
      throw new Refusal('invalid_cursor');
    }
    return position;
  }

  /** Every cursor handed out so far becomes invalid, as after hours. */
  expireAll(): void {
    this.#minted.clear();
  }
}

function key(listing: string, cursor: string): string {
  return `${listing} ${cursor}`;
}
