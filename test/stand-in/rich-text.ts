import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../src/model.ts';

/** The block Slack's composer makes of a message: entities decoded, mentions, channels and links as elements of their own. */
export function richText(text: string, seed: string): JsonValue {
  const elements = text
    .split(/(<[^>]+>)/)
    .filter((part) => part !== '')
    .map(element);
  return [
    {
      type: 'rich_text',
      block_id: shortId(seed),
      elements: [{ type: 'rich_text_section', elements }],
    },
  ];
}

/** docs.slack.dev/messaging/formatting-message-text: `<@U1>`, `<#C1|name>`, `<!here>`, `<url|label>`; only & < > are escaped. */
function element(part: string): JsonObject {
  const [, sign, target = '', label] = /^<([@#!]?)([^|>]+)(?:\|([^>]*))?>$/.exec(part) ?? [];
  if (sign === '@') return { type: 'user', user_id: target };
  if (sign === '#') return { type: 'channel', channel_id: target };
  if (sign === '!' && target.startsWith('subteam^')) return { type: 'usergroup', usergroup_id: target.slice(8) };
  if (sign === '!') return { type: 'broadcast', range: target };
  if (sign === '')
    return { type: 'link', url: decode(target), ...(label === undefined ? {} : { text: decode(label) }) };
  return { type: 'text', text: decode(part) };
}

function decode(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** A uuid that depends on nothing but its seed, so that two builds of a world are the same. */
export function stableUuid(seed: string): string {
  const hex = createHash('sha1').update(seed).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function shortId(seed: string): string {
  return createHash('sha1').update(seed).digest('base64url').slice(0, 5);
}
