/**
 * Standard output and standard error. A disk may be full, a reader or a terminal gone: that never stops or changes what a
 * command does, and what could not be written is known when the command has ended.
 */
import { fstatSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { getSystemErrorMap } from 'node:util';

export interface Outlet {
  /** Never throws. A slow reader of a pipe is not waited for. */
  write(text: string): void;
  /** Resolves when nothing waits to be written any more: with the first reason why some of it was not, or null. */
  drained(): Promise<string | null>;
  /** For what has to know the terminal: its size, its cursor. */
  readonly terminal: NodeJS.WriteStream;
}

/** Takes over a stream of the process; from then on its errors are nobody else's concern. */
export function openOutlet(terminal: NodeJS.WriteStream & { fd: number }): Outlet {
  const waiting = new Set<Promise<void>>();
  let failure: Error | null = null;
  const fail = (error: Error): void => {
    failure ??= error;
  };
  // A spinner writes to the terminal by itself.
  terminal.on('error', fail);
  const isFile = isWrittenAtOnce(terminal.fd);

  function send(text: string): void {
    const sent = new Promise<void>((done) => {
      terminal.write(text, (error) => {
        if (error) fail(error);
        done();
      });
    });
    waiting.add(sent);
    sent.then(() => waiting.delete(sent));
  }

  return {
    terminal,
    write(text) {
      if (!isFile) return send(text);
      try {
        writeWhole(terminal.fd, text);
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    },
    async drained() {
      await Promise.all(waiting);
      return failure === null ? null : reasonOf(failure);
    },
  };
}

/** Files and devices. Pipes, sockets and terminals are left to the stream, which waits for them beside the work. */
function isWrittenAtOnce(fd: number): boolean {
  const kind = fstatSync(fd);
  return kind.isFile() || (kind.isCharacterDevice() && !isatty(fd));
}

/** On a disk that is almost full only the beginning is taken, which is no error yet and which Node's own stream takes for the whole. */
function writeWhole(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const [code, words] = getSystemErrorMap().get(error.errno ?? 0) ?? [];
  return code === undefined || words === undefined ? error.message : `${words} (${code})`;
}
