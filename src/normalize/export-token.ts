/**
 * The token of an export. Slack puts it on every file address that it writes into one, as `?t=xoxe-…` and, since May 2025,
 * as `?token=xoxe-…` too; whoever has it can fetch all files. It goes, and nothing else does: a word that only begins like a
 * token is what somebody wrote.
 */

/** What tells at once, and cheaply, that there is nothing to do. */
export const mayHoldToken = /xox/i;

const dash = '(?:[-_]|%(?:25)*2d)';
const letter = '[a-z0-9]';
const equals = String.raw`(?:=|\\u003d|%(?:25)*3d)`;

/** Of real ones a parameter has sixty and more; what is shorter than this is a placeholder. */
const parameterBody = `(?:${dash}*${letter}){6}(?:${dash}|${letter})*`;
/** As earlier versions left it behind. */
const cutBody = '…+';

const ofExport = `t(?:oken)?${equals}xoxe(?:\\.xox[a-z])?`;

/**
 * How one parameter is parted from another: plainly, and in an address that stands encoded in another address. Plainly `t`
 * goes with tokens of other kinds too.
 */
const separators = [
  {
    first: String.raw`(?:[?&](?:amp;|#0*38;|#x0*26;)?|\\u0026)`,
    next: String.raw`(?:&(?:amp;|#0*38;|#x0*26;)?|\\u0026)`,
    begin: `(?:${ofExport}|t=xox[a-z])`,
  },
  { first: '(?:%3f|%26(?:amp(?:;|%3b))?)', next: '(?:%26(?:amp(?:;|%3b))?)', begin: ofExport },
  { first: '(?:%253f|%2526)', next: '%2526', begin: ofExport },
];

/** One expression a separator: a row of such parameters, what stands before it and what parts it from the next one. */
function rowsOfParameters(body: string): RegExp[] {
  return separators.map(({ first, next, begin }) => {
    const parameter = `${begin}(?:-|%(?:25)*2d)${body}`;
    return new RegExp(`(${first})(?:${parameter}${next})*${parameter}(${next})?`, 'gi');
  });
}

const tokenParameters = rowsOfParameters(parameterBody);
const cutParameters = rowsOfParameters(cutBody);

/** Wherever else it may stand: by itself, in a log, in a header. */
const token = new RegExp(`(xoxe(?:\\.xox[a-z])?(?:-|%(?:25)*2d))((?:${dash}|${letter})*)`, 'gi');
const dashes = new RegExp(dash, 'gi');
const leastBody = 10;
const leastDigits = 6;

/** The text without the token of an export. Doing it twice changes nothing; text that holds none stays as it is. */
export function withoutExportTokens(text: string): string {
  let cleaned = text;
  // Where a parameter was, what stood around it may now read as another one. Each turn makes the text shorter.
  for (;;) {
    const next = withoutParameters(cleaned, tokenParameters).replace(token, (word, _start, body: string) =>
      isBody(body) ? 'xoxe-…' : word,
    );
    if (next === cleaned) return cleaned;
    cleaned = next;
  }
}

/**
 * Every real one holds digits, many of them or with a long row of letters and digits: "xoxe-foo", "xoxe-1-refresh-token" and
 * "xoxe.xoxp-1-" are words.
 */
function isBody(body: string): boolean {
  const rows = body.split(dashes);
  const letters = rows.join('');
  const digits = letters.replace(/\D/g, '').length;
  if (digits === 0 || letters.length < leastBody) return false;
  return digits >= leastDigits || rows.some((row) => row.length >= leastBody);
}

function withoutParameters(text: string, rows: readonly RegExp[]): string {
  return rows.reduce(
    (left, row) => left.replace(row, (_, first: string, next?: string) => (next === undefined ? '' : first)),
    text,
  );
}

/** What earlier versions left in the place of a token, and of words that they took for one. */
const trace = 'xoxe-…';
const earlierToken = /xoxe(?:[.-]|%2d)[\w.%-]*…*/gi;

/** Whether `stored` is what an earlier version made of the same text: not what somebody changed. */
export function isCleanedAnew(stored: string | null, read: string | null): boolean {
  if (stored === null || read === null || !stored.includes(trace)) return false;
  return asCleanedEarlier(stored) === asCleanedEarlier(read);
}

function asCleanedEarlier(text: string): string {
  return withoutParameters(text.replace(earlierToken, trace), cutParameters);
}
