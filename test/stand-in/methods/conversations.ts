import type { JsonObject, JsonValue, ListedKind } from '../../../src/model.ts';
import type { Channel } from '../channel.ts';
import { Refusal } from '../refusal.ts';
import {
  type Call,
  demandAnyScope,
  demandChannel,
  demandScopes,
  flag,
  isMember,
  isVisible,
  listPage,
  type Method,
  scopeFor,
  scopesFor,
} from './call.ts';

const KIND_OF_TYPE: Record<string, ListedKind> = {
  public_channel: 'public',
  private_channel: 'private',
  im: 'im',
  mpim: 'mpim',
};

/** Lists public channels only, unless `types` says otherwise (docs.slack.dev, conversations.list). */
export const conversationsList: Method = {
  accepts: scopesFor('read'),
  answer: (call) => listChannels(call, (channel) => isVisible(call, channel), renderChannel),
};

/** Like Slack's, its objects have neither `is_member` nor `num_members`. */
export const usersConversations: Method = {
  accepts: scopesFor('read'),
  answer: (call) => {
    const user = call.params.user ?? call.token.user;
    const isListed = (channel: Channel): boolean => channel.members.has(user) && isVisible(call, channel);
    return listChannels(call, isListed, (_, channel) => {
      const { is_member: _member, num_members: _members, ...rest } = renderChannel(call, channel);
      return rest;
    });
  },
};

function listChannels(
  call: Call,
  isListed: (channel: Channel) => boolean,
  render: (call: Call, channel: Channel) => JsonObject,
): string {
  demandAnyScope(call, scopesFor('read'));
  const kinds = requestedKinds(call);
  demandScopes(
    call,
    kinds.map((kind) => scopeFor(kind, 'read')),
  );
  const excludeArchived = flag(call, 'exclude_archived');
  const { rows, nextCursor } = listPage(call, [...call.workspace.channels.values()].filter(isListed), {
    id: (channel) => channel.id,
    kind: 'team',
    usual: 100,
    most: 999,
    keep: (channel) => kinds.includes(channel.kind) && !(excludeArchived && channel.isArchived),
  });
  const channels: JsonValue = rows.map((channel) => render(call, channel));
  return JSON.stringify({ ok: true, channels, response_metadata: { next_cursor: nextCursor } });
}

function requestedKinds(call: Call): ListedKind[] {
  const types = (call.params.types || 'public_channel').split(',').map((type) => type.trim());
  return types.map((type) => {
    const kind = KIND_OF_TYPE[type];
    if (kind === undefined) throw new Refusal('invalid_types');
    return kind;
  });
}

export const conversationsInfo: Method = {
  accepts: scopesFor('read'),
  answer: (call) => {
    const found = demandChannel(call, 'read');
    const { num_members, ...rest } = renderChannel(call, found);
    const counted = flag(call, 'include_num_members') && num_members !== undefined ? { num_members } : {};
    const channel: JsonObject = { ...rest, last_read: '0000000000.000000', ...counted };
    return JSON.stringify({ ok: true, channel });
  },
};

/** External members are listed too, though users.list does not know them. */
export const conversationsMembers: Method = {
  accepts: scopesFor('read'),
  answer: (call) => {
    const channel = demandChannel(call, 'read');
    const { rows, nextCursor } = listPage(call, [...channel.members], {
      id: (member) => member,
      kind: 'user',
      usual: 100,
      most: 999,
      subject: channel.id,
    });
    return JSON.stringify({ ok: true, members: rows, response_metadata: { next_cursor: nextCursor } });
  },
};

export const conversationsJoin: Method = {
  accepts: ['channels:join', 'channels:write'],
  answer: (call) => {
    demandScopes(call, [call.token.kind === 'bot' ? 'channels:join' : 'channels:write']);
    const channel = call.workspace.channels.get(call.params.channel ?? '');
    if (channel === undefined || !isVisible(call, channel)) throw new Refusal('channel_not_found');
    if (channel.isPrivate) throw new Refusal('method_not_supported_for_channel_type');
    if (channel.isArchived) throw new Refusal('is_archived');
    const wasIn = isMember(call, channel);
    channel.join(call.token.user);
    const warning = { warning: 'already_in_channel', response_metadata: { warnings: ['already_in_channel'] } };
    return JSON.stringify({ ok: true, channel: renderChannel(call, channel), ...(wasIn ? warning : {}) });
  },
};

/** docs.slack.dev/reference/objects/conversation-object. `created` in seconds, `updated` in milliseconds. */
function renderChannel(call: Call, channel: Channel): JsonObject {
  if (channel.kind === 'im') return renderIm(call, channel);
  const teamIds = [channel.workspace.id];
  const note = (value: string): JsonObject => ({
    value,
    creator: value === '' ? '' : channel.creator,
    last_set: value === '' ? 0 : channel.created,
  });
  return {
    id: channel.id,
    name: channel.name,
    is_channel: channel.kind !== 'mpim' && !channel.id.startsWith('G'),
    is_group: channel.kind === 'private' && channel.id.startsWith('G'),
    is_im: false,
    is_mpim: channel.kind === 'mpim',
    is_private: channel.isPrivate,
    created: channel.created,
    is_archived: channel.isArchived,
    is_general: channel.name === 'general',
    unlinked: 0,
    name_normalized: channel.name,
    is_shared: channel.isExternallyShared,
    is_org_shared: false,
    is_pending_ext_shared: false,
    pending_shared: [],
    context_team_id: channel.workspace.id,
    updated: channel.updated,
    parent_conversation: null,
    creator: channel.creator,
    is_ext_shared: channel.isExternallyShared,
    shared_team_ids: teamIds,
    pending_connected_team_ids: [],
    is_member: isMember(call, channel),
    topic: note(channel.topic),
    purpose: note(channel.purpose),
    previous_names: channel.previousNames,
    num_members: channel.isArchived ? 0 : channel.members.size,
    ...channel.raw,
  };
}

/** A direct message has no name, only the other party. */
function renderIm(call: Call, channel: Channel): JsonObject {
  const other = [...channel.members].find((member) => member !== call.token.user) ?? 'USLACKBOT';
  return {
    id: channel.id,
    created: channel.created,
    is_archived: channel.isArchived,
    is_im: true,
    is_org_shared: false,
    context_team_id: channel.workspace.id,
    updated: channel.updated,
    user: other,
    is_user_deleted: channel.workspace.users.get(other)?.kind === 'deleted',
    priority: 0,
    ...channel.raw,
  };
}
