/**
 * Runs `work` for 1, 2, 3, … with a few of them side by side, until one returns false: there is no such step any more.
 * Returns how many there are. A failure is thrown when all have come to rest.
 */
export async function untilNoMore(work: (n: number) => Promise<boolean>, side = 3): Promise<number> {
  let next = 1;
  let last = Number.POSITIVE_INFINITY;
  const failures: unknown[] = [];
  const worker = async () => {
    while (next < last && failures.length === 0) {
      const n = next;
      next += 1;
      if (!(await work(n))) last = Math.min(last, n);
    }
  };
  const workers = Array.from({ length: side }, () => worker().catch((error: unknown) => void failures.push(error)));
  await Promise.all(workers);
  if (failures.length > 0) throw failures[0];
  return last - 1;
}
