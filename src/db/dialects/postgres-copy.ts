/**
 * Rows by COPY, the way by which Postgres takes many of them at half the price of an INSERT (postgresql.org/docs, "Populating
 * a Database"). The driver knows the messages of the protocol and leaves the conversation to us.
 */
import type { Connection, Submittable } from 'pg';
import { JsonText } from '../../model.ts';

/** Stands as the only parameter of a COPY statement; what it holds is sent as the statement's data. */
export class CopyData {
  readonly bytes: Buffer;

  constructor(text: string) {
    this.bytes = Buffer.from(text);
  }
}

/** One row in the text format of COPY, with its line end (postgresql.org/docs, COPY, "Text Format"). */
export function copyLine(values: readonly unknown[]): string {
  let line = '';
  for (let i = 0; i < values.length; i += 1) line += (i === 0 ? '' : '\t') + copyValue(values[i]);
  return `${line}\n`;
}

const special = /[\\\t\n\r]/;
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function copyValue(value: unknown): string {
  if (value === null || value === undefined) return '\\N';
  const text =
    typeof value === 'string'
      ? value
      : value instanceof JsonText
        ? value.text
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value);
  return special.test(text) ? text.replace(/[\\\t\n\r]/g, (sign) => escapes[sign] ?? sign) : text;
}

/** What pg's connection can do in the middle of a COPY (pg/lib/connection.js); its types leave it out. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** A COPY statement with its data, in the form in which the driver puts it into its queue. */
export class CopyStatement implements Submittable {
  readonly done: Promise<{ rows: [] }>;
  readonly #text: string;
  readonly #data: CopyData;
  #resolve: (result: { rows: [] }) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(text: string, data: CopyData) {
    this.#text = text;
    this.#data = data;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: Connection): void {
    copyConnection(connection).query(this.#text);
  }

  handleCopyInResponse(connection: Connection): void {
    copyConnection(connection).sendCopyFromChunk(this.#data.bytes);
    copyConnection(connection).endCopyFrom();
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#resolve({ rows: [] });
  }

  handleError(error: unknown): void {
    this.#reject(error);
  }
}

function copyConnection(connection: Connection): CopyConnection {
  if (!isCopyConnection(connection)) throw new Error('this version of pg cannot COPY');
  return connection;
}

function isCopyConnection(connection: object): connection is CopyConnection {
  return 'query' in connection && 'sendCopyFromChunk' in connection && 'endCopyFrom' in connection;
}
