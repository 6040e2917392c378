/**
 * Scores messages and lets the rules read the candidates among them. What was scored is remembered, so a message is looked at
 * again only when it, its reactions or its thread have changed, or the settings have.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { MessagePosition, ScoreableMessage } from '../../db/repositories/events.ts';
import type { Store, TransactionStore } from '../../db/repositories/index.ts';
import type { CandidateStatus, EventCandidateRow } from '../../db/schema.ts';
import type { IsoTime } from '../../model.ts';
import { millisToIso } from '../../ts.ts';
import { reactionsOf } from '../activity/shown-message.ts';
import type { DigestWindow } from '../digest.ts';
import { type EventSettings, eventIds, rowsOf } from '../events/event-rows.ts';
import type { CandidateMessage, LocalExtractor } from '../events/extractor.ts';
import { type MessageEvents, saveEvents } from '../events/save-events.ts';
import type { Directory } from '../people.ts';
import { messageText, normVersion } from '../text/message-text.ts';
import { ineligibility } from './eligibility.ts';
import { type ScoringSettings, scoreMessage } from './score.ts';

export interface ReadMessagesSettings {
  rules: LocalExtractor;
  /** How a channel's messages are scored. */
  scoring: (channelId: string) => ScoringSettings & { threshold: number };
  /** Of all that the score depends on besides the message. */
  scoringHash: string;
  /** How far before the window messages that were scored are looked at for changes. */
  lookBackMs: number;
  /** Whose zone dates are in where the author's is not known. */
  zone: string;
  /** Messages before the window that became known since are read as well; null for none. */
  knownSince: IsoTime | null;
  /** Score everything again. */
  rescore: boolean;
  events: EventSettings;
}

interface Reading {
  store: Store;
  teamId: string;
  directory: Directory;
  now: () => number;
  signal: AbortSignal;
}

const always: IsoTime = millisToIso(0);

/** Messages of one transaction: few enough to keep others waiting for a moment only. */
const portion = 500;

export async function readMessages(
  reading: Reading,
  window: DigestWindow,
  isSelected: (channelId: string) => boolean,
  settings: ReadMessagesSettings,
): Promise<void> {
  const lookBack = millisToIso(Math.max(0, Date.parse(window.from) - settings.lookBackMs));
  const ranges = [
    { from: lookBack, to: window.from, newSince: settings.knownSince },
    { from: window.from, to: window.to, newSince: always },
  ];
  // A hash that no row has makes every message one to be scored.
  const version = { configHash: settings.rescore ? '' : versionHash(settings), normVersion };
  for (const range of ranges) {
    let after: MessagePosition | null = null;
    for (;;) {
      // SQLite answers at once, so nothing else would ever have its turn: no signal, and no beat of the lock.
      await setImmediate();
      reading.signal.throwIfAborted();
      const found: ScoreableMessage[] = await reading.store.events.listScoreable(
        reading.teamId,
        range,
        version,
        after,
        portion,
      );
      const selected = found.filter(({ channel_id }) => isSelected(channel_id));
      if (selected.length > 0) await readPortion(reading, selected, settings);
      const last = found.at(-1);
      if (last === undefined || found.length < portion) break;
      after = last;
    }
  }
}

function versionHash({ scoringHash, rules }: ReadMessagesSettings): string {
  return createHash('sha256').update(`${scoringHash} ${rules.version}`).digest('hex');
}

