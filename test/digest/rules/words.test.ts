import { describe, expect, it } from 'vitest';
import { Literals, words } from '../../../src/digest/rules/words.ts';

describe('a list of words', () => {
  const list = words(
    '(?:re)?deploy(?:ed|ing)',
    '(?<=we )ship',
    'go(?:es)? live(?! tv)',
    'リリース',
    'geh(?:t|en) (?:\\S+ ){0,3}live',
  );

  it.each([
    ['We deployed it', 3, 8],
    ['REDEPLOYING now', 0, 11],
    ['soon we ship', 8, 4],
    ['İt goes live today', 3, 9],
    ['新しいリリースです', 3, 4],
    ['Wir gehen am Montag live.', 4, 20],
  ])('is found in "%s" as whole words, whatever their case', (text, index, length) => {
    expect(list.isIn(text)).toBe(true);
    expect(list.placesIn(text)).toEqual([{ index, length }]);
  });

  it.each(['undeployed', 'deployedly', 'pre-deployed', 'they ship', 'it goes live tv', ''])(
    'is not found in "%s"',
    (text) => {
      expect(list.isIn(text)).toBe(false);
      expect(list.placesIn(text)).toEqual([]);
    },
  );
});

describe('the letters that a pattern needs', () => {
  it.each([
    ['(?:is|are) (?:now )?(?:down|offline)', 'it is now offline', 'it is now online'],
    ['(?:re-?)?scheduled', 'rescheduled', 'reschedules'],
    ['colou?r', 'color', 'cool'],
    ['[ab]\\.c\\d\\p{L}+ word', 'x word', 'x worm'],
    ['(?<!\\bas )announc(?:ed|es)', 'announces', 'announ'],
    ['a{0,2}bc(?:d)*ef', 'bcef', 'b e'],
  ])('of %s are looked for', (stem, may, cannot) => {
    const literals = new Literals([stem]);
    expect([may, cannot].map((text) => literals.mayBeIn(text))).toEqual([true, false]);
  });

  it('may be none: then it may be anywhere', () => {
    expect(new Literals(['\\d+', 'word']).mayBeIn('')).toBe(true);
  });
});
