/** What an event happens to: the words around the one that tells of it. */
import type { FoundDate, Place } from './dates.ts';
import type { Kind } from './vocabulary.ts';

/** Stands in a clause for a date; no name goes across it. */
export const dateMark = '\uE000';

const link = /\bhttps?:\/\/\S+/g;

/** A text with its dates and links marked, as long as before. */
export function masked(text: string, dates: readonly FoundDate[]): string {
  const places = dates.flatMap((date): Place[] => (date.time === null ? [date] : [date, date.time]));
  return places.reduce(
    (sum, { index, length }) => sum.slice(0, index) + dateMark.repeat(length) + sum.slice(index + length),
    text.replace(link, (address) => dateMark.repeat(address.length)),
  );
}

/** Where the telling word stands. */
export interface Told {
  index: number;
  length: number;
  isVerb: boolean;
}

const boundary = new RegExp(`[,;:!?()\\[\\]|"${dateMark}–—→]|\\s[-/]+\\s|\\.(?=\\s|$)|\\s&\\s(?=we\\b)`, 'u');

/** Words that end a name that goes on to the right. */
const stopsAfter = new Set(
  'save steht перенесли перенесён перенесена отложили отложен отменили отменён отменена состоится переносится действует будет resuelta resuelto résolu résolue behoben resolvida resolvido according resumed paused halted öffnet schließt startet eod cob lasted lasts planned scheduled prévu prévue geplant geplante geplanten programado programada previsto prevista down unavailable unreachable degraded returning failing throwing moves moved slips slipped slides shifts canceled cancelled postponed delayed rescheduled abgesagt verschoben verschiebt sich if begins opens closes ends lifts to on at in from with by this next aus tomorrow today tonight yesterday because so after before until till which that as due via during starting now and or but is are was were has have had will would can could should until since while when where it we they i who once here there then please thanks pls also too again yet already over out live back into onto per using soon shortly about around everyone all around shipped deployed landed merged finished finishes ended ends ran runs passed completed completes started starts begins began failed fails succeeded successfully confirmed closed paused right returned returns reopened happens happening takes took kicks goes went needs gets got launches released releases resolved done being been not no may might effective across between within despite instead against under still although even only failed broke lifted foi aura auront sera es tendrá состоится foram fue été wurde wurden concluída concluído com sucesso completado se terminée terminé con éxito success erfolgreich abgeschlossen behoben auf am im in um ab bis von mit wird ist wurde am à le la en pour est sera dans demain el en para mañana está será no na em para está será amanhã на в с к по для будет был op in voor met is wordt morgen'.split(
    ' ',
  ),
);

/** Words that begin a clause and are no part of a name that goes on to the left. */
const stopsBefore = new Set(
  'know führen need needs want wants finish complete start begin do run prepare perform execute hacemos haremos tendremos tenemos habrá teremos faremos temos haverá fazemos faisons ferons aurons avons machen haben будет hay há tem às no kein keine il aura montag dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes sábado domingo if unless whether when once while partial full total intermittent brief widespread ongoing due reach reaches reached closing who ok okay yes yep well due down join us follow present goes going gets starting beginning finished finishing completing completed started done performing running doing l moved pushed shifted moving pushing bumped we i they you he she fyi hi hey hello all team folks everyone heads up update reminder note psa attention please the a an our your their my this that these those new just so also and or but that since because as for with now today tomorrow yesterday tonight is are was were be been being has have had will would can could should to not finally successfully officially currently going still planned scheduled upcoming next quick friendly good bad great news big small major minor another first last final expected might may could should would maybe expect there it its of on in at from by about der die das ein eine einen unser unsere unseren neue neuen neuer heute morgen wir ist wird wurde le la les un une nos notre nous el los una unos nuestro nuestra o os as um uma nosso nossa мы наш наша новый новая de het een onze wij'.split(
    ' ',
  ),
);

