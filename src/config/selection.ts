import { UsageError } from '../errors.ts';

/** What a selection needs to know of a channel. Direct messages have no name. */
export interface SelectableChannel {
  id: string;
  name: string | null;
  previousNames?: readonly string[];
}

/** A channel that was asked for by id or name and will not be read. */
export interface UnmetInclude {
  /** The pattern as the person wrote it. */
  pattern: string;
  /** `unknown`: no channel shown so far has this id or name. `excluded`: an exclude pattern removes it again. */
  reason: 'unknown' | 'excluded';
}

export interface ChannelSelection {
  /** Whether the channel is selected. Every channel of the workspace has to be shown once before `unmet` tells the truth. */
  matches(channel: SelectableChannel): boolean;
  /** Include patterns without wildcard that selected nothing: a typing error must not look like an empty channel. */
  unmet(): UnmetInclude[];
}

/**
 * Selects channels by id, name or glob (`*` any text, `?` one character), with or without `#`, in any case.
 * No include pattern means all channels; exclude beats include. A plain name also finds the channel that had
 * it before a rename, so a crontab survives renames; a glob looks at the present name only.
 * @throws UsageError for an empty pattern
 */
export function selectChannels(patterns: { include: readonly string[]; exclude: readonly string[] }): ChannelSelection {
  const include = patterns.include.map(parsePattern);
  const exclude = patterns.exclude.map(parsePattern);
  const outcomes = new Map<Pattern, 'selected' | 'excluded'>();

  function matches(channel: SelectableChannel): boolean {
    const excluded = exclude.some((pattern) => matchesPattern(pattern, channel));
    const hits = include.filter((pattern) => matchesPattern(pattern, channel));
    for (const pattern of hits) {
      if (outcomes.get(pattern) !== 'selected') outcomes.set(pattern, excluded ? 'excluded' : 'selected');
    }
    return !excluded && (include.length === 0 || hits.length > 0);
  }

  function unmet(): UnmetInclude[] {
    return include.flatMap((pattern): UnmetInclude[] => {
      const outcome = outcomes.get(pattern);
      if (pattern.isGlob || outcome === 'selected') return [];
      return [{ pattern: pattern.written, reason: outcome ?? 'unknown' }];
    });
  }

  return { matches, unmet };
}

interface Pattern {
  written: string;
  folded: string;
  isGlob: boolean;
}

function parsePattern(written: string): Pattern {
  const folded = fold(written.trim().replace(/^#/, ''));
  if (folded === '') {
    throw new UsageError(`"${written}" names no channel`, 'Give a channel id, a name or a glob such as "proj-*".');
  }
  return { written, folded, isGlob: /[*?]/.test(folded) };
}

function matchesPattern(pattern: Pattern, channel: SelectableChannel): boolean {
  const id = fold(channel.id);
  const name = fold(channel.name ?? '');
  if (pattern.isGlob) return matchesGlob(pattern.folded, name);
  return (
    id === pattern.folded ||
    name === pattern.folded ||
    (channel.previousNames ?? []).some((previous) => fold(previous) === pattern.folded)
  );
}

/** Slack's names are lower case; macOS terminals may send decomposed accents. */
function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/**
 * Walks both texts once and returns to the last star only, so that no pattern takes more than
 * pattern × name steps; a pattern made into a RegExp can take exponentially many.
 */
function matchesGlob(glob: string, name: string): boolean {
  const pattern = Array.from(glob);
  const text = Array.from(name);
  let p = 0;
  let t = 0;
  let starAt = -1;
  let retryAt = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      starAt = p++;
      retryAt = t;
    } else if (pattern[p] === '?' || (p < pattern.length && pattern[p] === text[t])) {
      p++;
      t++;
    } else if (starAt !== -1) {
      p = starAt + 1;
      t = ++retryAt;
    } else {
      return false;
    }
  }
  return pattern.slice(p).every((character) => character === '*');
}
