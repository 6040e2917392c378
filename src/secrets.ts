/**
 * What must never leave the process (tokens, passwords) and what must never reach a terminal (control sequences).
 * Text that came from outside goes through both, controls first: a control sequence inside a token would hide it.
 */

/** A Slack token: bot, user, workspace, refresh, browser, cookie, export file, rotated (`xoxe.xoxp-`) and app level. */
const slackToken = /((?:xoxe\.)?xox[a-z](?:-|%2d)|xapp(?:-|%2d))([\w%+/=-]*)/gi;

/** Every real one holds digits, so that prose about `xoxb-`, `xoxe.xoxp-1-` and `xoxb-your-token` stays as it is. */
function isTokenBody(body: string): boolean {
  return (/\d/.test(body) && !/^\d-$/.test(body)) || /[a-z0-9]{16}/i.test(body);
}

/** A double quote that may close a JSON string. Masking never crosses it, so that a masked line of JSON stays JSON. */
const jsonEnd = String.raw`"(?=[\s,:}\]]|$)`;

/** `password=…`, `sslpassword=…`, `PGPASSWORD=…`, `token=…`, `client_secret=…`: in queries, libpq strings, environment dumps. */
const assignment = new RegExp(
  [
    '(password|passwd|passphrase|secret|token|api_?key)(=|%3d)',
    String.raw`(?:\\\S|'(?:\\.|(?!${jsonEnd})[^'\\\n])*'|(?!${jsonEnd})"[^"\n]*"|[^\s&"\\])+`,
  ].join(''),
  'gi',
);

/** `"password":"…"`: JSON, also JSON inside a string of JSON. */
const jsonMember = new RegExp(
  String.raw`(password|passwd|passphrase|secret)("\s{0,4}:\s{0,4}"|\\"\s{0,4}:\s{0,4}\\")(?:\\.|(?!${jsonEnd})[^\\\n])+`,
  'gi',
);

/** `password: '…'`: YAML, `util.inspect`. */
const inspectedMember = new RegExp(
  String.raw`(password|passwd|passphrase|secret)('?\s{0,4}:\s{0,4})(?!${jsonEnd})(["'])(?:\\.|(?!\3|${jsonEnd})[^\\\n])+`,
  'gi',
);

/** Of GitHub, GitLab, AWS, OpenAI and those that follow them: seen in messages, and told by how they begin. */
const otherToken = /\b(gh[pousr]_|github_pat_|glpat-|AKIA|sk-)(?=\S{0,40}\d)[\w-]{16,}/g;

const authorization = /\b(bearer|authorization["']?\s{0,4}[:=]\s{0,4}["']?basic)(\s{1,4})[\w.~+/=%-]+/gi;

/** Whoever knows such an address can post with it. */
const webhook = /(hooks\.slack(?:-gov)?\.com\/[a-z]+\/)[\w/%-]+/gi;

/**
 * `user:password@` in an http address: the authority ends at the first slash, so a port followed by a path with
 * an `@` is no password.
 */
const httpPassword = /(?<=\b(?:https?|wss?))(:\/\/[^\s/?#:"]*:)[^\s/?#"]*@/gi;

/**
 * The same in any other address, where people forget to encode `@`, `/`, `?` and quotes in a password: everything
 * from the first colon to the last `@` of the word.
 */
const otherPassword = new RegExp(
  String.raw`(?<!\b(?:https?|wss?))(://[^\s/?#:"]*:)((?:\\.|(?!${jsonEnd})[^\s\\])*)`,
  'gi',
);

/**
 * Replaces every secret in the text by `…`, keeping what tells which secret it was: `xoxb-…`,
 * `postgres://user:…@host/db`, `?password=…`. Masking twice changes nothing. All text that leaves the process
 * (stdout, logs, errors, database rows about errors) passes here. Prefers masking too much to too little.
 */
export function maskSecrets(text: string): string {
  return text
    .replace(slackToken, (word: string, start: string, body: string) => (isTokenBody(body) ? `${start}…` : word))
    .replace(webhook, '$1…')
    .replace(otherToken, '$1…')
    .replace(assignment, '$1$2…')
    .replace(jsonMember, '$1$2…')
    .replace(inspectedMember, '$1$2$3…')
    .replace(authorization, '$1$2…')
    .replace(httpPassword, '$1…@')
    .replace(otherPassword, (word: string, start: string, rest: string) => {
      const end = rest.lastIndexOf('@');
      return end === -1 ? word : `${start}…${rest.slice(end)}`;
    });
}

/** Whether a Slack token stands anywhere in the text. */
export function containsSlackToken(text: string): boolean {
  return [...text.matchAll(slackToken)].some(([, , body = '']) => isTokenBody(body));
}

const esc = '(?:\\u001b';
const controlSequences = new RegExp(
  [
    // CSI: colours, cursor movement.
    `${esc}\\[|\\u009b)[0-?]*[ -/]*[@-~]`,
    // OSC, DCS, SOS, PM, APC: titles, links, clipboard. Unterminated, only the introducer goes: the rest is shown, not hidden.
    `${esc}[\\]PX^_]|[\\u009d\\u0090\\u0098\\u009e\\u009f])[^\\p{Cc}]*(?:\\u0007|\\u009c|\\u001b\\\\)`,
    // Escapes of two or three characters: reset, character sets.
    `${esc}[ -/]+[0-~]|\\u001b[0-Z\\\\^-~])`,
    // What is left of C0 (newline and tab may stay), DEL and C1.
    '[^\\P{Cc}\\n\\t]',
    // Marks, embeddings, overrides and isolates of direction: they make text read as what it is not. Separators of lines and
    // paragraphs, which some terminals and logs take for a new line.
    '[\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]',
  ].join('|'),
  'gu',
);

/**
 * Removes terminal control sequences, control characters except newline and tab, and bidirectional overrides.
 * For every text that came from Slack, before it is printed.
 */
export function stripTerminalControls(text: string): string {
  return text.replace(controlSequences, '');
}

/** Text from outside made safe to print: no controls, no secrets. */
export function printable(text: string): string {
  return maskSecrets(stripTerminalControls(text));
}

const unprintableInJson = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A value as JSON that may be shown: no secrets, and what a terminal would act on is written as an escape, so that whoever
 * parses the text gets every character (JSON.stringify itself escapes only what is below U+0020). All JSON that leaves the
 * process passes here.
 */
export function printableJson(value: unknown, indent?: number): string {
  const json = maskSecrets(JSON.stringify(value, undefined, indent));
  return json.replace(unprintableInJson, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
