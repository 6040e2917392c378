/**
 * JSON with whole numbers kept to the last digit. `JSON.parse` rounds those beyond 2^53, and apps may put such ids into
 * what they attach to messages (docs.slack.dev/messaging/message-metadata). They become text, all of them alike, those
 * included that a number happens to hold. The look for them takes a third of the time of the parsing.
 */

/** Found faster than the next one, and hardly ever. */
const manyDigits = /\d{16}/;

/** Where a value may stand, and long enough to be beyond 2^53; rare enough that the exact way may be slow. */
const suspicious = /[:,[]\s*-?[1-9]\d{15}/;

/** Strings are matched so that what they hold is passed over. */
const stringOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

const longInteger = /^-?[1-9]\d{15,}$/;

/** The value of a JSON text. Throws `SyntaxError` when it is none. */
export function parseExactly(text: string): unknown {
  return JSON.parse(manyDigits.test(text) && suspicious.test(text) ? text.replace(stringOrNumber, quoteUnsafe) : text);
}

function quoteUnsafe(token: string): string {
  return longInteger.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token;
}
