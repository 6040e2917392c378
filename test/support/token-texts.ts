/** Texts about tokens: made of pieces of tokens and of what stands around them in addresses, markup and JSON. */
import fc from 'fast-check';

/** As Slack writes one into an export; none that ever was valid. */
export const exportToken = 'xoxe-1234567890-2345678901-3456789012-0123456789abcdef0123456789abcdef';

const tokens = ['xoxe', 'xoxe-', 'xoxe-…', 'xoxe.xoxp-1-', 'xoxb-', 'XOXE%2d', exportToken];
const codes = ['-', '.', '%2D', '%', '25', '3F', '%26', '%3D', '%253F', '\\u0026', '&amp;'];
const parameters = ['?t=', '?token=', '&t=', '&', '?', 't=', 'token=', '#', 'https://files.slack.com/a.png'];
const around = ['…', '"', "'", '\\', '|', '<', '>', ' ', '\n', '\u0000', '\ud83d', '\ude00', '😀', 'é', '日本'];
const words = ['1234567', 'abcdef', '1', 'a', 'refresh'];

const piece = fc.oneof(
  fc.constantFrom(...tokens, ...codes, ...parameters, ...around, ...words),
  fc.string({ unit: 'binary', maxLength: 3 }),
);

export const textAboutTokens = fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join(''));

/** What versions before the first release made of a text that they stored. */
export function cleanedEarlier(text: string): string {
  return text
    .replaceAll('\u0000', '\uFFFD')
    .toWellFormed()
    .replace(/([?&](?:amp;)?)t=xox[a-z]-[\w.%-]*(&(?:amp;)?)?/g, (_, before: string, after?: string) =>
      after === undefined ? '' : before,
    )
    .replace(/xoxe(?:[.-]|%2d)[\w.%-]*/gi, 'xoxe-…');
}
