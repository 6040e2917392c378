/** Words a failed call for the person who must act. Nothing here quotes an answer's body or the token. */
import { SlackError } from '../errors.ts';
import type { CallFailure } from './answer.ts';
import { certificateWords, isCertificateError } from './certificate-errors.ts';
import { hintOf, meaningOf } from './error-codes.ts';

/** The error a failed call ends with, after `attempts` tries of it. */
export function slackError(method: string, failure: CallFailure, attempts = 1): SlackError {
  switch (failure.type) {
    case 'refused':
      return refusedError(method, failure.code, failure.needed, attempts);
    case 'rate_limited':
      return transientError(method, 'ratelimited', `Slack limited the rate of ${method}.${times(attempts)}`);
    case 'http':
      return httpError(method, failure.status, attempts);
    case 'bad_body':
      return transientError(
        method,
        'bad_body',
        `Slack's answer to ${method} cannot be used: ${failure.why}.${times(attempts)}`,
      );
    case 'odd_body':
      return new SlackError(
        { kind: 'unknown', method, code: 'malformed_answer' },
        `Slack's answer to ${method} cannot be taken: ${failure.why}.`,
      );
    case 'network':
      return networkError(method, failure, attempts);
  }
}

/** The same for a call that is not sent again: the error tells whether it may have been done. */
export function unrepeatedError(method: string, failure: CallFailure): SlackError {
  const error = slackError(method, failure);
  const { kind, code, needed, cause, message, hint } = error;
  const isDoubtful = mayHaveHappened(failure);
  return new SlackError(
    { kind, method, code, isDoubtful, cause, ...(needed === undefined ? {} : { needed }) },
    message,
    hint,
  );
}

/** Refusals after which nobody knows how far Slack came. */
const doubtfulRefusals = new Set(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout']);

/** Whether the server tried and failed, so that it may succeed at less; a network that does not lead there is none of its faults. */
export function isFaultOfServer(failure: CallFailure): boolean {
  switch (failure.type) {
    case 'http':
      return failure.status >= 500 || failure.status === 408;
    case 'refused':
      return doubtfulRefusals.has(failure.code);
    case 'bad_body':
      return true;
    case 'network':
      return ['timeout', 'connection_lost', 'ECONNRESET', 'EPIPE'].includes(failure.code);
    case 'odd_body':
    case 'rate_limited':
      return false;
  }
}

/** Its answer was lost, or told of an error on Slack's side; other refusals and rate limits say that it was not done. */
function mayHaveHappened(failure: CallFailure): boolean {
  if (failure.type === 'rate_limited') return false;
  return failure.type !== 'refused' || doubtfulRefusals.has(failure.code);
}

function refusedError(method: string, code: string, needed: string | undefined, attempts: number): SlackError {
  if (code === 'missing_scope') return scopeError(method, needed);
  const { kind, why, hint } = meaningOf(code);
  return new SlackError({ kind, method, code }, `Slack refused ${method}: ${why} (${code}).${times(attempts)}`, hint);
}

function scopeError(method: string, needed: string | undefined): SlackError {
  if (needed === undefined || needed === '') {
    return new SlackError(
      { kind: 'scope', method, code: 'missing_scope' },
      `Slack refused ${method}: the token lacks a scope, and Slack does not say which (missing_scope).`,
      'Give the app all scopes of slack-app-manifest.yaml, reinstall it, then run again.',
    );
  }
  return new SlackError(
    { kind: 'scope', method, code: 'missing_scope', needed },
    `Slack refused ${method}: the token lacks the scope ${needed} (missing_scope).`,
    `Add the scope ${needed} to the app, reinstall it, then run again.`,
  );
}

/** Slack answers with 200 even when it refuses, so other statuses are a failing service (5xx) or not Slack at all. */
function httpError(method: string, status: number, attempts: number): SlackError {
  const code = `http_${status}`;
  const message = `${method} was answered with HTTP status ${status}.${times(attempts)}`;
  if (status >= 500 || status === 408) return transientError(method, code, message);
  return new SlackError(
    { kind: 'unknown', method, code },
    message,
    'Slack does not answer so; check the API address and the proxy between this machine and Slack.',
  );
}

function networkError(method: string, failure: CallFailure & { type: 'network' }, attempts: number): SlackError {
  const { code, cause, proxy } = failure;
  const via = proxy === undefined ? '' : ` through the proxy ${proxy.address}`;
  if (isCertificateError(code)) {
    const { why, hint } = certificateWords(code);
    return new SlackError(
      { kind: 'unknown', method, code, cause },
      `${method} did not reach Slack${via}, because ${why} (${code}).`,
      hint,
    );
  }
  if (proxy?.status !== undefined && proxy.status < 500) {
    return new SlackError(
      { kind: 'unknown', method, code: 'proxy_refused', cause },
      `${method} did not reach Slack: the proxy ${proxy.address} refuses the connection with HTTP status ${proxy.status}.`,
      'Check the user and password in HTTPS_PROXY, and that the proxy lets https through to the host; NO_PROXY names hosts to be reached without it.',
    );
  }
  return new SlackError(
    { kind: 'transient', method, code, cause },
    `${method} ${networkWords(code)}${via}.${times(attempts)}`,
    'Check the network, the proxy and the API address, then run again; what is committed stays.',
  );
}

function networkWords(code: string): string {
  if (code === 'timeout') return 'was not answered in time';
  if (code === 'redirected') return 'was redirected elsewhere, as a login page of the network would do';
  if (code === 'connection_lost') return 'was cut off before the answer was complete';
  return `did not reach Slack (${code})`;
}

function transientError(method: string, code: string, message: string): SlackError {
  return new SlackError({ kind: 'transient', method, code }, message, hintOf('transient'));
}

function times(attempts: number): string {
  return attempts === 1 ? '' : ` The call failed ${attempts} times in a row.`;
}