const weekday = /^(?:mon|tues|wednes|thurs|fri|satur|sun)day(?:'s)?$/i;

/** What is put off or called off stands behind these, never before them. */
const walls = /^(?:postpon(?:e|ing)|cancel(?:l?ing)?|delay(?:ing)?|reschedul(?:e|ing))$/i;
/** These too, with the thing behind them: "move the launch". */
const wallsBeforeThings = /^(?:push|mov)(?:e|ing|ed)?$/i;

const leading =
  /^(?:(?:the|a|an|no|our|your|their|my|this|that|these|new|just|all|some|successfully|officially|finally|now|again|both|out|up|back|of|on|in|for|with|to|it|them|its|us|at|der|die|das|den|dem|des|vom|zum|zur|ein|eine|einen|einer|unsere?[nrms]?|neue?[nrms]?|nouve(?:l|lle|au)s?|nuev[oa]s?|nov[oa]s?|le|la|les|l'|du|de la|de l'|des|un|une|notre|nos|el|los|las|del|una|nuestr[oa]s?|o|os|as|do|da|dos|das|um|uma|noss[oa]s?|het|een|onze|nieuwe|наш\p{L}*|нов\p{L}+)\s+)+/iu;
const prepositions =
  /^(?:to|on|at|in|into|from|with|by|for|as|via|since|because|after|before|until|during|by|nach|auf|in|im|à|en|a prod\p{L}*|em|на|в|naar)\s/iu;
const pronouns =
  /^(?:[\p{Script=Hiragana}ー]+|week(?:end)?|month|quarter|year|(?:\p{L}+ )?(?:things?|features|items|points)|de|do|da|des|du|von|vom|van|des?|復旧\p{L}*|(?:last|next|this|past) (?:week|month|year|night|quarter|time)|(?:you|we|they|he|she|i)\s.*|\p{Ll}+ly|into|onto|via|by|above|below|already|overall|of|only|before|after|can't|like|it|this|that|they|them|we|i|you|everything|something|things?|all|everyone|us|he|she|there|here|what|which|one|ones|es|wir|alles|ça|nous|eso|isso|это|всё|мы|dit|dat|(?:it|that|they|we|you|he|she|i|there)'(?:s|re|ll|ve|m|d)|expect|might|@\S+|@?\p{L}+:)?$/iu;

/** "I'll attend the call": what stands before it is not its name. */
const standsAlone =
  /\b(?:the|an?|our|this|that|another|your|their|der|die|das|den|dem|ein|eine|einen|einer|le|la|un|une|el|una|o|um|uma|het|een)\s+$/i;

/** The name, short and in the writer's own case; null when there is none near. */
export function objectName(clause: string, told: Told, kind: Kind): string | null {
  const before = clause.slice(0, told.index);
  const after = clause.slice(told.index + told.length);
  const word = clause.slice(told.index, told.index + told.length);
  const left = () => (kind.isThing && standsAlone.test(before) ? null : nameBefore(before, told.isVerb, !kind.isThing));
  const right = () => nameAfter(after, told.isVerb);
  if (told.isVerb && kind.action === 'Incident') {
    // "seeing elevated errors on the gateway": where it hurts, not how.
    const where = /\b(?:on|in|with|at|for|affecting|of)\s+(.+)$/i.exec(after)?.[1];
    const place = where === undefined ? null : nameAfter(` ${where}`, true);
    if (place !== null && /(?:seeing|experiencing|investigating|having|elevated|increased|high)/i.test(word))
      return place;
  }
  if (told.isVerb) {
    // "is live" and "is down" tell of what stands before them, "deployed" of what comes after, or before in the passive.
    const isState =
      /^(?:is|are|was|were|has been|have been|went|goes|going|go|now|currently|back|ist|est|está|geht|being)\b/i.test(
        word,
      ) && /\s/.test(word);
    const isPassive =
      /\b(?:is|are|was|were|be|been|being|get|gets|got|wird|wurde|werden|est|été|sera|será|sido|foi|ser|был[аои]?|будет|wordt|werd)\s+(?:\w+ly\s+|now\s+|just\s+|already\s+)?$/i.test(
        before,
      );
    if (kind.object === 'before' && !/^(?:postponed|rescheduled|called)/i.test(word))
      return noNames.test(/finish|complet|conclud/i.test(word) ? subjectOf(before) : before) ? null : left();
    if (kind.action === 'Policy') return left() ?? right();
    // "Customers can now pay by card", "users can't log in".
    if (/\bcan(?: now|'t|not)$/i.test(word)) return doing(after);
    // "We are live with the new checkout".
    const along = isState ? /^\s+with\s+(.+)$/i.exec(after)?.[1] : undefined;
    if (isState)
      return left() ?? (/^\s*[:–—-]/.test(after) ? right() : along === undefined ? null : nameAfter(` ${along}`, true));
    const isOurs = /\b(?:we|they|i)(?:'re|'ll| are| will be| will)?\s*$/i.test(before);
    if (/^mov/i.test(word) && /\s/.test(word)) return isOurs ? (within(word) ?? left()) : (left() ?? within(word));
    if (/support$/i.test(word)) return nameAfter(after.replace(/^ (?:for|of)\b/i, ''), true);
    return (
      within(word) ??
      (isPassive ? (left() ?? right()) : (right() ?? left())) ??
      beforeComma(before) ??
      topicOf(before) ??
      wayOf(after)
    );
  }
  // "Incident update: the login page is slow", "[SEV2] checkout": a label, and then what it is about.
  const label =
    /^\s*(?:#?\d+\s*)?(?:update|change|triggered|opened|declared|acknowledged|notice|report|alert|announcement|reminder|summary|status|resolved|notification)?\s*[\])]?\s*[:–—-]\s+|^\s*\]\s*/i.exec(
      after,
    )?.[0];
  const isLabel = kind.isThing ? /^[\s[(]*$/ : /^[\s[(]*(?:\S+\s+){0,2}[[(]?$/;
  if (label !== undefined && isLabel.test(before)) {
    const labelled = nameAfter(` ${after.slice(label.length)}`, true);
    if (labelled !== null) return kind.isThing ? `${labelled} ${word}` : labelled;
  }
  // 'The "Switch & Save" campaign'.
  const quoted = kind.isThing ? /"([^"]{2,60})"\s+((?:[\p{L}-]+\s+){0,2})$/u.exec(before) : null;
  if (quoted !== null) return `${quoted[1]} ${quoted[2]}${word}`;
  // "La politique de télétravail".
  const phrase = kind.isThing ? /^\s+(?:de la|de l'|de|du|des|del|do|da|dos|das)\s+/iu.exec(after)?.[0] : undefined;
  const possessed = phrase === undefined ? null : nameAfter(` ${after.slice(phrase.length)}`, false);
  if (possessed !== null) return `${word}${phrase}${possessed}`.replace(/\s+/g, ' ');
  const title = kind.isThing ? titleIn(after) : null;
  if (title !== null) return `${title} ${word}`;
  const own = left();
  if (own !== null)
    return kind.isThing || /^(?:db|data(?:base)?|office|desk|team)$/i.test(own) ? `${own} ${word}` : own;
  // "PagerDuty: SEV1 checkout-api": not who reports it.
  const reported = kind.action === 'Incident' && /:\s*$/.test(before) ? nameAfter(after, false) : null;
  if (reported !== null) return reported;
  const heading = kind.isThing ? undefined : /^(.*\S)\s*(?::|—|–|\s-)\s*$/s.exec(before)?.[1];
  const above = heading === undefined ? null : nameBefore(heading, true);
  if (above !== null && above.length > 2) return above;
  // "Office closed on Good Friday" says when, not what.
  const other = (/closed$/i.test(word) ? null : rightOf(after, word, kind)) ?? (kind.isThing ? titleIn(after) : null);
  if (other !== null) return kind.isThing ? `${other} ${word}` : other;
  if (!kind.isThing && kind.action !== 'Incident' && !/\s/.test(word)) return null;
  const name = word.replace(/^(\S+)\s.*(?=\s(?:closed|geschlossen|fermée?s?)$)/iu, '$1');
  // A date that stands within the telling word is no name.
  return name.includes(dateMark) ? null : capitalized(name);
}

/** "Hi team, the EVT build is finished": from the comma to the verb. */
function subjectOf(before: string): string {
  const stretch = before.split(/[,;:]\s/).at(-1) ?? '';
  return stretch.replace(/\b(?:is|are|was|were|has been|have been|has|have)\s+(?:now |finally |just )?$/i, '');
}

/** What somebody can do, or not: "pay by card in the app". */
function doing(after: string): string | null {
  const words = (after.split(boundary)[0] ?? '').trim().split(/\s+/);
  return cleaned(words.slice(0, longestDoing).join(' '));
}

const longestDoing = 6;

/** "Migrating from Jenkins to GitHub Actions". */
function wayOf(after: string): string | null {
  const [, from, to] = /^\s+from\s+(\S+(?:\s\S+)?)\s+(?:over\s+)?to\s+(.+)$/i.exec(after) ?? [];
  const target = to === undefined ? null : nameAfter(` ${to}`, false);
  return from === undefined || target === null || from.includes(dateMark) ? null : `${from} to ${target}`;
}

/** "Update on checkout: fixed". */
function topicOf(before: string): string | null {
  const topic =
    /^(?:(?:an? )?(?:quick )?updates? (?:on|for|about|re:?) )?(.*\S):\s*(?:(?:we're|we are|we|i'm|they're)\s+)?$/i.exec(
      before,
    )?.[1];
  return topic === undefined ? null : nameBefore(topic, true);
}

/** "New billing page, launching on Monday". */
function beforeComma(before: string): string | null {
  const stretch = /^(.*\S),\s*$/s.exec(before)?.[1];
  return stretch === undefined ? null : nameBefore(stretch, true);
}

/** "Pushed the fix to production", "moving to the new office": the telling words hold the name. */
function within(word: string): string | null {
  const name =
    /^(?:push\w*|enabled|activated|shut\w*|turn\w*|switch\w*|roll\w*)(?: on)? (.+?) (?:to|for|in|on|down|off|out|back)\b/i.exec(
      word,
    )?.[1] ?? /^mov\w+ (?:in)?to (.+)$/i.exec(word)?.[1];
  return name === undefined || name === 'on' ? null : cleaned(name);
}

/** 'Webinar tomorrow: "Scaling Postgres"'. */
function titleIn(after: string): string | null {
  return (/"([^"]{3,60})"/.exec(after) ?? /(?<!\p{L})'(\p{L}[^'\n]{7,60})'(?!\p{L})/u.exec(after))?.[1] ?? null;
}

/** "webinar on pricing", "outage in the EU", "release of the app", "Incident: checkout", "release v2.3". */
function rightOf(after: string, word: string, kind: Kind): string | null {
  const quoted = /^\s*[:–-]?\s*"([^"]{2,60})"/.exec(after)?.[1];
  if (quoted !== undefined) return quoted;
  // "Beta 3 of the app", "sprint 12 of the year".
  const numbered = /^\s+(\d{1,4})\s+(?:of|for|von|de|del|du|van)\s+(.+)$/iu.exec(after);
  if (numbered !== null) {
    const whole = nameAfter(` ${numbered[2]}`, false);
    if (whole !== null) return `${whole} ${word} ${numbered[1]}`;
  }
  const version = /^\s+(v?\d+(?:\.\d+)+[\w.-]*|v\d+|#\d+|[A-Z]{2,10}-\d+)/.exec(after)?.[1];
  const preposition =
    /^\s*(?::|-|–|—)?\s*(?:of|for|on|in|with|w\/|con|avec|com|to(?! (?:prod|staging|dev|live|main|follow|come|be|discuss|review|go)\p{L}*\b)|about|affecting|impacting|at|von|für|der|des|beim|im|bei|mit|an der|an dem|am|aan de|aan het|de la|de l'|de|du|des|pour|sur|del|para|sobre|do|da|van|voor|over|по|для|на|о)?\s+/iu.exec(
      after,
    )?.[0] ?? '';
  const rest = after.slice(preposition.length);
  const name =
    preposition.trim() === '' && !/^\s*[:–—-]/.test(after)
      ? null
      : nameAfter(rest.startsWith(' ') ? rest : ` ${rest}`, true);
  if (version !== undefined) return name === null ? version : `${name} ${version}`;
  return name === null && !kind.isThing ? nameAfter(after, false) : name;
}

const longestName = 8;

/** "[P1] settlements are late". */
const tag = /^\s*\[[^\]\s]{1,20}\]\s*/;

function nameAfter(text: string, allowsOf: boolean): string | null {
  const stretch = (withoutLeadingDate(text.replace(tag, ' ')).split(boundary)[0] ?? '').replace(/^[\s:–—-]+/, '');
  // "deployed to production" does not say what.
  if (prepositions.test(stretch)) return null;
  const taken: string[] = [];
  for (const word of stretch.replace(leading, '').split(/\s+/)) {
    const folded = word.toLowerCase().replace(/[.']+$/, '');
    if (word === '' || (taken.length > 0 && stopsAfter.has(folded))) break;
    if (taken.length === 0 && stopsAfter.has(folded)) return null;
    if ((folded === 'of' || folded === 'for') && !allowsOf) break;
    taken.push(word);
    if (taken.length >= longestName) break;
  }
  return cleaned(taken.join(' '));
}

/** "rollen morgen die App aus", "releasing on Friday the app": the name may stand behind the date. */
function withoutLeadingDate(text: string): string {
  return text.replace(
    new RegExp(`^\\s*(?:(?:on|at|the|this|am|um|le|el|на|в)\\s+)?${dateMark}+(?:'s)?\\s+(?=\\S)`, 'iu'),
    ' ',
  );
}

/** Of verbs, the place belongs to the name: "matchmaking in the US is down". */
function nameBefore(text: string, allowsIn: boolean, allowsOf = true): string | null {
  // "Priya Nair, who joins the team"; "Thermostat (Gen 3) goes live".
  const stretch =
    text
      .replace(/,?\s+who\s+$|\s*\([^()]{1,30}\)\s*$/i, '')
      .split(boundary)
      .at(-1) ?? '';
  const words = stretch.trim().split(/\s+/);
  const taken: string[] = [];
  for (const [place, word] of words.reverse().entries()) {
    const folded = word.toLowerCase();
    if (word === '') break;
    // A day is no name, but for Black Friday.
    if (weekday.test(word) && !/^(?:black|cyber|good|super|fat)$/i.test(words[place + 1] ?? '')) {
      if (taken.length === 0) continue;
      break;
    }
    if (walls.test(folded) || (taken.length > 0 && wallsBeforeThings.test(folded))) break;
    // "The investor update goes out", but "update: the app is live".
    const isLabel = folded !== 'update' || taken.length > 0;
    // "3.0 final".
    const isVersion = folded === 'final' && /^v?\d+\.\d/.test(words[place + 1] ?? '');
    if ((stopsBefore.has(folded) && isLabel && !isVersion) || folded.startsWith('@')) {
      if (taken.length === 0) continue;
      // "release of the app is live": the name goes on.
      const next = words[place + 1]?.toLowerCase() ?? '';
      const isJoined = /^(?:of|for|with|in)$/.test(next);
      if (
        (allowsOf && /^(?:of|for|with)$/.test(folded)) ||
        (folded === 'and' && /^v?\d+\./.test(taken.at(-1) ?? '') && /^v?\d+\./.test(next)) ||
        (folded === 'the' && isJoined) ||
        (allowsIn && folded === 'in')
      ) {
        taken.push(word);
        continue;
      }
      break;
    }
    taken.push(word);
    if (taken.length >= longestName) break;
  }
  return cleaned(
    taken
      .reverse()
      .join(' ')
      .replace(/^(?:(?:of|for|with|in|the)\s+)+/i, ''),
  );
}

function cleaned(text: string): string | null {
  const name = text
    .replace(leading, '')
    .replace(
      /^(?:[LlDd]'(?=\p{L})|(?:(?:this |last |next )?(?:day|week|month|year|quarter|today|tomorrow|yesterday))?'s\s+)/iu,
      '',
    )
    .replace(/^(?:から|まで|[はがをにのでと])+|(?<=[\p{Script=Han}\p{Script=Katakana}ー\d])[をがはにの]$/gu, '')
    .replace(/^[Ww]elcome (?=\p{Lu}\p{L}+(?: \p{Lu}\p{L}+)?$)/u, '')
    .replace(/^[\s.'*_#-]+|[\s.,'*_:;-]+$/g, '')
    .replace(
      /\s+(?:the|a|an|of|for|to|and|will|has|have|is|are|was|were|been|be|ya|já|foi|fue|ist|est|está|será|sera|wird|wurde|werd)$/i,
      '',
    )
    .trim();
  return /^[^\p{L}\p{N}"'(#@.]/u.test(name) ||
    pronouns.test(name) ||
    /^\p{L}$/u.test(name) ||
    !/[\p{L}\p{N}]/u.test(name)
    ? null
    : name.slice(0, 80);
}

export function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

const opening =
  /^(?:\[[^\]]{1,30}\]\s*|(?:quick |friendly |kind |gentle )?(?:reminder|fyi|heads[- ]up|note|psa|update|save the date|info|hinweis|erinnerung|rappel|recordatorio)\b(?: from @\S+)?[:,!\s–—-]*|(?:hi|hey|hello|hallo)\s+(?:all|everyone|team|folks|zusammen)\b[:,!\s–—-]*|@\S+[:,]?\s+)+/i;
const closing =
  /[\s:,(–—-]*(?:\b(?:is|are|will be|ist|sind|wird|est|sera|es|será|é)\b)?\s*(?:\b(?:now|again|set|due|happening|geplant|prévue?|previst[oa]|programad[oa])\b)?\s*(?:\b(?:for|on|this|coming|at|from|by|am|um|ab|le|el|em|no|na|à|op)\b)?\s*$/i;

/** Words of which no name of an event is made: who talks of a person or of doing something announces nothing. */
const noNames =
  /(?<![\p{L}'-])(?:i|i'm|i'll|i've|me|my|mine|we|we'll|we're|us|you|you'll|your|he|she|they|it|it's|its|happy|merry|weather|forecast|that|this|these|those|there|here|let's|who|what|which|when|where|how|why|if|because|since|until|after|before|while|and|but|or|not|no|never|can|can't|could|would|should|will|won't|do|does|don't|did|have|has|had|was|were|be|been|is|are|eta|went|goes|gets|needs|wants|failed|fails|works|\p{L}{3,}ed|see|meet|look|talk|speak|take|get|got|go|going|come|coming|back|off|out|free|busy|available|thanks|ok|okay|yes|maybe|lunch|coffee|breakfast|dinner|beer|bier|cake|mittagessen|screenshot|screen shot|bildschirmfoto|ich|wir|du|sind|steht|stehen|er|sie|es|mein|meine|nicht|kein|keine|je|nous|vous|mon|ma|yo|nosotros|mi|nós|meu|minha|ik|wij|mijn|я|мы|ты|он|она)(?![\p{L}'-])/iu;

/** More is no name with an opening before it. */
const longestBefore = 160;

/** The name in front of a date, when that is all there is in front of it; null for everything that is a sentence. */
export function announcedName(before: string): string | null {
  if (before.length > longestBefore) return null;
  const stretch = before.replace(opening, '').replace(closing, '').trim();
  const words = stretch.split(/\s+/);
  if (
    stretch === '' ||
    words.length > longestName ||
    noNames.test(stretch) ||
    /[!?;,]\s|(?<!\b\p{Lu})\.\s|[|→=]/u.test(stretch)
  )
    return null;
  const name = cleaned(stretch);
  return name !== null && /\p{L}{3}|^v?\d+\.\d+\.\d+$/u.test(name) ? name : null;
}
