/** Signals become an AbortSignal, so that a run commits the page it is at, says so in its record, and lets go of its lock. */
import { InterruptedError, type StopSignal } from '../errors.ts';

/** Below the ten seconds after which Docker and others send SIGKILL. */
const stopGraceMs = 8_000;

/**
 * Aborts at the first signal. A second INT or TERM of the same kind ends the process as if nobody had listened: whoever sends it
 * twice means it. So does the end of the grace, when the database does not even let the run say that it stopped; what is
 * committed stays, and the lock ends by itself.
 *
 * A HUP is like a TERM, and nobody's second word: the kernel and the shell send one each when a terminal closes, and systemd
 * may send one right behind TERM (systemd.kill(5), SendSIGHUP).
 */
export function listenToSignals(controller: AbortController, onGraceEnded: (signal: StopSignal) => void): void {
  const stop = (signal: StopSignal): void => {
    if (controller.signal.aborted && signal === 'SIGHUP') return;
    controller.abort(new InterruptedError(signal));
    setTimeout(() => {
      onGraceEnded(signal);
      const last = signal === 'SIGHUP' ? 'SIGTERM' : signal;
      process.removeAllListeners(last);
      process.kill(process.pid, last);
    }, stopGraceMs).unref();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.on('SIGHUP', stop);
}
