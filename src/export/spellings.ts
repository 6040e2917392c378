/**
 * Other readings of a name that went through programs with another idea of its letters: a zip that Windows wrote in the code page
 * of its country, one in UTF-8 that was unpacked as if it were in another. Which of them is right tells a list that holds the name.
 */

/** Upper half of code page 437, in which zips without the UTF-8 flag name their files by the standard (APPNOTE 6.3.3, appendix D). */
export const codePage437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

/** That of 850, in which Windows writes them in western Europe. */
const codePage850 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0';

/** What the platform reads (https://encoding.spec.whatwg.org/#names-and-labels), and countries wrote. */
const encodings = [
  ...['utf-8', 'windows-1252', 'windows-1250', 'windows-1251', 'ibm866', 'koi8-r', 'macintosh', 'windows-1253'],
  ...['windows-1254', 'windows-1255', 'windows-1256', 'shift_jis', 'gbk', 'big5', 'euc-kr'],
];

/** The name as its bytes read in other encodings, without the name itself; none for a name in ASCII. */
export function otherSpellings(name: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
  if (/^[\u0000-\u007f]*$/.test(name)) return [];
  const written = [codePage437, codePage850, upperHalf('windows-1252')].flatMap((page) => bytesIn(name, page) ?? []);
  const read = written.flatMap((bytes) => [
    inCodePage(bytes, codePage437),
    inCodePage(bytes, codePage850),
    ...encodings.flatMap((encoding) => inEncoding(bytes, encoding) ?? []),
  ]);
  return [...new Set(read)].filter((spelling) => spelling !== name);
}

function upperHalf(encoding: string): string {
  return new TextDecoder(encoding).decode(Uint8Array.from({ length: 128 }, (_, i) => 128 + i));
}

function bytesIn(name: string, page: string): Uint8Array | null {
  const bytes = Array.from(name.normalize('NFC'), (letter) => {
    const code = letter.codePointAt(0) ?? 0;
    return code < 0x80 ? code : page.indexOf(letter) + 0x80;
  });
  // What the page lacks has come out as the last place before its upper half.
  return bytes.includes(0x7f) ? null : Uint8Array.from(bytes);
}

/** Text in a page whose lower half is ASCII. */
export function inCodePage(bytes: Uint8Array, page: string): string {
  return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : page[byte - 0x80])).join('');
}

function inEncoding(bytes: Uint8Array, encoding: string): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
