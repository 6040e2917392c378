import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectChannels } from '../../src/config/selection.ts';
import { UsageError } from '../../src/errors.ts';

const general = { id: 'C0GENERAL', name: 'general' };
const projectX = { id: 'C0PROJX', name: 'proj-x', formerNames: ['skunkworks'], formerIds: ['G0PROJX'] };
const projectY = { id: 'C0PROJY', name: 'proj-y' };
const direct = { id: 'D0ALICE', name: null };
const all = [general, projectX, projectY, direct];

function select(include: string[], exclude: string[] = []): string[] {
  const { matches } = selectChannels({ include, exclude });
  return all.filter(matches).map(({ id }) => id);
}

describe('selectChannels', () => {
  it('selects all channels without patterns', () => {
    expect(select([])).toEqual(all.map(({ id }) => id));
  });

  it.each(['general', '#general', 'General', ' #GENERAL ', 'C0GENERAL', 'c0general', 'gen*', '#g?n*l'])(
    'finds #general by "%s"',
    (pattern) => {
      expect(select([pattern])).toEqual(['C0GENERAL']);
    },
  );

  it('adds up includes and lets excludes win', () => {
    expect(select(['proj-*', 'general'], ['#proj-y'])).toEqual(['C0GENERAL', 'C0PROJX']);
    expect(select([], ['D0ALICE', 'proj-*'])).toEqual(['C0GENERAL']);
  });

  it('finds a channel by the plain name it had before, not by a glob on it', () => {
    expect(select(['skunkworks'])).toEqual(['C0PROJX']);
    expect(select(['skunk*'])).toEqual([]);
    expect(select(['proj-*'], ['skunkworks'])).toEqual(['C0PROJY']);
  });

  it('finds a channel by the id it had before', () => {
    expect(select(['G0PROJX'])).toEqual(['C0PROJX']);
    expect(select(['proj-*'], ['g0projx'])).toEqual(['C0PROJY']);
  });

  it('includes the channel that has the name now, and excludes the one that had it too', () => {
    const now = { id: 'C0NOW', name: 'plans' };
    const before = { id: 'C0BEFORE', name: 'old-plans', formerNames: ['plans'], takenNames: ['plans'] };
    const gone = { id: 'C0GONE', name: 'plans', takenNames: ['plans'] };
    const chosen = (include: string[], exclude: string[] = []) =>
      [now, before, gone].filter(selectChannels({ include, exclude }).matches).map(({ id }) => id);
    expect(chosen(['plans'])).toEqual(['C0NOW']);
    expect(chosen(['plans', 'C0BEFORE', 'C0GONE'])).toEqual(['C0NOW', 'C0BEFORE', 'C0GONE']);
    expect(chosen([], ['plans'])).toEqual([]);
  });

  it('matches globs written like ids against ids, and no others', () => {
    expect(select(['C0PROJ*'])).toEqual(['C0PROJX', 'C0PROJY']);
    expect(select([], ['D*'])).toEqual(['C0GENERAL', 'C0PROJX', 'C0PROJY']);
    // Every id begins with one of three letters; so do many names.
    expect(select(['c*'])).toEqual([]);
    expect(select(['g*'])).toEqual(['C0GENERAL']);
    expect(select(['PROJ-*'])).toEqual(['C0PROJX', 'C0PROJY']);
  });

  it('selects direct messages by id and by the star alone', () => {
    expect(select(['D0ALICE'])).toEqual(['D0ALICE']);
    expect(select(['*'])).toHaveLength(4);
    expect(select(['?*'])).not.toContain('D0ALICE');
  });

  it('takes other characters of regular expressions literally', () => {
    expect(select(['proj.x'])).toEqual([]);
    expect(select(['(general|proj-x)'])).toEqual([]);
  });

  it('compares names however accents are encoded', () => {
    const { matches } = selectChannels({ include: ['café'.normalize('NFD')], exclude: [] });
    expect(matches({ id: 'C1', name: 'café'.normalize('NFC') })).toBe(true);
  });

  it('tells which names and globs were not found and which names were excluded again', () => {
    const include = ['#genral', 'proj-x', 'nothing-*', 'general', 'pro*'];
    const selection = selectChannels({ include, exclude: ['proj-*'] });
    all.forEach(selection.matches);
    expect(selection.unmet()).toEqual([
      { pattern: '#genral', reason: 'unknown' },
      { pattern: 'proj-x', reason: 'excluded' },
      { pattern: 'nothing-*', reason: 'unknown' },
    ]);
  });

  it('blames no glob where there are no channels at all', () => {
    expect(selectChannels({ include: ['eng-*', '*'], exclude: [] }).unmet()).toEqual([]);
  });

  it.each(['', '#', '  '])('refuses the empty pattern "%s"', (pattern) => {
    expect(() => selectChannels({ include: [pattern], exclude: [] })).toThrow(UsageError);
    expect(() => selectChannels({ include: [], exclude: [pattern] })).toThrow(UsageError);
  });

  it('matches globs as the equivalent regular expression does', () => {
    const letters = (alphabet: string[]) =>
      fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength: 8 }).map((list) => list.join(''));
    fc.assert(
      fc.property(letters(['a', 'b', '*', '?']), letters(['a', 'b']), (glob, name) => {
        const expected = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(name);
        const { matches } = selectChannels({ include: [glob], exclude: [] });
        const isPlain = !/[*?]/.test(glob);
        expect(matches({ id: 'C1', name })).toBe(isPlain ? glob === name : expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is quick for a glob of many stars', () => {
    const { matches } = selectChannels({ include: [`${'*a'.repeat(200)}b`], exclude: [] });
    const started = performance.now();
    matches({ id: 'C1', name: 'a'.repeat(5_000) });
    expect(performance.now() - started).toBeLessThan(500);
  });
});
