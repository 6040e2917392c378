import type { JsonObject } from '../../src/model.ts';
import type { Channel } from './channel.ts';
import { Clock } from './clock.ts';
import type { Token, TokenState } from './tokens.ts';
import { Workspace, type WorkspaceOptions } from './workspace.ts';

export interface WorldOptions {
  /** Where the clock stands at first. Default: a day before the present, because look-back windows end at the present. */
  start?: Date | number;
}

const DAY = 86_400_000;
const ID_COUNT = 36 ** 8;
/** Shares no factor with ID_COUNT, so ids repeat only after all were used; small enough for exact products. */
const ID_STEP = 1_664_525_017;

/** Everything the stand-in knows: several workspaces, their tokens and one clock. */
export class World {
  readonly clock: Clock;
  readonly workspaces = new Map<string, Workspace>();
  readonly tokens = new Map<string, Token>();
  #ids = 0;

  constructor(options: WorldOptions = {}) {
    this.clock = new Clock(options.start ?? Date.now() - DAY);
  }

  workspace(id: string, options: WorkspaceOptions = {}): Workspace {
    if (this.workspaces.has(id)) throw new Error(`There is already a workspace ${id}.`);
    const workspace = new Workspace(this, id, options);
    this.workspaces.set(id, workspace);
    return workspace;
  }

  /** Revokes, expires or restores a token. */
  setToken(value: string, state: TokenState): void {
    this.#token(value).state = state;
  }

  revokeToken(value: string): void {
    this.setToken(value, 'token_revoked');
  }

  setScopes(value: string, scopes: readonly string[]): void {
    this.#token(value).scopes = [...scopes];
  }

  expectedMessages(channel: Channel, options: { metadata?: boolean } = {}): JsonObject[] {
    return channel.expectedMessages(options);
  }

  /** Unique and in no order, as Slack's are; the same in a world built again. */
  nextId(prefix: string): string {
    this.#ids += 1;
    const scattered = (this.#ids * ID_STEP) % ID_COUNT;
    return `${prefix}0${scattered.toString(36).toUpperCase().padStart(8, '0')}`;
  }

  #token(value: string): Token {
    const token = this.tokens.get(value);
    if (token === undefined) throw new Error('No such token.');
    return token;
  }
}
