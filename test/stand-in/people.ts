import type { JsonObject } from '../../src/model.ts';

/** `external`: from another workspace (Slack Connect); known to users.info only, never listed by users.list. */
export type UserKind = 'member' | 'guest' | 'bot' | 'deleted' | 'external';

export interface UserOptions {
  id?: string;
  name?: string;
  realName?: string;
  title?: string;
  timezone?: string;
  /** The home workspace of an external user. */
  teamId?: string;
  /** users.info answers `user_not_visible`. */
  isInvisible?: boolean;
  botId?: string;
  appId?: string;
  /** Merged over the whole user object, for what has no option of its own. */
  raw?: JsonObject;
}

export interface User extends UserOptions {
  readonly id: string;
  kind: UserKind;
  name: string;
  realName: string;
  teamId: string;
  updated: number;
}

/** docs.slack.dev/reference/objects/user-object; the e-mail address only with the scope users:read.email. */
export function renderUser(user: User, domain: string, withEmail: boolean): JsonObject {
  const isExternal = user.kind === 'external';
  const deleted = user.kind === 'deleted';
  const isBot = user.kind === 'bot';
  const hash = user.id.slice(-8).toLowerCase();
  const image = (size: number): string => `https://avatars.slack-edge.com/${user.id}_${hash}_${size}.png`;
  return {
    id: user.id,
    team_id: user.teamId,
    name: user.name,
    deleted,
    // Slack drops colour, time zone and the admin flags of deactivated users.
    ...(deleted ? {} : present(user, isExternal)),
    profile: {
      title: user.title ?? '',
      phone: '',
      skype: '',
      real_name: user.realName,
      real_name_normalized: user.realName,
      display_name: isBot ? '' : user.name,
      display_name_normalized: isBot ? '' : user.name,
      fields: null,
      status_text: '',
      status_emoji: '',
      status_emoji_display_info: [],
      status_expiration: 0,
      avatar_hash: hash,
      first_name: user.realName.split(' ')[0] ?? '',
      last_name: user.realName.split(' ').slice(1).join(' '),
      ...(withEmail && !isBot && !isExternal ? { email: `${user.name}@${domain}.example` } : {}),
      ...(isBot ? { api_app_id: user.appId ?? '', always_active: true, bot_id: user.botId ?? '' } : {}),
      image_24: image(24),
      image_72: image(72),
      image_512: image(512),
      team: user.teamId,
    },
    is_bot: isBot,
    is_app_user: false,
    updated: user.updated,
    ...(isExternal ? { is_stranger: true } : {}),
    ...user.raw,
  };
}

function present(user: User, isExternal: boolean): JsonObject {
  return {
    color: '9f69e7',
    real_name: user.realName,
    tz: user.timezone ?? 'Europe/Amsterdam',
    tz_label: 'Central European Time',
    tz_offset: 3600,
    is_admin: false,
    is_owner: false,
    is_primary_owner: false,
    is_restricted: user.kind === 'guest',
    is_ultra_restricted: false,
    ...(isExternal ? {} : { is_email_confirmed: true, who_can_share_contact_card: 'EVERYONE' }),
  };
}

/** Answered by users.info though users.list may not hold it; `is_bot` is false (docs.slack.dev, user object). */
export function slackbot(teamId: string): JsonObject {
  return {
    id: 'USLACKBOT',
    team_id: teamId,
    name: 'slackbot',
    deleted: false,
    color: '757575',
    real_name: 'Slackbot',
    tz: 'America/Los_Angeles',
    tz_label: 'Pacific Standard Time',
    tz_offset: -28800,
    profile: { real_name: 'Slackbot', display_name: 'Slackbot', always_active: true, fields: {}, team: teamId },
    is_bot: false,
    is_app_user: false,
    updated: 0,
  };
}