async function readPortion(
  { store, teamId, directory, now }: Reading,
  messages: readonly ScoreableMessage[],
  settings: ReadMessagesSettings,
): Promise<void> {
  const at = millisToIso(now());
  const configHash = versionHash(settings);
  const candidates: EventCandidateRow[] = [];
  const found: MessageEvents[] = [];
  for (const message of messages) {
    const text = messageText(message.raw, directory);
    const { threshold, ...scoring } = settings.scoring(message.channel_id);
    const reactions = reactionsOf(message.raw);
    const { score, features } = scoreMessage(
      {
        text,
        reply_count: message.reply_count ?? 0,
        reaction_count: reactions,
        user_id: message.user_id,
        bot_id: message.bot_id,
        subtype: message.subtype,
        channel_name: directory.channelName(message.channel_id),
      },
      scoring,
    );
    const unfit = ineligibility(message) ?? (score < threshold ? `its score ${score} is below ${threshold}` : null);
    const textHash = createHash('sha256').update(text.norm).digest('hex');
    // A language model's reading outlives new reactions, but not a new text.
    const isKept =
      !settings.rescore &&
      message.known_text_hash === textHash &&
      unfit === null &&
      isReadByModel(message.known_status);
    const candidate = { ...candidateOf(teamId, message, directory, settings.zone), text };
    const { events } = unfit === null && !isKept ? settings.rules.extract(candidate) : { events: [] };
    const without = isKept || events.length > 0 ? null : 'the rules found no event in it';
    candidates.push({
      team_id: teamId,
      channel_id: message.channel_id,
      ts: message.ts,
      source: 'slack',
      posted_at: message.posted_at,
      score,
      status: unfit !== null ? 'skipped' : isKept ? (message.known_status ?? 'new') : 'rules_ok',
      reason: unfit ?? without,
      features: { ...features },
      config_hash: configHash,
      norm_version: normVersion,
      text_hash: textHash,
      message_updated_at: message.updated_at,
      lease_owner: null,
      lease_expires_at: null,
      attempts: !settings.rescore && message.known_text_hash === textHash ? (message.known_attempts ?? 0) : 0,
      created_at: message.known_created_at ?? at,
      updated_at: at,
    });
    if (isKept) continue;
    const finding = {
      ...candidate,
      permalink: directory.permalink(message.channel_id, message.ts),
      scope: directory.scope(message.channel_id),
      signals: { reactions, mentions: text.mentions },
      extractor: 'rules',
      prompt_version: null,
      model: null,
    };
    found.push({
      message: candidate,
      rows: rowsOf(finding, events, settings.events, at),
      mayBeKnown: message.known_status !== null && message.known_status !== 'skipped',
    });
  }
  await store.transaction(async (tx) => {
    await tx.events.writeCandidates(candidates);
    await saveEvents(tx, teamId, found, settings.events);
  });
}

function isReadByModel(status: CandidateStatus | null): boolean {
  return status === 'llm_ok' || status === 'llm_fail';
}

type StoredMessage = Pick<
  ScoreableMessage,
  'channel_id' | 'ts' | 'posted_at' | 'is_reply' | 'user_id' | 'bot_id' | 'raw'
>;

/** A stored message as extractors see it. */
export function candidateMessage(
  teamId: string,
  message: StoredMessage,
  directory: Directory,
  zone: string,
): CandidateMessage {
  return { ...candidateOf(teamId, message, directory, zone), text: messageText(message.raw, directory) };
}

function candidateOf(
  teamId: string,
  message: StoredMessage,
  directory: Directory,
  zone: string,
): Omit<CandidateMessage, 'text'> {
  return {
    team_id: teamId,
    channel_id: message.channel_id,
    ts: message.ts,
    posted_at: message.posted_at,
    channel_name: directory.channelName(message.channel_id),
    zone: directory.zone(message.user_id) ?? zone,
    isBot: message.bot_id !== null,
    isReply: message.is_reply,
  };
}

/**
 * Where the events of a message are put when somebody else than the rules has read it. False, with nothing done, when there are
 * some and none of them can be true.
 */
export async function saveReading(
  tx: TransactionStore,
  message: CandidateMessage,
  events: Parameters<typeof rowsOf>[1],
  by: { extractor: string; model: string; promptVersion: string; signals: { reactions: number; mentions: number } },
  directory: Directory,
  settings: EventSettings,
  at: IsoTime,
): Promise<boolean> {
  const finding = {
    ...message,
    permalink: directory.permalink(message.channel_id, message.ts),
    scope: directory.scope(message.channel_id),
    signals: by.signals,
    extractor: by.extractor,
    prompt_version: by.promptVersion,
    model: by.model,
  };
  const rows = rowsOf(finding, events, settings, at);
  // What the rules found is worth more than nothing.
  if (rows.length > 0 && rows.every(({ state }) => state === 'rejected')) {
    const known = await tx.events.findEvents(eventIds(message));
    if (known.some(({ state }) => state !== 'rejected')) return false;
  }
  await saveEvents(tx, message.team_id, [{ message, rows, mayBeKnown: true }], settings);
  return true;
}
