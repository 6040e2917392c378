/** In which language a message is written, as far as its dates and verbs depend on it. */

export type Language = 'en' | 'de' | 'fr' | 'es' | 'pt' | 'nl' | 'ru' | 'ja' | 'zh';

/** Short words that stand in almost every sentence of one language and hardly in any of the others. */
const commonWords: readonly (readonly [Language, string])[] = [
  [
    'de',
    'der die das und ist wird werden wurde nicht für mit auf heute morgen uhr wir ein eine einen vom zum zur ab bis im am haben gestern',
  ],
  ['fr', 'le la les des du est sera été avec pour nous dans sur une un demain aujourd hier et au aux à ce cette'],
  ['es', 'el la los las de del está será fue con para nosotros mañana hoy ayer y en una un se al por hemos'],
  ['pt', 'o os as do da dos das é de está será foi com para nós amanhã hoje ontem e em uma um não às ao foram'],
  ['nl', 'de het een en is wordt worden niet voor met op vandaag morgen gisteren wij van om zijn naar er'],
  // It comes last and wins a draw: its words stand in many texts of others.
  ['en', 'the a is are was will we to of and in on at for with has have been our this it be from'],
];

/** Names of days and months weigh more: what a language is asked for are its dates. Those that are English too are left out. */
const dateNames: readonly (readonly [Language, string])[] = [
  [
    'de',
    'montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar märz mai juni juli oktober dezember',
  ],
  [
    'fr',
    'lundi mardi mercredi jeudi vendredi samedi dimanche janvier février avril mai juin juillet août septembre octobre novembre décembre',
  ],
  [
    'es',
    'lunes martes miércoles jueves viernes sábado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre',
  ],
  [
    'pt',
    'segunda terça quarta quinta sexta sábado domingo janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro',
  ],
  [
    'nl',
    'maandag dinsdag woensdag donderdag vrijdag zaterdag zondag januari februari maart mei juni juli augustus oktober',
  ],
];
const weightOfDates = 2;

const languagesByWord = new Map<string, Language[]>();
for (const [language, list] of commonWords) {
  for (const word of list.split(' ')) languagesByWord.set(word, [...(languagesByWord.get(word) ?? []), language]);
}

for (const [language, list] of dateNames) {
  const weighed = Array.from({ length: weightOfDates }, () => language);
  for (const word of list.split(' ')) languagesByWord.set(word, [...(languagesByWord.get(word) ?? []), ...weighed]);
}

/** Enough of a long message to know. */
const looked = 600;

export function languageOf(text: string): Language {
  const start = text.slice(0, looked);
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(start)) return 'ja';
  if (/\p{Script=Cyrillic}{2}/u.test(start)) return 'ru';
  if (/\p{Script=Han}/u.test(start)) return 'zh';
  const counts = new Map<Language, number>();
  for (const word of start.match(/[\p{L}\p{N}]+/gu) ?? []) {
    // "ET" is no French word.
    if (word.length > 1 && word === word.toUpperCase()) continue;
    for (const language of languagesByWord.get(word.toLowerCase()) ?? [])
      counts.set(language, (counts.get(language) ?? 0) + 1);
  }
  let best: Language = 'en';
  for (const [language] of commonWords) {
    const [count, most] = [counts.get(language) ?? 0, counts.get(best) ?? 0];
    if (count > most || (count === most && language === 'en')) best = language;
  }
  return best;
}
