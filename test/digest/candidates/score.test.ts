import { describe, expect, it } from 'vitest';
import { ineligibility } from '../../../src/digest/candidates/eligibility.ts';
import {
  defaultWeights,
  type ScoredMessage,
  type ScoringWeights,
  scoreMessage,
} from '../../../src/digest/candidates/score.ts';
import { messageText } from '../../../src/digest/text/message-text.ts';
import type { JsonObject } from '../../../src/model.ts';
import { richText } from '../../stand-in/rich-text.ts';

const names = { user: () => null, channel: () => null, usergroup: () => null };
const settings = { weights: defaultWeights, keywords: ['release', 'deploy'], trustedBots: [] };

function message(raw: JsonObject, fields: Partial<ScoredMessage> = {}): ScoredMessage {
  return {
    text: messageText(raw, names),
    reply_count: 0,
    reaction_count: 0,
    user_id: 'U1',
    bot_id: null,
    subtype: null,
    channel_name: 'general',
    ...fields,
  };
}

describe('the score', () => {
  it('counts a keyword once, though it stands in text and in blocks', () => {
    const text = 'release done, release out';
    expect(scoreMessage(message({ text, blocks: richText(text, 's') }), settings).score).toBe(10);
  });

  it('finds keywords however they are written, and nothing for empty ones', () => {
    const keywords = ['Code  Freeze', 'code freeze ', ' '];
    const { score, features } = scoreMessage(message({ text: 'CODE\nfreeze today' }), { ...settings, keywords });
    expect(score).toBe(10);
    expect(features.explanations).toEqual(['1 keyword (code freeze): +10']);
  });

  it('is the sum of its parts, anchors and links capped, each told', () => {
    const links = [1, 2, 3, 4, 5].map((n) => `https://e.com/${n}`).join(' ');
    const raw = { text: `@here A-1 AB-1 AB-2 AB-3 AB-4 ${links}`, files: [{ title: 'x' }] };
    const { score, features } = scoreMessage(message(raw, { reply_count: 1, reaction_count: 2 }), settings);
    expect(score).toBe(37);
    expect(features.explanations).toEqual([
      'everybody is called: +8',
      '1 reply: +5',
      '2 reactions: +3',
      '4 anchors (AB-1, AB-2, AB-3, …): +12',
      '5 links: +6',
      'files or attachments: +3',
    ]);
    expect(features).toMatchObject({
      has_mention: true,
      anchor_count: 4,
      link_count: 5,
      author_id: 'U1',
      is_bot: false,
    });
  });

  it('is lower for bots, unless they are trusted by the id of the bot or of its user', () => {
    const bot = message({ text: 'release' }, { bot_id: 'B1', user_id: 'U9' });
    expect(scoreMessage(bot, settings).score).toBe(-5);
    expect(scoreMessage(bot, { ...settings, trustedBots: ['B1'] }).score).toBe(10);
    expect(scoreMessage(bot, { ...settings, trustedBots: ['U9'] }).score).toBe(10);
    expect(scoreMessage(message({ text: 'x' }, { subtype: 'bot_message' }), settings).score).toBe(-15);
  });

  it('obeys every weight', () => {
    const raw = { text: 'release @here AB-1 https://e.com/1', files: [{ title: 'x' }] };
    const whole = message(raw, { reply_count: 1, reaction_count: 2, bot_id: 'B1' });
    const nothing: ScoringWeights = { ...defaultWeights };
    for (const key of Object.keys(nothing)) Object.assign(nothing, { [key]: 0 });
    for (const key of ['keyword', 'mention', 'replies', 'reactions', 'files', 'bot'] as const) {
      expect(scoreMessage(whole, { ...settings, weights: { ...nothing, [key]: 7 } }).score, key).toBe(7);
    }
    for (const key of ['anchor', 'link'] as const) {
      expect(
        scoreMessage(whole, { ...settings, weights: { ...nothing, [key]: 7, [`${key}_cap`]: 5 } }).score,
        key,
      ).toBe(5);
    }
  });
});

describe('candidates', () => {
  const ordinary = { subtype: null, is_reply: false, deleted_at: null, raw: {} };

  it('are messages and replies sent to the channel, of people and apps', () => {
    expect(ineligibility(ordinary)).toBeNull();
    expect(ineligibility({ ...ordinary, subtype: 'bot_message' })).toBeNull();
    expect(ineligibility({ ...ordinary, is_reply: true, subtype: 'thread_broadcast' })).toBeNull();
  });

  it.each([
    ['channel_join', {}],
    ['group_topic', {}],
    ['channel_archive', {}],
    ['tombstone', {}],
    [null, { is_reply: true }],
    [null, { deleted_at: '2026-01-01T00:00:00.000Z' }],
    [null, { raw: { metadata: { event_type: 'slackingest_digest' } } }],
  ])('are not %s %j', (subtype, fields) => {
    const unfit = { ...ordinary, subtype, ...fields } as Parameters<typeof ineligibility>[0];
    expect(ineligibility(unfit)).toBeTypeOf('string');
  });
});
