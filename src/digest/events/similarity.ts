/**
 * How alike two texts are, 0 to 1: twice the length of their longest common subsequence by the sum of their lengths. By
 * UTF-16 units.
 */
export function similarity(a: string, b: string): number {
  return likenessTo(a)(b);
}

/** The same for one text and many others: most of the work is done once. */
export function likenessTo(text: string): (other: string) => number {
  let places: Map<number, Uint32Array> | null = null;
  return (other) => {
    if (other === text) return 1;
    places ??= placesOf(text);
    return (2 * commonLength(places, text.length, other)) / (text.length + other.length);
  };
}

const wordBits = 32;

/** By sign: a bit for each place at which it stands. */
function placesOf(text: string): Map<number, Uint32Array> {
  const places = new Map<number, Uint32Array>();
  for (let place = 0; place < text.length; place += 1) {
    const sign = text.charCodeAt(place);
    let words = places.get(sign);
    if (words === undefined) {
      words = new Uint32Array(Math.ceil(text.length / wordBits));
      places.set(sign, words);
    }
    const word = Math.floor(place / wordBits);
    words[word] = (words[word] ?? 0) | (1 << (place % wordBits));
  }
  return places;
}

/**
 * The length of the longest common subsequence, a word of places at a time: H. Hyyrö, "Bit-parallel LCS-length computation
 * revisited" (2004). Places that are matched become 0.
 */
function commonLength(places: ReadonlyMap<number, Uint32Array>, length: number, other: string): number {
  const row = new Uint32Array(Math.ceil(length / wordBits)).fill(0xffff_ffff);
  for (let at = 0; at < other.length; at += 1) {
    const matches = places.get(other.charCodeAt(at));
    if (matches === undefined) continue;
    let carry = 0;
    for (let word = 0; word < row.length; word += 1) {
      const open = row[word] ?? 0;
      const match = matches[word] ?? 0;
      // Beyond 2^32 in a sum of doubles; the bitwise "or" takes the lower 32 bits of it.
      const sum = open + ((open & match) >>> 0) + carry;
      carry = sum > 0xffff_ffff ? 1 : 0;
      row[word] = sum | (open & ~match);
    }
  }
  let common = 0;
  for (let place = 0; place < length; place += 1) {
    if ((((row[Math.floor(place / wordBits)] ?? 0) >>> (place % wordBits)) & 1) === 0) common += 1;
  }
  return common;
}
