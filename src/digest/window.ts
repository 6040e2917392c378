/** The stretch of time that a digest tells of. */
import { AppError } from '../errors.ts';
import type { IsoTime } from '../model.ts';
import { millisToIso } from '../ts.ts';
import type { DigestWindow } from './digest.ts';

/** What the reader asked for; epoch milliseconds. */
export type WindowRequest =
  /** A fixed stretch. */
  | { kind: 'fixed'; from: number; to: number }
  /** Up to now: from a moment, or from where the last posted digest ended, or `first` long when none was posted yet. */
  | { kind: 'upToNow'; from: number }
  | { kind: 'sinceLast'; firstMs: number };

export interface WindowSettings {
  now: number;
  zone: string;
  /** How far the section of coming events reaches beyond the window; 0 for none. */
  upcomingMs: number;
}

/**
 * The window. `lastTo` is where the last digest ended that was posted to the same place: what it told is not told again, so a
 * window up to now begins there at the earliest; a fixed one is what was asked for. A window in which there is nothing left
 * has `from` equal to `to`. Throws `AppError` for one before 1970, where no clock is right.
 */
export function windowOf(request: WindowRequest, lastTo: IsoTime | null, settings: WindowSettings): DigestWindow {
  const { now } = settings;
  const last = lastTo === null ? null : Math.min(Date.parse(lastTo), now);
  switch (request.kind) {
    case 'fixed':
      return windowFrom(request.from, request.to, settings);
    case 'upToNow':
      return windowFrom(Math.max(request.from, last ?? 0), now, settings);
    case 'sinceLast':
      return windowFrom(last ?? now - request.firstMs, now, settings);
  }
}

function windowFrom(from: number, to: number, { zone, upcomingMs }: WindowSettings): DigestWindow {
  const begin = Math.min(from, to);
  if (begin < 0) {
    throw new AppError(
      `the clock of this machine says ${new Date(to).toISOString()}, and the digest would begin before 1970`,
      {
        hint: 'Set the clock.',
      },
    );
  }
  return {
    from: millisToIso(begin),
    to: millisToIso(to),
    before: { from: millisToIso(Math.max(0, begin - (to - begin))), to: millisToIso(begin) },
    zone,
    upcoming_to: upcomingMs > 0 ? millisToIso(to + upcomingMs) : null,
  };
}
