/** In which language a message is written, as far as its dates and verbs depend on it. */

export type Language = 'en' | 'de' | 'fr' | 'es' | 'pt' | 'nl' | 'ru' | 'ja' | 'zh';

/** Short words that stand in almost every sentence of one language and hardly in any of the others. */
const commonWords: readonly (readonly [Language, RegExp])[] = [
  [
    'de',
    wordsOf(
      'der die das und ist wird werden wurde nicht für mit auf heute morgen uhr wir ein eine einen vom zum zur ab bis im am ist haben gestern',
    ),
  ],
  [
    'fr',
    wordsOf(
      "le la les des du est sera été avec pour nous dans sur une un demain aujourd'hui hier et au aux à ce cette",
    ),
  ],
  ['es', wordsOf('el la los las del está será fue con para nosotros mañana hoy ayer y en una un se al por hemos')],
  ['pt', wordsOf('o os as do da dos das está será foi com para nós amanhã hoje ontem e em uma um não às ao foram')],
  ['nl', wordsOf('de het een en is wordt worden niet voor met op vandaag morgen gisteren wij van om zijn naar er')],
  ['en', wordsOf('the a is are was will we to of and in on at for with has have been our this it be from')],
];

function wordsOf(list: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${list.split(' ').join('|')})(?![\\p{L}\\p{N}])`, 'giu');
}

/** Enough of a long message to know. */
const looked = 600;

export function languageOf(text: string): Language {
  const start = text.slice(0, looked);
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(start)) return 'ja';
  if (/\p{Script=Cyrillic}{2}/u.test(start)) return 'ru';
  if (/\p{Script=Han}/u.test(start)) return 'zh';
  let best: Language = 'en';
  let most = 0;
  for (const [language, words] of commonWords) {
    const count = start.match(words)?.length ?? 0;
    // English comes last and wins a draw: its words stand in many texts of others.
    if (count > most || (count === most && count > 0 && language === 'en')) [best, most] = [language, count];
  }
  return best;
}
