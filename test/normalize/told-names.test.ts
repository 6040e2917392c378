/** Names of people as messages tell them: the newest counts, in whatever order and portions messages come. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/model.ts';
import { ToldNames } from '../../src/normalize/told-names.ts';
import { parseTs } from '../../src/ts.ts';

const at = (n: number) => parseTs(`${1_700_000_000 + n}.000100`);

function told(...messages: JsonObject[]) {
  const names = new ToldNames();
  for (const [i, message] of messages.entries())
    names.add({ ts: at(i), ...message } as JsonObject & { ts: ReturnType<typeof at> });
  return names.take();
}

it('come from the profile beside a message and from labels of mentions', () => {
  const user_profile = { name: 'ada', real_name: 'Ada Lovelace', display_name: '', avatar_hash: 'x' };
  expect(told({ user: 'U0ADA', user_profile, text: 'hi <@U0BOB|bob&amp;co>, <@U0CY>' })).toMatchObject([
    { user_id: 'U0ADA', profile_ts: at(0), name: 'ada', real_name: 'Ada Lovelace', display_name: null, label: null },
    { user_id: 'U0BOB', profile_ts: null, label_ts: at(0), label: 'bob&co' },
  ]);
});

it('are none where nothing is told, or nothing that can be stored', () => {
  const odd = [null, 7, 'x', [], {}, { name: '' }, { name: 5, real_name: null }, { real_name: 'x'.repeat(300) }];
  const tellers = odd.map((user_profile) => ({ user: 'U0ADA', user_profile }) as JsonObject);
  for (const one of told(...tellers, { user: 'B0BOT', user_profile: { name: 'bot' } }, { text: '<@U0ADA|>' }))
    expect(one).toMatchObject({ profile_ts: null, label_ts: null });
  expect(told({ user: 'U0ADA', user_profile: { name: 'a\u0000b\ud800' } })[0]?.name).toBe('a\ufffdb\ufffd');
});

it('are the same whatever the order of messages, and however they are portioned', () => {
  const name = fc.constantFrom('ada', 'ada2', 'countess');
  const message = fc.record({
    ts: fc.integer({ min: 0, max: 4 }).map(at),
    user: fc.constantFrom('U0ADA', 'U0BOB'),
    ...{ text: name.map((one) => `<@U0BOB|${one}>`), user_profile: fc.option(fc.record({ real_name: name })) },
  });
  const sorted = (names: ToldNames) => names.take().sort((a, b) => (a.user_id < b.user_id ? -1 : 1));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), fc.nat(), (messages, cut) => {
      const whole = new ToldNames();
      for (const one of messages) whole.add(one);
      const [first, second, all] = [new ToldNames(), new ToldNames(), new ToldNames()];
      const half = messages.length === 0 ? 0 : cut % messages.length;
      for (const one of messages.slice(half)) first.add(one);
      for (const one of [...messages.slice(0, half)].reverse()) second.add(one);
      for (const one of [...first.take(), ...second.take()]) all.put(one);
      expect(sorted(all)).toEqual(sorted(whole));
    }),
  );
});
