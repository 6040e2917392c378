/** Loaded into a measured process by `--import`: when it ends, it writes what it used to $BENCH_USAGE_FILE. */
import { readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1_000_000;
  writeFileSync(process.env['BENCH_USAGE_FILE'] ?? '', JSON.stringify({ cpuSeconds, peakMb: peakKb(maxRSS) / 1024 }));
});

/** On Linux maxRSS also counts the parent's memory, of the moment between fork and exec; VmHWM does not. */
function peakKb(maxRss: number): number {
  try {
    const [, kb] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return kb === undefined ? maxRss : Number(kb);
  } catch {
    return maxRss;
  }
}
