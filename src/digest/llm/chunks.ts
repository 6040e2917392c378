/** Long messages in pieces that a model reads at once. */

export interface ChunkSize {
  tokens: number;
  charsPerToken: number;
}

const continues = ' …';

const sizeByModel: Readonly<Record<string, ChunkSize>> = {
  'gpt-5-nano': { tokens: 3500, charsPerToken: 3 },
  'gpt-4o-mini': { tokens: 6000, charsPerToken: 4 },
};
const usualSize: ChunkSize = { tokens: 3000, charsPerToken: 4 };

/** Characters of one piece; what is configured (not null) wins over what suits the model. */
export function chunkLength(model: string, configured: { [Part in keyof ChunkSize]: ChunkSize[Part] | null }): number {
  const known = (Object.hasOwn(sizeByModel, model) ? sizeByModel[model] : undefined) ?? usualSize;
  const tokens = configured.tokens ?? known.tokens;
  return Math.max(2, Math.floor(tokens * (configured.charsPerToken ?? known.charsPerToken)));
}

/**
 * The text in pieces of at most `length` UTF-16 units, cut at the last white space in the second half of each, and a
 * mark that it goes on where there is room for it. Surrogate pairs stay whole; nothing but white space is lost.
 */
export function chunksOf(text: string, length: number): string[] {
  const chunks: string[] = [];
  let rest = text.trim();
  while (rest.length > length) {
    const cut = cutOf(rest, length);
    const chunk = rest.slice(0, cut).trimEnd();
    chunks.push(chunk.length + continues.length <= length ? chunk + continues : chunk);
    rest = rest.slice(cut).trimStart();
  }
  if (rest !== '') chunks.push(rest);
  return chunks;
}

function cutOf(text: string, length: number): number {
  for (let at = length - 1; at >= Math.floor(length / 2); at -= 1) {
    if (/\s/.test(text.charAt(at))) return at;
  }
  return isHighSurrogate(text.charCodeAt(length - 1)) && length > 1 ? length - 1 : length;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
