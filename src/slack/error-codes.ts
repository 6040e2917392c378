/**
 * What Slack's error codes mean for us: https://docs.slack.dev/reference/methods, each page's list of errors. Codes
 * that are missing here are possible at any time ("other errors can be returned").
 */
import type { SlackErrorKind } from '../errors.ts';

export interface CodeMeaning {
  kind: SlackErrorKind;
  /** Completes "Slack refused <method>: ...". */
  why: string;
  /** What to do next. */
  hint: string | undefined;
}

type Reason = Pick<CodeMeaning, 'kind' | 'why'>;

function ofKind(kind: SlackErrorKind, codes: Record<string, string>): [code: string, Reason][] {
  return Object.entries(codes).map(([code, why]) => [code, { kind, why }]);
}

/** `missing_scope` is not here: its words depend on the answer. */
const reasons = new Map<string, Reason>([
  ...ofKind('auth', {
    invalid_auth: 'the token is wrong, or the app does not admit this IP address',
    not_authed: 'no token arrived',
    account_inactive: 'the token belongs to a deleted user or workspace',
    token_revoked: 'the token was revoked or the app was removed',
    token_expired: 'the token has expired',
    two_factor_setup_required: 'the user must set up two-factor authentication',
    org_login_required: 'the workspace is moving to an organisation',
    accesslimited: 'the workspace does not admit this network',
    not_allowed_token_type: 'this type of token cannot call it',
  }),
  ...ofKind('capability', {
    no_permission: 'the token lacks a permission for it',
    enterprise_is_restricted: 'the organisation does not allow it',
    team_access_not_granted: 'the app is not granted to this workspace',
    plan_upgrade_required: "the workspace's plan does not include it",
    paid_only: "the workspace's plan does not include it",
    feature_not_enabled: 'the workspace has not enabled the feature',
    deprecated_endpoint: 'Slack has retired the method',
    method_deprecated: 'Slack has retired the method',
    metadata_must_be_sent_from_app: 'only a token of an app may send metadata',
  }),
  ...ofKind('channel', {
    not_in_channel: 'the app is not a member of the channel',
    channel_not_found: 'there is no such channel, or the token may not know of it',
    access_denied: 'the token may not read it',
    channel_is_limited_access: 'access to the channel is limited',
    ekm_access_denied: "the organisation's own encryption key denies access",
    is_archived: 'the channel is archived',
    method_not_supported_for_channel_type: 'this kind of channel does not support it',
    too_many_members: 'the channel has too many members to be joined',
    restricted_action: 'a setting of the workspace forbids posting there',
    restricted_action_read_only_channel: 'only some may post in the channel',
    restricted_action_thread_only_channel: 'only replies may be posted in the channel',
    restricted_action_non_threadable_channel: 'the channel takes no such messages',
    user_is_restricted: 'the user may not do so',
    cannot_reply_to_message: 'the message takes no replies',
    message_limit_exceeded: 'a limit on messages of the workspace is reached',
    restricted_action_thread_locked: 'the thread is locked',
    slack_connect_file_link_sharing_blocked: 'links to files may not be posted where other companies read',
    slack_connect_canvas_sharing_blocked: 'links to canvases may not be posted where other companies read',
    slack_connect_lists_sharing_blocked: 'links to lists may not be posted where other companies read',
    messages_tab_disabled: 'the app takes no direct messages',
    is_inactive: 'the channel is archived, frozen or deleted',
    message_not_found: 'there is no such message any more',
    cant_update_message: 'the message is not of this app, or may not be edited',
    edit_window_closed: 'a setting of the workspace forbids editing messages that old',
    cannot_dm_bot: 'bots take no direct messages',
    user_disabled: 'the account of the user is deactivated',
    users_not_found: 'there is no such user',
    thread_not_found: 'there is no such thread; it may have been deleted',
    list_record_comment_fetch_failed: 'the comments of the list record could not be read',
    // No channels, but the reaction is the same: leave this one out.
    user_not_found: 'there is no such user',
    user_not_visible: 'the token may not see this user',
  }),
  ...ofKind('transient', {
    internal_error: 'Slack had an internal error',
    fatal_error: 'Slack had an internal error',
    service_unavailable: 'the service is unavailable',
    request_timeout: 'the request did not reach Slack in time',
    fetch_members_failed: 'Slack could not read the members',
    update_failed: 'Slack could not edit the message',
    streaming_state_conflict: 'the message is still being written',
    team_added_to_org: 'the workspace is moving to an organisation',
  }),
  ...ofKind('cursor', {
    invalid_cursor: 'the page token has expired',
  }),
  ...ofKind('caller', {
    missing_argument: 'an argument is missing',
    invalid_arguments: 'the arguments are invalid',
    invalid_arg_name: 'an argument has an invalid name',
    invalid_array_arg: 'an argument is an array',
    invalid_charset: 'the character set is invalid',
    invalid_form_data: 'the form data is invalid',
    invalid_post_type: 'the content type is invalid',
    missing_post_type: 'the content type is missing',
    invalid_limit: 'the limit is invalid',
    limit_required: 'a limit is required',
    invalid_ts_oldest: '`oldest` is invalid',
    invalid_ts_latest: '`latest` is invalid',
    invalid_types: '`types` is invalid',
    unknown_method: 'Slack does not know the method',
  }),
  ...ofKind('content', {
    invalid_blocks: 'Slack does not accept the blocks',
    invalid_blocks_format: 'Slack does not accept the blocks',
    msg_blocks_too_long: 'the blocks are too long',
    msg_too_long: 'the message is too long',
    block_mismatch: 'the blocks are of another kind than before',
    no_text: 'the message is empty',
    invalid_metadata_format: 'Slack does not accept the metadata',
    invalid_metadata_schema: 'Slack does not accept the metadata',
    metadata_too_large: 'the metadata is too large',
  }),
]);

