import { demandScopes, type Method } from './call.ts';

/** Needs no scope; the scopes of the token stand in the x-oauth-scopes header, which every answer carries. */
export const authTest: Method = {
  accepts: [],
  answer: ({ workspace, token }) => {
    const user = workspace.users.get(token.user);
    return JSON.stringify({
      ok: true,
      url: workspace.url,
      team: workspace.name,
      user: user?.name ?? token.user,
      team_id: workspace.id,
      user_id: token.user,
      ...(token.kind === 'bot' ? { bot_id: user?.botId ?? '' } : {}),
      ...(workspace.enterpriseId === undefined ? {} : { enterprise_id: workspace.enterpriseId }),
      is_enterprise_install: false,
    });
  },
};

export const teamInfo: Method = {
  accepts: ['team:read'],
  answer: (call) => {
    demandScopes(call, ['team:read']);
    const { workspace } = call;
    const team = {
      id: workspace.id,
      name: workspace.name,
      url: workspace.url,
      domain: workspace.domain,
      email_domain: `${workspace.domain}.example`,
      icon: { image_default: true, image_68: 'https://a.slack-edge.com/80588/img/avatars-teams/ava_0001-68.png' },
      avatar_base_url: 'https://ca.slack-edge.com/',
      is_verified: false,
      ...(workspace.enterpriseId === undefined
        ? {}
        : { enterprise_id: workspace.enterpriseId, enterprise_name: `${workspace.name} Enterprise` }),
    };
    return JSON.stringify({ ok: true, team });
  },
};

export const emojiList: Method = {
  accepts: ['emoji:read'],
  answer: (call) => {
    demandScopes(call, ['emoji:read']);
    return JSON.stringify({
      ok: true,
      emoji: Object.fromEntries(call.workspace.emoji),
      cache_ts: `${call.workspace.world.clock.seconds}.000000`,
    });
  },
};
