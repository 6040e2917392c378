/**
 * How alike two texts are, 0 to 1: twice the length of their longest common subsequence by the sum of their lengths. By
 * UTF-16 units.
 */
export function similarity(a: string, b: string): number {
  if (a === b) return 1;
  const length = a.length + b.length;
  return length === 0 ? 1 : (2 * commonLength(a, b)) / length;
}

/** One row at a time. */
function commonLength(a: string, b: string): number {
  let row = new Uint16Array(b.length + 1);
  let next = new Uint16Array(b.length + 1);
  for (let i = 0; i < a.length; i += 1) {
    const sign = a.charCodeAt(i);
    for (let j = 0; j < b.length; j += 1) {
      next[j + 1] = sign === b.charCodeAt(j) ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0);
    }
    [row, next] = [next, row];
  }
  return row[b.length] ?? 0;
}
