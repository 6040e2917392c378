/** How likely a message tells of something that others want to know, and why. */
import type { MessageText } from '../text/message-text.ts';

export interface ScoringWeights {
  keyword: number;
  mention: number;
  replies: number;
  reactions: number;
  anchor: number;
  anchor_cap: number;
  link: number;
  link_cap: number;
  files: number;
  bot: number;
}

export const defaultWeights: ScoringWeights = {
  keyword: 10,
  mention: 8,
  replies: 5,
  reactions: 3,
  anchor: 4,
  anchor_cap: 12,
  link: 2,
  link_cap: 6,
  files: 3,
  bot: -15,
};

export interface ScoringSettings {
  weights: ScoringWeights;
  keywords: readonly string[];
  /** Bot or user ids. */
  trustedBots: readonly string[];
}

export interface ScoredMessage {
  text: MessageText;
  reply_count: number;
  reaction_count: number;
  user_id: string | null;
  bot_id: string | null;
  subtype: string | null;
  channel_name: string | null;
}

/** What the score was made of; kept, so that anybody can be told why. */
export interface Features {
  has_keywords: boolean;
  keyword_count: number;
  has_mention: boolean;
  reply_count: number;
  reaction_count: number;
  anchor_count: number;
  link_count: number;
  has_files: boolean;
  is_bot: boolean;
  channel_name: string | null;
  author_id: string | null;
  bot_id: string | null;
  /** One entry for each part of the score: `2 keywords (release, deploy): +20`. */
  explanations: string[];
}

/** Fewer are politeness. */
const reactionsThatCount = 2;

/** The sum of the parts. A keyword counts once however often it stands. */
export function scoreMessage(
  message: ScoredMessage,
  { weights, keywords, trustedBots }: ScoringSettings,
): { score: number; features: Features } {
  const { text, user_id, bot_id, reply_count, reaction_count } = message;
  const found = [...new Set(keywords.map(normalized))].filter((word) => word !== '' && text.norm.includes(word));
  const isBot = bot_id !== null || message.subtype === 'bot_message';
  const isTrusted = trustedBots.some((id) => id === bot_id || id === user_id);
  const parts: [number, string][] = [
    [weights.keyword * found.length, `${counted(found.length, 'keyword')} (${named(found)})`],
    [text.mentions > 0 ? weights.mention : 0, 'everybody is called'],
    [reply_count >= 1 ? weights.replies : 0, counted(reply_count, 'reply')],
    [reaction_count >= reactionsThatCount ? weights.reactions : 0, counted(reaction_count, 'reaction')],
    [
      Math.min(weights.anchor * text.anchors.length, weights.anchor_cap),
      `${counted(text.anchors.length, 'anchor')} (${named(text.anchors)})`,
    ],
    [Math.min(weights.link * text.links.length, weights.link_cap), counted(text.links.length, 'link')],
    [text.hasFiles ? weights.files : 0, 'files or attachments'],
    [isBot && !isTrusted ? weights.bot : 0, 'posted by a bot'],
  ];
  const counting = parts.filter(([value]) => value !== 0);
  return {
    score: counting.reduce((sum, [value]) => sum + value, 0),
    features: {
      has_keywords: found.length > 0,
      keyword_count: found.length,
      has_mention: text.mentions > 0,
      reply_count,
      reaction_count,
      anchor_count: text.anchors.length,
      link_count: text.links.length,
      has_files: text.hasFiles,
      is_bot: isBot,
      channel_name: message.channel_name,
      author_id: user_id,
      bot_id,
      explanations: counting.map(([value, what]) => `${what}: ${value > 0 ? '+' : ''}${value}`),
    },
  };
}

/** As texts are that are matched. */
function normalized(keyword: string): string {
  return keyword.toLowerCase().replace(/\s+/g, ' ').trim();
}

/** The first few are enough to see what counted. */
function named(words: readonly string[]): string {
  const shown = words.slice(0, 3).join(', ');
  return words.length > 3 ? `${shown}, …` : shown;
}

function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}
