/** The ways to the server, in the order in which libpq tries them: each host, with TLS or without as its sslmode says. */
import type { ClientConfig } from './postgres-client.ts';
import { isEncryptionRefused, isParameterRefused, isUnreachable, missingPassword } from './postgres-errors.ts';
import { areSettings } from './postgres-options.ts';
import { findPassword } from './postgres-password-file.ts';
import type { Environment, PostgresHost, PostgresTarget } from './postgres-target.ts';
import { encryptionsOf, tlsOptions } from './postgres-tls.ts';

interface Route {
  host: PostgresHost;
  encryption: 'tls' | 'plain';
}

export class Routes {
  readonly #target: PostgresTarget;
  readonly #warn: (text: string) => void;
  readonly #tls: ReturnType<typeof tlsOptions>;
  /** Beginning with the one that led to the server last. */
  #all: readonly Route[];
  #current: Route;
  #sendsOptions = true;

  constructor(target: PostgresTarget, env: Environment, warn: (text: string) => void) {
    this.#target = target;
    this.#warn = warn;
    this.#tls = tlsOptions(target, env);
    this.#all = target.hosts.flatMap((host) => encryptionsOf(host).map((encryption) => ({ host, encryption })));
    const [first] = this.#all;
    if (first === undefined) throw new Error('there is no host to connect to');
    this.#current = first;
  }

  /** The driver's settings for the way that is tried at present. Nothing is left for it to look for in the environment. */
  config(): ClientConfig {
    const { user, database, options, applicationName, connectTimeoutMs, tls, channelBinding, address } = this.#target;
    const { host, encryption } = this.#current;
    return {
      host: host.address ?? host.host,
      port: host.port,
      user,
      database,
      password: () => this.#passwordFor(host),
      ssl: encryption === 'tls' ? this.#tls(host) : false,
      sslnegotiation: encryption === 'tls' && tls.isDirect ? 'direct' : 'postgres',
      enableChannelBinding: channelBinding,
      application_name: applicationName,
      ...(this.#sendsOptions && options !== '' ? { options } : {}),
      connectionTimeoutMillis: connectTimeoutMs,
      address,
    };
  }

  /** The first way that leads to the server. Throws the last one's error when none does. */
  async try<Connected>(connect: () => Promise<Connected>): Promise<Connected> {
    let failure: unknown;
    let passedOver: PostgresHost | undefined;
    for (const route of this.#all) {
      if (route.host === passedOver) continue;
      try {
        const connected = await this.#over(route, connect);
        this.#all = [route, ...this.#all.filter((other) => other !== route)];
        return connected;
      } catch (error) {
        failure = error;
        if (isEncryptionRefused(error)) continue;
        if (!isUnreachable(error)) throw error;
        passedOver = route.host;
      }
    }
    throw failure;
  }

  async #over<Connected>(route: Route, connect: () => Promise<Connected>): Promise<Connected> {
    this.#current = route;
    try {
      return await connect();
    } catch (error) {
      // PgBouncer takes no `options`. What is a setting of the session is set there afterwards, as in any other case.
      if (!this.#sendsOptions || !isParameterRefused(error) || !areSettings(this.#target.options)) throw error;
      this.#sendsOptions = false;
      return connect();
    }
  }

  #passwordFor(host: PostgresHost): string {
    const { password, passwordFile, address } = this.#target;
    const found = password ?? findPassword(this.#target, host, this.#warn);
    if (found === undefined) throw missingPassword(address, passwordFile.path);
    return found;
  }
}
