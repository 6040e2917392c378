import { UsageError } from '../errors.ts';

/** What a selection needs to know of a channel. Direct messages have no name. */
export interface SelectableChannel {
  id: string;
  name: string | null;
  formerNames?: readonly string[];
  formerIds?: readonly string[];
  /** Of all its names those that another channel has now. */
  takenNames?: readonly string[];
}

/** Channels that were asked for and will not be read. */
export interface UnmetInclude {
  /** The pattern as the person wrote it. */
  pattern: string;
  /** `unknown`: no channel shown so far fits. `excluded`: an exclude pattern removes the one with this id or name again. */
  reason: 'unknown' | 'excluded';
}

export interface ChannelSelection {
  /** Whether the channel is selected. Every channel of the workspace has to be shown once before `unmet` tells the truth. */
  matches(channel: SelectableChannel): boolean;
  /**
   * Include patterns that selected nothing: a typing error must not look like an empty channel. A glob is not among them
   * when all that fits is excluded, or when there is no channel at all.
   */
  unmet(): UnmetInclude[];
  /** Exclude patterns that no channel shown fits: one that is misspelt keeps nothing out. None when no channel was shown. */
  idleExcludes(): string[];
}

/**
 * Selects channels by id, name or glob (`*` any text, `?` one character), with or without `#`, in any case.
 * No include pattern means all channels; exclude beats include. A plain name or id also finds the channel that had
 * it before, so a crontab survives renames and new ids; a glob looks at what it is called now.
 *
 * Names are used again. A plain name includes the channel that has it now rather than one that had it; it excludes both,
 * because what was kept out must not come in through what other people call their channels.
 * @throws UsageError for an empty pattern
 */
export function selectChannels(patterns: { include: readonly string[]; exclude: readonly string[] }): ChannelSelection {
  const include = patterns.include.map(parsePattern);
  const exclude = patterns.exclude.map(parsePattern);
  const outcomes = new Map<Pattern, 'selected' | 'excluded'>();
  const usedExcludes = new Set<Pattern>();
  let isAnyShown = false;

  function matches(channel: SelectableChannel): boolean {
    isAnyShown = true;
    const excludedBy = exclude.filter((pattern) => matchesPattern(pattern, channel));
    for (const pattern of excludedBy) usedExcludes.add(pattern);
    const excluded = excludedBy.length > 0;
    const untaken = withoutTakenNames(channel);
    const hits = include.filter((pattern) => matchesPattern(pattern, pattern.isGlob ? channel : untaken));
    for (const pattern of hits) {
      if (outcomes.get(pattern) !== 'selected') outcomes.set(pattern, excluded ? 'excluded' : 'selected');
    }
    return !excluded && (include.length === 0 || hits.length > 0);
  }

  function unmet(): UnmetInclude[] {
    return include.flatMap((pattern): UnmetInclude[] => {
      const outcome = outcomes.get(pattern);
      if (outcome === 'selected' || (pattern.isGlob && (outcome === 'excluded' || !isAnyShown))) return [];
      return [{ pattern: pattern.written, reason: outcome ?? 'unknown' }];
    });
  }

  function idleExcludes(): string[] {
    return isAnyShown ? exclude.filter((pattern) => !usedExcludes.has(pattern)).map(({ written }) => written) : [];
  }

  return { matches, unmet, idleExcludes };
}

/** Whether a pattern may mean several channels. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

interface Pattern {
  written: string;
  folded: string;
  isGlob: boolean;
  /** The glob, when it is written as ids are: Slack's names have no capitals, and `c*` must not select every C id. */
  idGlob: string | null;
}

function parsePattern(written: string): Pattern {
  const bare = written.trim().replace(/^#/, '');
  const folded = fold(bare);
  if (folded === '') {
    throw new UsageError(`"${written}" names no channel`, 'Give a channel id, a name or a glob such as "proj-*".');
  }
  const idGlob = isGlob(bare) && /^[CDG][A-Z0-9*?]*$/.test(bare) ? bare : null;
  return { written, folded, isGlob: isGlob(bare), idGlob };
}

function withoutTakenNames(channel: SelectableChannel): SelectableChannel {
  const { name, formerNames = [], takenNames = [] } = channel;
  if (takenNames.length === 0) return channel;
  const isOwn = (own: string) => !takenNames.includes(own);
  return { ...channel, name: name !== null && isOwn(name) ? name : null, formerNames: formerNames.filter(isOwn) };
}

function matchesPattern({ folded, isGlob: isPattern, idGlob }: Pattern, channel: SelectableChannel): boolean {
  const { id, name, formerNames = [], formerIds = [] } = channel;
  if (isPattern) return matchesGlob(folded, fold(name ?? '')) || (idGlob !== null && matchesGlob(idGlob, id));
  return [id, name ?? '', ...formerNames, ...formerIds].some((called) => fold(called) === folded);
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
