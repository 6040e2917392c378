import type { JsonValue } from '../../../src/model.ts';
import { renderUser, slackbot } from '../people.ts';
import { Refusal } from '../refusal.ts';
import { type Call, demand, demandScopes, flag, listPage, type Method } from './call.ts';

/** Deleted accounts included, external ones not. Without a limit it answers everything, or limit_required. */
export const usersList: Method = {
  accepts: ['users:read'],
  answer: (call) => {
    demandScopes(call, ['users:read']);
    const { workspace } = call;
    const users = [...workspace.users.values()].filter((user) => user.kind !== 'external');
    const isUnlimited = !(Number(call.params.limit) >= 1);
    if (isUnlimited && users.length > (workspace.options.limitRequiredAbove ?? Infinity)) {
      throw new Refusal('limit_required');
    }
    const { rows, nextCursor } = listPage(call, users, {
      id: (user) => user.id,
      kind: 'user',
      usual: Math.max(1, users.length),
      most: 1000,
    });
    const members = rows.map((user) => renderUser(user, workspace.domain, seesEmail(call)));
    if (workspace.options.listsSlackbot === true && !call.params.cursor) members.unshift(slackbot(workspace.id));
    return JSON.stringify({
      ok: true,
      members,
      cache_ts: workspace.world.clock.seconds,
      response_metadata: { next_cursor: nextCursor },
    });
  },
};

export const usersInfo: Method = {
  accepts: ['users:read'],
  answer: (call) => {
    demandScopes(call, ['users:read']);
    const id = demand(call, 'user');
    if (id === 'USLACKBOT') return JSON.stringify({ ok: true, user: slackbot(call.workspace.id) });
    const user = call.workspace.users.get(id);
    if (user === undefined) throw new Refusal('user_not_found');
    if (user.isInvisible === true) throw new Refusal('user_not_visible');
    return JSON.stringify({ ok: true, user: renderUser(user, call.workspace.domain, seesEmail(call)) });
  },
};

function seesEmail(call: Call): boolean {
  return call.token.scopes.includes('users:read.email');
}

export const botsInfo: Method = {
  accepts: ['users:read'],
  answer: (call) => {
    demandScopes(call, ['users:read']);
    const id = call.params.bot ?? '';
    const user = [...call.workspace.users.values()].find((candidate) => candidate.botId === id);
    if (user === undefined) throw new Refusal('bot_not_found');
    const bot = {
      id,
      deleted: false,
      name: user.realName,
      updated: user.updated,
      app_id: user.appId ?? '',
      user_id: user.id,
      icons: { image_36: `https://avatars.slack-edge.com/${id}_36.png` },
    };
    return JSON.stringify({ ok: true, bot });
  },
};

/** Usergroups are not part of the free plan. */
export const usergroupsList: Method = {
  accepts: ['usergroups:read'],
  answer: (call) => {
    demandScopes(call, ['usergroups:read']);
    const { workspace } = call;
    if (workspace.plan === 'free') throw new Refusal('plan_upgrade_required');
    const now = workspace.world.clock.seconds;
    const usergroups: JsonValue = workspace.usergroups
      .filter((group) => flag(call, 'include_disabled') || !group.isDisabled)
      .map((group) => ({
        id: group.id,
        team_id: workspace.id,
        is_usergroup: true,
        is_subteam: true,
        name: group.name,
        description: '',
        handle: group.handle,
        is_external: false,
        date_create: now,
        date_update: now,
        date_delete: group.isDisabled ? now : 0,
        auto_type: null,
        created_by: workspace.bot.id,
        updated_by: workspace.bot.id,
        deleted_by: group.isDisabled ? workspace.bot.id : null,
        prefs: { channels: [], groups: [] },
        ...(flag(call, 'include_users') ? { users: group.users } : {}),
        ...(flag(call, 'include_count') ? { user_count: group.users.length } : {}),
      }));
    return JSON.stringify({ ok: true, usergroups });
  },
};
