/**
 * Slack's limits: per method, workspace and app, in one-minute windows (docs.slack.dev, rate-limits). Slack grants a
 * little more than it documents and says not how much; the stand-in grants the documented number and no more.
 */
export interface LimitOptions {
  /** `restricted`: history and replies once a minute each, 15 objects (new commercially distributed apps). */
  regime?: 'tiers' | 'restricted';
  /**
   * How many times faster a minute passes: 100 makes it 600 ms. Retry-After stays in real, whole seconds, rounded up,
   * so it is at least 1 and obeying it is always enough, but a compressed wait may last several windows.
   */
  timeScale?: number;
  /** Calls per minute for single methods, over the tier's number. */
  perMinute?: Readonly<Record<string, number>>;
  /** Milliseconds; for tests that own the time. */
  now?: () => number;
}

const TIER_2 = 20;
const TIER_3 = 50;
const TIER_4 = 100;
/** "Hundreds per minute". */
const SPECIAL = 300;
const RESTRICTED = 1;

const PER_MINUTE: Readonly<Record<string, number>> = {
  'auth.test': SPECIAL,
  'bots.info': TIER_3,
  'conversations.history': TIER_3,
  'conversations.info': TIER_3,
  'conversations.join': TIER_3,
  'conversations.list': TIER_2,
  'conversations.members': TIER_4,
  'conversations.replies': TIER_3,
  'emoji.list': TIER_2,
  'team.info': TIER_3,
  'usergroups.list': TIER_2,
  'users.conversations': TIER_3,
  'users.info': TIER_4,
  'users.list': TIER_2,
};

export class RateLimiter {
  readonly #windows = new Map<string, { endsAt: number; calls: number }>();
  readonly #options: LimitOptions;
  readonly #minute: number;
  readonly #now: () => number;

  constructor(options: LimitOptions) {
    this.#options = options;
    this.#minute = 60_000 / (options.timeScale ?? 1);
    this.#now = options.now ?? (() => performance.now());
  }

  /** Counts a call. The seconds to wait when it is one too many; refused calls are not counted. */
  take(workspace: string, app: string, method: string): number | undefined {
    const key = `${workspace} ${app} ${method}`;
    const now = this.#now();
    let window = this.#windows.get(key);
    if (window === undefined || window.endsAt <= now) {
      window = { endsAt: now + this.#minute, calls: 0 };
      this.#windows.set(key, window);
    }
    if (window.calls >= this.#allowance(method)) return Math.max(1, Math.ceil((window.endsAt - now) / 1000));
    window.calls += 1;
    return undefined;
  }

  #allowance(method: string): number {
    const own = this.#options.perMinute?.[method];
    if (own !== undefined) return own;
    const isRestricted = method === 'conversations.history' || method === 'conversations.replies';
    if (this.#options.regime === 'restricted' && isRestricted) return RESTRICTED;
    return PER_MINUTE[method] ?? TIER_3;
  }
}