const hintsOfKinds: Partial<Record<SlackErrorKind, string>> = {
  auth: "Check the token on the app's page at https://api.slack.com/apps (OAuth & Permissions), then run again.",
  transient: 'Run again later; what is committed stays, and the next run goes on from there.',
  cursor: 'Run again; the listing starts anew from the last committed point.',
  content: 'This is a bug of this program; please report it with the message. The next run tries again.',
  caller: 'This is a bug of this program; please report it with the command and this message.',
  unknown: 'Run again later; if it stays, please report the code.',
};

const allowPosting = 'Ask an admin of the workspace to let the app post there, or choose another channel.';
const choosePlace = 'Choose another channel or person for the digest.';
const askOtherCompany = 'Choose a channel that no other company reads, or ask the admins to allow it.';
const publishAnew = 'Publish it once more (--repost) instead of editing what was posted.';

/** Where the kind's own hint would mislead. */
const hintsOfCodes: ReadonlyMap<string, string> = new Map([
  ['not_authed', 'Look for a proxy between this machine and Slack that drops the Authorization header.'],
  ['token_expired', 'Supply a fresh token, or turn token rotation off for the app, then run again.'],
  ['org_login_required', 'Run again when the move is over.'],
  ['not_allowed_token_type', 'Use a bot token (xoxb-) or a user token (xoxp-).'],
  ['team_access_not_granted', 'Ask an admin of the organisation to add the app to the workspace.'],
  ['not_in_channel', 'Invite the app to the channel (/invite @app), or run with --join for public channels.'],
  [
    'channel_not_found',
    'If the channel still exists, invite the app again (/invite @app); if it is gone for good, exclude its id (--exclude, or exclude in the config file). What is stored stays.',
  ],
  ['access_denied', 'Ask an admin of the workspace to let the app read it, or exclude the channel.'],
  ['channel_is_limited_access', 'Ask an admin of the workspace to let the app read it, or exclude the channel.'],
  ['ekm_access_denied', "Ask the organisation's admins whether the key was revoked on purpose; what is stored stays."],
  ['is_archived', 'Have the channel unarchived, or choose another one.'],
  ['is_inactive', 'Have the channel unarchived, or choose another one.'],
  ['restricted_action', allowPosting],
  ['restricted_action_read_only_channel', allowPosting],
  ['restricted_action_thread_only_channel', allowPosting],
  ['restricted_action_non_threadable_channel', allowPosting],
  ['user_is_restricted', allowPosting],
  ['message_limit_exceeded', 'Run again later; people of the workspace post too much at the moment for its plan.'],
  ['slack_connect_file_link_sharing_blocked', askOtherCompany],
  ['slack_connect_canvas_sharing_blocked', askOtherCompany],
  ['slack_connect_lists_sharing_blocked', askOtherCompany],
  ['messages_tab_disabled', "Turn the Messages tab on, on the app's page (App Home), or choose a channel."],
  ['cannot_dm_bot', choosePlace],
  ['user_disabled', choosePlace],
  ['message_not_found', publishAnew],
  ['cant_update_message', publishAnew],
  ['edit_window_closed', publishAnew],
  ['metadata_must_be_sent_from_app', "Use the app's bot token (xoxb-)."],
  ['missing_argument', 'With a token of an organisation, give the team id of the workspace.'],
]);

/** Never fails: a code nobody has documented is of kind `unknown`. */
export function meaningOf(code: string): CodeMeaning {
  const reason = reasons.get(code) ?? { kind: 'unknown', why: 'it gave a reason that is not documented' };
  return { ...reason, hint: hintsOfCodes.get(code) ?? hintOf(reason.kind) };
}

/** What to do about a failure that has no code of Slack's. */
export function hintOf(kind: SlackErrorKind): string | undefined {
  return hintsOfKinds[kind];
}
