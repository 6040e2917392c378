/** Private stays private, whatever speaks of a conversation and in whichever order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChannelKind, JsonObject } from '../../src/model.ts';
import { kindFlags, kindOf, strictestKind } from '../../src/normalize/conversation-kind.ts';

const kinds: ChannelKind[] = ['unknown', 'public', 'private', 'mpim', 'im'];
const yes = [true, 1, 'true', 'True', '1', ' TRUE '];
const no = [false, 0, 'false', 'False', '0'];
const unclear = [null, '', 'yes?', 2, {}, []];

describe('the kind of a conversation', () => {
  it.each<[string, JsonObject, ChannelKind | undefined, ChannelKind]>([
    ['its own flag before the list', { id: 'C1', is_private: true }, 'public', 'private'],
    ['as the API has a public channel', { id: 'C1', is_channel: true, is_private: false }, undefined, 'public'],
    ['as the API has a private one of today', { id: 'C1', is_channel: true, is_private: true }, undefined, 'private'],
    ['as the API has a private one of old', { id: 'G1', is_channel: false, is_group: true }, undefined, 'private'],
    ['a group message among the channels', { id: 'C1', is_mpim: true, is_private: true }, 'public', 'mpim'],
    ['a direct message among the channels', { id: 'D1', user: 'U1' }, 'public', 'im'],
    ['an id that no public channel has', { id: 'G1', name: 'plans' }, 'public', 'private'],
    ['a name that no public channel has', { id: 'C1', name: 'mpdm-ada--bo-1' }, 'public', 'mpim'],
    ['a group message by its name only', { name: 'mpdm-ada--bo-1' }, undefined, 'mpim'],
    ['a private one whose name says more', { id: 'G1', is_private: true, name: 'mpdm-a--b-1' }, 'public', 'mpim'],
    ['the list, where nothing else tells', { id: 'C1', name: 'general' }, 'public', 'public'],
    ['the list of private channels', { id: 'C1', name: 'plans' }, 'private', 'private'],
    ['the list against a flag that says public', { id: 'C1', is_private: false }, 'private', 'private'],
    ['nothing at all', { id: 'C1', name: 'general' }, undefined, 'unknown'],
    ['a flag that private channels have too', { id: 'C1', is_channel: true }, undefined, 'unknown'],
    ['flags that were never filled in', { id: 'C1', is_channel: false, is_private: false }, undefined, 'unknown'],
    ['a flag that says nothing', { id: 'C1', is_private: null }, 'public', 'unknown'],
  ])('%s', (_, channel, listedAs, kind) => expect(kindOf(channel, listedAs)).toBe(kind));

  it('reads flags as programs write them', () => {
    for (const value of yes) expect(kindOf({ id: 'C1', is_private: value }, 'public')).toBe('private');
    for (const value of no) expect(kindOf({ id: 'C1', is_private: value })).toBe('public');
    for (const value of unclear) expect(kindOf({ id: 'C1', is_private: value }, 'public')).toBe('unknown');
  });

  const flag = fc.constantFrom<JsonObject[string] | undefined>(undefined, ...yes, ...no, ...unclear);
  const evidence = fc.record({
    flags: fc.record(Object.fromEntries(kindFlags.map((name) => [name, flag]))),
    id: fc.constantFrom('C012345', 'G012345', 'D012345', ''),
    name: fc.constantFrom('plans', 'mpdm-ada--bo-1', 'MPDM-ada--bo-1', undefined),
    listedAs: fc.constantFrom(undefined, ...kinds),
  });

  it('is never public where anything speaks against it, and only where something speaks for it', () => {
    fc.assert(
      fc.property(evidence, ({ flags, id, name, listedAs }) => {
        const written = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
        const kind = kindOf({ ...written, id, ...(name === undefined ? {} : { name }) } as JsonObject, listedAs);
        const isYes = (one: string) => yes.some((value) => value === flags[one]);
        const isAgainst =
          ['is_im', 'is_mpim', 'is_private', 'is_group'].some(isYes) ||
          /^[DG]/.test(id) ||
          name?.toLowerCase().startsWith('mpdm-') === true ||
          ['private', 'mpim', 'im'].includes(listedAs ?? '');
        const isFor = no.some((value) => value === flags['is_private']) || listedAs === 'public';
        if (isAgainst) expect(['private', 'mpim', 'im']).toContain(kind);
        if (kind === 'public') expect({ isAgainst, isFor }).toEqual({ isAgainst: false, isFor: true });
      }),
      { numRuns: 2000 },
    );
  });

  it('is the same from several sources in any order, however often each is heard', () => {
    const all = fc.array(fc.constantFrom(...kinds), { minLength: 1 });
    fc.assert(
      fc.property(all, fc.func(fc.integer()), (told, rank) => {
        const shuffled = [...told, ...told].map((kind, i) => ({ kind, at: rank(i) })).sort((a, b) => a.at - b.at);
        const together = shuffled.map(({ kind }) => kind).reduce(strictestKind, 'unknown');
        expect(together).toBe(told.reduce(strictestKind, 'unknown'));
        if (told.some((kind) => kind !== 'public' && kind !== 'unknown')) expect(together).not.toBe('public');
      }),
    );
  });
});
