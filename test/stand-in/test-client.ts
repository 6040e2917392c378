import { type Logger, LogLevel, WebClient } from '@slack/web-api';
import type { StandIn } from './server.ts';

/** The default logger writes to stdout, the tests' own channel. */
const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};

/** The real SDK, without retries or waiting of its own. */
export function openClient(slack: StandIn, token: string, timeout = 0): WebClient {
  return new WebClient(token, {
    slackApiUrl: slack.url,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout,
    logger: silent,
  });
}

/** The code Slack refused with, or what the SDK calls the failure. */
export async function failureOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const { data, code, name } = error as { data?: { error?: string }; code?: string; name: string };
    return data?.error ?? code ?? name;
  }
  return 'none';
}
