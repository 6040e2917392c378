/** The connections of a command: opened by the ways there are, prepared, checked, watched, and used again. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Access } from './dialect.ts';
import { PostgresClient } from './postgres-client.ts';
import { isBusy, isUnreachable, UnfitServerError } from './postgres-errors.ts';
import type { SessionAttributes } from './postgres-parameters.ts';
import { assertOwnSessions } from './postgres-pooling.ts';
import { Routes } from './postgres-routes.ts';
import { createShadows, isWanted, prepareSession, type Query } from './postgres-session.ts';
import { SilenceWatch } from './postgres-silence.ts';
import type { Environment, PostgresTarget } from './postgres-target.ts';
import { getTypeParser } from './postgres-values.ts';

/** A command needs one connection for its work, one for its lock, one for heartbeats in between. */
const poolSize = 3;
/** Sooner than anything between us and the server may cut an idle connection: a new one costs less than one found cut in its use. */
const idleTimeoutMillis = 2_000;
/** A connection is asked for a sign of life before a firewall forgets it. Without this delay the system waits two hours. */
const keepAliveDelayMs = 30_000;
/** Waits before the next try when the server has no connection left or is just starting. */
const connectBackoffMs = [250, 500, 1000, 2000, 4000, 8000];

export class PostgresPool {
  readonly watch: SilenceWatch;
  readonly #target: PostgresTarget;
  readonly #signal: AbortSignal | undefined;
  readonly #routes: Routes;
  readonly #pool: pg.Pool;
  readonly #access: Access;
  #prepared = new WeakSet<pg.PoolClient>();
  /** Tables that every session has as copies of its own. */
  #shadowed: readonly string[] = [];
  #ownSessions: Promise<void> | undefined;
  /** Keeps the one session of a reader from being cut while nobody needs it. */
  readonly #talk: NodeJS.Timeout | undefined;

  /** Connects on first use. Throws `UsageError` for certificates that cannot be used. */
  constructor(
    target: PostgresTarget,
    surroundings: {
      access: Access;
      env: Environment;
      warn: (text: string) => void;
      signal: AbortSignal | undefined;
    },
  ) {
    this.#target = target;
    this.#access = surroundings.access;
    this.#signal = surroundings.signal;
    this.#routes = new Routes(target, surroundings.env, surroundings.warn);
    this.watch = new SilenceWatch(target.address, () => this.#openClient());
    // The pool makes its clients by itself: this is how each is told the way that is tried at present.
    const config = () => this.#clientConfig();
    class Client extends PostgresClient {
      constructor() {
        super(config());
      }
    }
    this.#pool = new pg.Pool(
      // What a reader shadows belongs to one session, and is dear to make again.
      this.#access === 'read' ? { max: 1, idleTimeoutMillis: 0, Client } : { max: poolSize, idleTimeoutMillis, Client },
    );
    // A pooled connection that dies while idle is replaced at the next use; without a listener it would end the process.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => {
      if (client instanceof PostgresClient) this.watch.add(client);
    });
    if (this.#access === 'read') this.#talk = setInterval(() => this.#ping().catch(() => undefined), idleTimeoutMillis);
  }

  /**
   * A session that was prepared. Waits for a while where the server is starting or has no connection left; a run that is told
   * to stop still gets one to record it, but waits for none.
   */
  async connect(): Promise<pg.PoolClient> {
    for (const wait of connectBackoffMs) {
      try {
        return await this.#connect();
      } catch (error) {
        if (!isBusy(error) || this.#signal?.aborted === true) throw error;
        await sleep(wait, undefined, { signal: this.#signal }).catch(() => undefined);
      }
    }
    return this.#connect();
  }

  /** As the dialect's: every session makes its copies before it is used next. */
  shadow(tables: readonly string[]): void {
    this.#shadowed = tables;
    this.#prepared = new WeakSet();
  }

  async end(): Promise<void> {
    clearInterval(this.#talk);
    if (!this.#pool.ended) await this.#pool.end();
  }

  async #connect(): Promise<pg.PoolClient> {
    const { attributes } = this.#target;
    if (attributes !== 'prefer-standby') return this.#connectTo(attributes);
    try {
      return await this.#connectTo('standby');
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      return this.#connectTo('any');
    }
  }

  #connectTo(attributes: SessionAttributes): Promise<pg.PoolClient> {
    return this.#routes.try(async () => {
      if (this.watch.silence !== undefined) throw this.watch.silence;
      const client = await this.#pool.connect().catch((error: unknown) => {
        if (isConnectTimeout(error)) this.watch.sawNoAnswer();
        throw error;
      });
      if (this.#prepared.has(client)) return client;
      try {
        await this.#prepare(client, attributes);
      } catch (error) {
        client.release(true);
        throw error;
      }
      this.#prepared.add(client);
      return client;
    });
  }

  async #prepare(client: pg.PoolClient, attributes: SessionAttributes): Promise<void> {
    const { address, options } = this.#target;
    await this.watch.during(this.#assertOwnSessions(client));
    const query: Query = (text, values) => this.watch.during(client.query(text, values));
    const facts = await prepareSession(query, { options, address, access: this.#access });
    await createShadows(query, this.#shadowed);
    if (!isWanted(attributes, facts))
      throw new UnfitServerError(
        `no server of ${address} is of the kind target_session_attrs=${attributes}`,
        'Name the other servers too (host1:5432,host2:5432), or wait until one has taken over.',
      );
  }

  async #ping(): Promise<void> {
    if (this.#pool.idleCount === 0) return;
    const client = await this.#pool.connect();
    try {
      await this.watch.during(client.query('select'));
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** Once: what is true of one connection is true of the others. */
  #assertOwnSessions(client: pg.PoolClient): Promise<void> {
    this.#ownSessions ??= assertOwnSessions(client, () => this.#openClient(), this.#target.address).catch((error) => {
      this.#ownSessions = undefined;
      throw error;
    });
    return this.#ownSessions;
  }

  #openClient(): PostgresClient {
    return new PostgresClient(this.#clientConfig());
  }

  #clientConfig() {
    const types = { getTypeParser };
    return { ...this.#routes.config(), keepAlive: true, keepAliveInitialDelayMillis: keepAliveDelayMs, types };
  }
}

/** As the driver says it of a new connection. */
function isConnectTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout expired';
}
