import { UsageError } from '../errors.ts';

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitMs;

/** A century: longer ones are typing errors and would leave the range of dates. */
const maxMs = 36_500 * unitMs.d;

/** How durations are written, for help and messages. */
export const durationForms = '90s, 15m, 36h or 7d';

/** Milliseconds of `90s`, `15m`, `36h`, `7d` or plain `0`; undefined for anything else. */
export function durationMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,12})([smhd])$/.exec(text === '0' ? '0s' : text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  const ms = Number(amount) * unitMs[unit as Unit];
  return ms <= maxMs ? ms : undefined;
}

/**
 * Milliseconds of a duration that a person wrote. `name` is the flag, variable or key it was given as.
 * @throws UsageError naming the flag, the value and the accepted forms
 */
export function parseDuration(text: string, name: string): number {
  const ms = durationMs(text.trim());
  if (ms === undefined) {
    throw new UsageError(`${name}: "${text}" is not a duration`, `Write a whole number with a unit: ${durationForms}.`);
  }
  return ms;
}

/** A duration for people, at most two units: `2 min 5 s`, `42 s`, `350 ms`, `1 d 3 h`. */
export function formatDuration(ms: number): string {
  if (ms > 0 && ms < 1_000) return `${Math.max(1, Math.floor(ms))} ms`;
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}
