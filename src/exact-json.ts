/**
 * JSON with whole numbers kept to the last digit. `JSON.parse` rounds those beyond 2^53, and apps may put such ids into
 * what they attach to messages (docs.slack.dev/messaging/message-metadata). They become text, all of them alike, those
 * included that a number happens to hold. The look for them takes a third of the time of the parsing.
 */

/** Found faster than the next one, and hardly ever. */
const manyDigits = /\d{16}/;

/** Where a value may stand, and long enough to be beyond 2^53; rare enough that the exact way may be slow. */
const suspicious = /[:,[]\s*-?[1-9]\d{15}/;

/** Where a string begins, whose content is passed over, or a number stands. */
const quoteOrNumber = /"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

const longInteger = /^-?[1-9]\d{15,}$/;

/** The value of a JSON text. Throws `SyntaxError` when it is none. */
export function parseExactly(text: string): unknown {
  return JSON.parse(manyDigits.test(text) && suspicious.test(text) ? quoteUnsafe(text) : text);
}

/** By hand through the strings: a pattern that matches whole ones runs out of stack at one of some megabytes. */
function quoteUnsafe(text: string): string {
  const parts: string[] = [];
  let taken = 0;
  quoteOrNumber.lastIndex = 0;
  for (let found = quoteOrNumber.exec(text); found !== null; found = quoteOrNumber.exec(text)) {
    const [token] = found;
    if (token === '"') {
      quoteOrNumber.lastIndex = stringEnd(text, found.index + 1) ?? text.length;
    } else if (longInteger.test(token) && !Number.isSafeInteger(Number(token))) {
      parts.push(text.slice(taken, found.index), `"${token}"`);
      taken = quoteOrNumber.lastIndex;
    }
  }
  return parts.join('') + text.slice(taken);
}

/** Behind the quote that closes the string whose content begins at `from`; null when none does. */
export function stringEnd(text: string, from: number): number | null {
  for (let at = from; ; at += 1) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return null;
    let slashes = 0;
    while (quote - slashes - 1 >= from && text[quote - slashes - 1] === '\\') slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
    at = quote;
  }
}
