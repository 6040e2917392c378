/** One connection to Postgres: the driver's client with what it leaves to us. */
import type pg from 'pg';
import { DatabaseError } from '../../errors.ts';
import { CopyData, CopyStatement } from './postgres-copy.ts';
import { DroppableClient } from './postgres-silence.ts';

export interface ClientConfig extends pg.ClientConfig {
  /** Nothing is proven to a server that does not bind the proof to this very TLS connection (`channel_binding=require`). */
  enableChannelBinding: boolean;
  /** Asked only when the server asks. Throws when there is none. */
  password: () => string;
  /** For messages. */
  address: string;
}

export class PostgresClient extends DroppableClient {
  readonly #assertBound: () => void;

  constructor(config: ClientConfig) {
    let isBound = !config.enableChannelBinding;
    const assertBound = () => {
      if (!isBound) throw unbound(config.address);
    };
    const password = () => {
      assertBound();
      return config.password();
    };
    super({ ...config, password });
    this.#assertBound = assertBound;
    this.connection.once('authenticationSASL', ({ mechanisms }: { mechanisms: string[] }) => {
      isBound ||= mechanisms.includes('SCRAM-SHA-256-PLUS');
    });
  }

  /** kysely hands every statement on with its parameters; one that stands for data makes it a COPY. */
  override query: pg.Client['query'] = (...args: unknown[]) => {
    const [text, parameters] = args;
    const data: unknown = Array.isArray(parameters) ? parameters[0] : undefined;
    if (typeof text !== 'string' || !(data instanceof CopyData)) return Reflect.apply(super.query, this, args);
    const copy = new CopyStatement(text, data);
    super.query(copy);
    return copy.done;
  };

  /**
   * The driver leaves the socket open when a connection fails halfway (no password was given), and an open socket
   * keeps the process alive until the server closes it, a minute later.
   */
  override connect(): Promise<pg.Client>;
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
  override connect(callback?: unknown): Promise<pg.Client> | undefined {
    const connecting = this.#connect();
    if (typeof callback !== 'function') return connecting;
    connecting.then(
      () => callback(null, this),
      (error: unknown) => callback(error),
    );
    return undefined;
  }

  async #connect(): Promise<pg.Client> {
    try {
      const client = await super.connect();
      // A server that asked for nothing has proven nothing either.
      this.#assertBound();
      return client;
    } catch (error) {
      void this.end();
      throw error;
    }
  }
}

function unbound(address: string): DatabaseError {
  return new DatabaseError(
    `Postgres at ${address} does not bind the password to the TLS connection, and channel_binding=require asks for it`,
    'Check that this is the server you mean; it has to ask for a password by scram-sha-256, over TLS.',
  );
}
