import type { Workspace } from './workspace.ts';

/** What auth answers instead of `ok`: docs.slack.dev/reference/methods/auth.test. */
export type TokenState = 'ok' | 'token_revoked' | 'token_expired' | 'account_inactive' | 'invalid_auth';

export interface Token {
  readonly value: string;
  readonly workspace: Workspace;
  readonly kind: 'bot' | 'user';
  readonly user: string;
  /** Rate limits are shared by all tokens of one app. */
  readonly app: string;
  scopes: string[];
  state: TokenState;
}

export interface TokenOptions {
  value?: string;
  kind?: 'bot' | 'user';
  user?: string;
  scopes?: readonly string[];
  app?: string;
}

export const ALL_SCOPES: readonly string[] = [
  'channels:history',
  'channels:join',
  'channels:read',
  'chat:write',
  'emoji:read',
  'files:read',
  'groups:history',
  'groups:read',
  'im:history',
  'im:read',
  'im:write',
  'mpim:history',
  'mpim:read',
  'reactions:read',
  'team:read',
  'usergroups:read',
  'users:read',
  'users:read.email',
];
