/** How much memory the engine takes before it looks for what can be given back. */
import { setFlagsFromString } from 'node:v8';

/**
 * Of the size that the heap had after a collection, in per cent. Left to itself the engine lets it grow to three or four
 * times that size; with an export of 150,000 files that made 400 MB out of 250, and was no faster. It reads the flag at
 * every collection (v8, src/heap/memory-balancer and heap-controller, `MemoryController::GrowingFactor`).
 */
const growingPercent = 30;

/** For the whole process and its threads, from now on. An engine that does not know the flag says so and goes on. */
export function keepHeapLean(): void {
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
}
