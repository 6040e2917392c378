/**
 * The Slack methods this program may call, and at what rate. A method that is not listed cannot be called at all:
 * the copy is read-only, and `conversations.join` is the one exception, for those who asked for it.
 */
import { SlackError } from '../errors.ts';

interface MethodFacts {
  /** The tier's published rate, per method, workspace and app (docs.slack.dev/apis/web-api/rate-limits). */
  callsPerMinute: number;
  isReadOnly: boolean;
}

const tier2 = 20;
const tier3 = 50;
const tier4 = 100;
/** auth.test is "special": hundreds a minute. Once per run is all we need. */
const special = 100;

const methods = {
  'auth.test': { callsPerMinute: special, isReadOnly: true },
  'conversations.list': { callsPerMinute: tier2, isReadOnly: true },
  'conversations.history': { callsPerMinute: tier3, isReadOnly: true },
  'conversations.replies': { callsPerMinute: tier3, isReadOnly: true },
  'conversations.join': { callsPerMinute: tier3, isReadOnly: false },
  'users.list': { callsPerMinute: tier2, isReadOnly: true },
  'users.info': { callsPerMinute: tier4, isReadOnly: true },
  'usergroups.list': { callsPerMinute: tier2, isReadOnly: true },
} as const satisfies Record<string, MethodFacts>;

export type MethodName = keyof typeof methods;

/**
 * The `limit` we send. Calls are billed, not rows, so it is the documented maximum where Slack serves that well:
 * 999 for history and channels. users.list answers HTTP 500 to large pages of large teams and replies fails on large
 * threads, so both get the 200 that Slack recommends (docs.slack.dev/apis/web-api/pagination).
 */
export const pageLimits = {
  'conversations.list': 999,
  'conversations.history': 999,
  'conversations.replies': 200,
  'users.list': 200,
} as const satisfies Partial<Record<MethodName, number>>;

/** Objects in a page where Slack restricts the app, see restricted.ts. */
export const restrictedPage = 15;

/** Objects that one page may hold. */
export function pageSize(method: 'conversations.history' | 'conversations.replies', isRestricted: boolean): number {
  return isRestricted ? restrictedPage : pageLimits[method];
}

export function isMethodName(name: string): name is MethodName {
  return Object.hasOwn(methods, name);
}

/** Calls per minute that Slack publishes for the method. */
export function publishedRate(method: MethodName): number {
  return methods[method].callsPerMinute;
}

/** Throws `SlackError` of kind `caller` for a method that is not listed, or that writes without `allowJoin`. */
export function checkCallable(name: string, allowJoin: boolean): void {
  if (!isMethodName(name)) {
    throw new SlackError(
      { kind: 'caller', method: name, code: 'method_not_listed' },
      `${name} is not among the Slack methods this program may call.`,
    );
  }
  if (!methods[name].isReadOnly && !allowJoin) {
    throw new SlackError(
      { kind: 'caller', method: name, code: 'join_not_allowed' },
      `${name} changes the workspace, and joining channels was not asked for.`,
      'Run with --join to join public channels, or invite the app to the channel.',
    );
  }
}
