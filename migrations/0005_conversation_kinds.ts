import type { ColumnTypes, Migration } from './column-types.ts';

/**
 * Earlier versions believed the list of an export before the conversation's own flags and id, and took what nothing named
 * for public. The rows get the kind that their evidence allows (`src/normalize/conversation-kind.ts` as it is today); where
 * there is none it is 'unknown', which is treated as private until Slack or a later export tells.
 */
export const conversationKinds: Migration = {
  name: '0005_conversation_kinds',
  statements: (types) => [
    ...toldNames(types),
    set('im', `kind <> 'im' and (${says('is_im')} or ${idBegins('D')}) and not ${says('is_mpim')}`),
    set('mpim', `kind not in ('im', 'mpim') and (${says('is_mpim')} or ${isGroupMessage})`),
    set('private', `kind = 'public' and (${says('is_private')} or ${says('is_group')} or ${idBegins('G')})`),
    set('unknown', `kind = 'public' and not (${isOpen} or ${wasListed})`),
  ],
};

/**
 * What messages tell of people's names, for those whom nothing else describes. profile_ts: of the newest message with the
 * person's profile, and the names in it; label_ts: of the newest that mentions the person by name.
 */
function toldNames({ text, tableOptions }: ColumnTypes): string[] {
  return [
    `create table told_names (
      team_id ${text} not null,
      user_id ${text} not null,
      profile_ts ${text},
      name ${text},
      real_name ${text},
      display_name ${text},
      label_ts ${text},
      label ${text},
      primary key (team_id, user_id)
    )${tableOptions}`,
  ];
}

function set(kind: string, where: string): string {
  return `update channels set kind = '${kind}' where ${where}`;
}

/** As text in both databases; null where the flag is absent, and 'null' where it says nothing. */
function writtenAs(flag: string): string {
  return `coalesce(lower(trim(cast(raw ->> '${flag}' as text))), case when cast(raw -> '${flag}' as text) = 'null' then 'null' end)`;
}

function says(flag: string): string {
  return `coalesce(${writtenAs(flag)} in ('true', '1'), false)`;
}

function denies(flag: string): string {
  return `coalesce(${writtenAs(flag)} in ('false', '0'), false)`;
}

/** Neither yes nor no. */
function isUnclear(flag: string): string {
  return `coalesce(${writtenAs(flag)} not in ('true', '1', 'false', '0'), false)`;
}

function idBegins(letter: string): string {
  return `substr(channel_id, 1, 1) = '${letter}'`;
}

const isGroupMessage = "lower(substr(coalesce(name, ''), 1, 5)) = 'mpdm-'";

/** Slack's API says it; `is_channel` alone does not. */
const isOpen = `(${denies('is_private')} and not ${denies('is_channel')})`;

const flags = ['is_channel', 'is_group', 'is_im', 'is_mpim', 'is_private'];

/**
 * It stood in the list of public channels. What is there of a mere folder came from no export (of no moment, as it was
 * written), or has an id of our own.
 */
const wasListed = `(coalesce(exported_at > '1970-01-01T00:00:00.000Z', false) and substr(channel_id, 1, 6) <> 'LOCAL-'
  and not ${denies('is_channel')} and not (${flags.map(isUnclear).join(' or ')}))`;
