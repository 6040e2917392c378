/**
 * The Slack methods this program may call, and at what rate. A method that is not listed cannot be called at all: the copy
 * is read-only, and those that change anything in Slack are called only for those who asked for it.
 */
import { SlackError } from '../errors.ts';

interface MethodFacts {
  /** The tier's published rate, per method, workspace and app (docs.slack.dev/apis/web-api/rate-limits). */
  callsPerMinute: number;
  /** What must have been asked for; absent for methods that only read. */
  permission?: Permission;
}

/** `join`: entering public channels. `post`: posting and editing digests, and removing one that was posted twice. */
export type Permission = 'join' | 'post';

const tier2 = 20;
const tier3 = 50;
const tier4 = 100;
/** auth.test is "special": hundreds a minute. Once per run is all we need. */
const special = 100;

const methods = {
  'auth.test': { callsPerMinute: special },
  'conversations.list': { callsPerMinute: tier2 },
  'conversations.info': { callsPerMinute: tier3 },
  'conversations.history': { callsPerMinute: tier3 },
  'conversations.replies': { callsPerMinute: tier3 },
  'conversations.join': { callsPerMinute: tier3, permission: 'join' },
  'users.list': { callsPerMinute: tier2 },
  'users.info': { callsPerMinute: tier4 },
  'usergroups.list': { callsPerMinute: tier2 },
  // "special": about one a second in each channel, and a digest is posted to one.
  'chat.postMessage': { callsPerMinute: 60, permission: 'post' },
  'chat.update': { callsPerMinute: tier3, permission: 'post' },
  // Only of what was posted twice.
  'chat.delete': { callsPerMinute: tier3, permission: 'post' },
  'conversations.open': { callsPerMinute: tier3, permission: 'post' },
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

const refusals: Readonly<Record<Permission, { code: string; why: string; hint: string }>> = {
  join: {
    code: 'join_not_allowed',
    why: 'joining channels was not asked for',
    hint: 'Run with --join to join public channels, or invite the app to the channel.',
  },
  post: {
    code: 'post_not_allowed',
    why: 'posting was not asked for',
    hint: 'Only "slackingest digest --publish" posts anything.',
  },
};

/** Throws `SlackError` of kind `caller` for a method that is not listed, or that needs a permission nobody gave. */
export function checkCallable(name: string, permissions: ReadonlySet<Permission>): void {
  if (!isMethodName(name)) {
    throw new SlackError(
      { kind: 'caller', method: name, code: 'method_not_listed' },
      `${name} is not among the Slack methods this program may call.`,
    );
  }
  const facts: MethodFacts = methods[name];
  if (facts.permission === undefined || permissions.has(facts.permission)) return;
  const { code, why, hint } = refusals[facts.permission];
  throw new SlackError({ kind: 'caller', method: name, code }, `${name} changes the workspace, and ${why}.`, hint);
}
