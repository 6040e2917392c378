/**
 * Notices a Postgres that has fallen silent: the network is gone and nothing says so, or something between takes our
 * words and passes none on. The system itself gives such a connection up after a quarter of an hour, or never.
 */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DatabaseConnection, PostgresDialect, type PostgresDialectConfig, PostgresDriver } from 'kysely';
import pg from 'pg';
import { DatabaseError } from '../../errors.ts';

/** After so long without an answer the server is asked whether it is there at all, again and again until it answers. */
const patienceMs = 15_000;

const farewellMs = 1_000;

/** A pg client whose connection can be dropped without a word to the server. */
export class DroppableClient extends pg.Client {
  readonly #socket: Socket;

  constructor(config?: pg.ClientConfig) {
    const socket = new Socket();
    super({ ...config, stream: () => socket });
    this.#socket = socket;
    // The query under way fails with the connection and tells; without a listener the event would end the process.
    this.on('error', () => undefined);
  }

  /** What waits for an answer fails. Ending politely would wait for the server's consent. */
  drop(): void {
    this.#socket.destroy();
  }
}

/**
 * Waits for answers, however long they take, as long as the server is there: an index over years of messages may take
 * hours. What says that it is there is that it accepts a new connection, or refuses it in words of its own.
 */
export class SilenceWatch {
  readonly #address: string;
  readonly #openProbe: () => DroppableClient;
  readonly #clients = new Set<DroppableClient>();
  #isSilent = false;
  #probe: Promise<void> | null = null;

  /** `openProbe` makes a client for one connection, which the watch drops. */
  constructor(address: string, openProbe: () => DroppableClient) {
    this.#address = address;
    this.#openProbe = openProbe;
  }

  /** A connected client, to be dropped when the server is silent. */
  add(client: DroppableClient): void {
    this.#clients.add(client);
    client.once('end', () => this.#clients.delete(client));
  }

  /** What to say once the server was found silent, whatever it was that failed then; undefined before. */
  get silence(): DatabaseError | undefined {
    if (!this.#isSilent) return undefined;
    return new DatabaseError(
      `Postgres at ${this.#address} has fallen silent: it answers neither over the open connections nor to a new one`,
      'Check the server and the network between. Everything committed before is kept; the next run goes on from there.',
    );
  }

  /** The answer; when the server falls silent before it comes, the error of a connection that was dropped. */
  async during<T>(answer: Promise<T>): Promise<T> {
    const timer = setInterval(() => {
      this.#probe ??= this.#ask().finally(() => {
        this.#probe = null;
      });
    }, patienceMs);
    try {
      return await answer;
    } finally {
      clearInterval(timer);
    }
  }

  /** A new connection was not answered in time. Before the first one this tells of an address, not of a silence. */
  sawNoAnswer(): void {
    if (this.#clients.size === 0) return;
    this.#isSilent = true;
    for (const client of this.#clients) client.drop();
  }

  /** Lets connections that were ended politely go, and drops those to whose end the server does not agree soon. */
  async dropRest(): Promise<void> {
    const giveUpAt = performance.now() + farewellMs;
    while (this.#clients.size > 0 && performance.now() < giveUpAt) await sleep(5);
    for (const client of this.#clients) client.drop();
  }

  async #ask(): Promise<void> {
    const client = this.#openProbe();
    try {
      await client.connect();
    } catch (error) {
      // "Too many clients" and the like are answers.
      if (!(error instanceof pg.DatabaseError)) this.sawNoAnswer();
    } finally {
      client.drop();
    }
  }
}

/** kysely's dialect with every statement under the watch. */
export class WatchedPostgresDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;
  readonly #watch: SilenceWatch;

  constructor(config: PostgresDialectConfig, watch: SilenceWatch) {
    super(config);
    this.#config = config;
    this.#watch = watch;
  }

  override createDriver(): PostgresDriver {
    return new WatchedDriver(this.#config, this.#watch);
  }
}

class WatchedDriver extends PostgresDriver {
  readonly #watch: SilenceWatch;
  readonly #watched = new WeakSet<DatabaseConnection>();

  constructor(config: PostgresDialectConfig, watch: SilenceWatch) {
    super(config);
    this.#watch = watch;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection();
    if (this.#watched.has(connection)) return connection;
    this.#watched.add(connection);
    // In place, as kysely does for its log: it releases the very object that it gave out.
    const execute: DatabaseConnection['executeQuery'] = connection.executeQuery.bind(connection);
    connection.executeQuery = (query) => this.#watch.during(execute(query));
    return connection;
  }
}
