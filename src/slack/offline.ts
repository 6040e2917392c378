/** A workspace without Slack: for commands that work on what is stored and call nothing. */
import type { Identity } from '../model.ts';
import type { SlackApiHandle } from './api-source.ts';
import { pageLimits } from './methods.ts';

/** Knows who it is, or why nobody can say, and nothing else; whoever calls Slack through it has a bug. */
export function offlineSlack(identify: () => Promise<Identity>): SlackApiHandle {
  const refuse = (): never => {
    throw new Error('Slack was called by a command that works offline');
  };
  return {
    identify,
    channels: refuse,
    history: refuse,
    replies: refuse,
    pageSize: (method) => pageLimits[method],
    requestsLeft: null,
    users: refuse,
    user: refuse,
    channel: refuse,
    usergroups: refuse,
    join: refuse,
    post: refuse,
    update: refuse,
    remove: refuse,
    openDirect: refuse,
    paceSnapshot: () => [],
    inheritPace: () => undefined,
    requests: {},
    rateLimited: 0,
    clockAheadMs: 0,
    now: Date.now,
    toldTime: () => null,
  };
}
