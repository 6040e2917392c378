/** A digest as Slack messages of blocks (docs.slack.dev/reference/block-kit/blocks). */
import type { Digest, DigestWindow, EventItem, LateItem, MessageItem } from '../digest/digest.ts';
import { announcedKey, eventKey, lateKey, questionKey, threadKey, upcomingKey } from '../digest/item-keys.ts';
import { printableJson } from '../secrets.ts';
import { changeOf, countOf, formatCount } from './counts.ts';
import { eventTimeText, lastDayOf, momentText } from './dates.ts';
import { escapeMrkdwn, mrkdwnLink } from './mrkdwn-text.ts';
import {
  activityLabel,
  busiestChannels,
  categoryEmoji,
  channelLabel,
  eventCounts,
  eventFacts,
  hasLateNews,
  importanceOf,
  isEmpty,
  lateCounts,
  lateLead,
  quiet,
  reactionCount,
  sourcesByChannel,
  threadCounts,
  titles,
  windowLabel,
} from './wording.ts';

/** `verbatim` keeps Slack from making links and mentions of what looks like an address, a channel or a name. */
export type MrkdwnText = {
  type: 'mrkdwn';
  text: string;
  verbatim: true;
};

export type Block =
  | { type: 'header'; text: { type: 'plain_text'; text: string; emoji: true } }
  | { type: 'divider' }
  | { type: 'section'; text: MrkdwnText }
  | { type: 'context'; elements: MrkdwnText[] };

/** One chat.postMessage. */
export interface DigestMessage {
  /** For notifications, and for clients that show no blocks. */
  text: string;
  blocks: Block[];
  /** Which items of the digest the message tells, as src/digest/item-keys.ts names them. */
  itemKeys: string[];
}

export interface BlockOptions {
  /** Marks each event by how sure it is: from 0.8 ✅, from 0.6 ⚠️, else ❓. */
  showsConfidence: boolean;
}

/**
 * Slack's limits for the blocks of a message, the characters of a section's text and of a context's, and ours for the
 * characters of a message: somewhere beyond 13,000 Slack answers `msg_blocks_too_long`.
 */
const limits = { blocks: 50, section: 3000, context: 2000, message: 12_000 } as const;

/** How much of each text is shown, in UTF-16 units after escaping. With one address they fit a section. */
const lengths = { title: 300, summary: 700, why: 400, lead: 250, excerpt: 240, name: 100 } as const;

/** Fewer than a terminal shows: a message in a channel is read in passing. */
const shownChannels = 5;

/** A block, and the items it tells. */
interface Piece {
  block: Block;
  keys: string[];
}

/** A line of a section that lists things; a key for each item it tells. */
interface Line {
  text: string;
  keys: string[];
}

/**
 * The messages to post one after the other, each within Slack's limits; the header only in the first. Nothing in them pings
 * anybody, whatever the digest quotes. The explanation is left out: it is for whoever runs the program.
 */
export function renderBlocks(digest: Digest, options: BlockOptions = { showsConfidence: false }): DigestMessage[] {
  const messages = splitPieces(piecesOf(digest, options));
  const title = `Event Digest ${lastDayOf(digest.window)}`;
  return messages.map((pieces, index) => ({
    text: index === 0 ? `${title} · ${eventCounts(digest)}` : `${title} (${index + 1} of ${messages.length})`,
    blocks: pieces.map(({ block }) => block),
    itemKeys: pieces.flatMap(({ keys }) => keys),
  }));
}

/** The messages of all digests as one JSON array, each with the workspace it is for and as chat.postMessage takes it. */
export function renderBlocksJson(digests: readonly Digest[], options?: BlockOptions): string {
  const messages = digests.flatMap((digest) =>
    renderBlocks(digest, options).map(({ text, blocks }) => ({ team_id: digest.workspace.team_id, text, blocks })),
  );
  return printableJson(messages, 2);
}

function piecesOf(digest: Digest, options: BlockOptions): Piece[] {
  const { window, events, upcoming, announced, notes } = digest;
  const lists = [
    ...listSections(
      titles.upcoming,
      upcoming.map((event) => futureLine(event, window, upcomingKey)),
    ),
    ...listSections(
      titles.announced,
      announced.map((event) => futureLine(event, window, announcedKey)),
    ),
    ...activitySections(digest),
  ];
  const noted = escapeMrkdwn(notes.join(' '), limits.context);
  const total = events.length + upcoming.length + announced.length;
  const time = escapeMrkdwn(windowLabel(digest), lengths.lead);
  const facts = isEmpty(digest) ? [time] : [`Total events: *${total}*`, time];
  return [
    plain({ type: 'header', text: { type: 'plain_text', text: `Events ${lastDayOf(window)}`, emoji: true } }),
    plain({ type: 'divider' }),
    ...(isEmpty(digest) ? [plain(section(quiet))] : []),
    ...events.map((event) => ({ block: section(eventText(event, window, options)), keys: [eventKey(event.event_id)] })),
    ...(events.length > 0 && lists.length > 0 ? [plain({ type: 'divider' })] : []),
    ...lists,
    plain({ type: 'divider' }),
    plain(context(facts)),
    // Slack refuses a text without a character.
    ...(noted === '' ? [] : [plain(context([noted]))]),
  ];
}

/** In their order, a new message where one more block would break a limit. */
function splitPieces(pieces: readonly Piece[]): Piece[][] {
  const messages: Piece[][] = [];
  let message: Piece[] = [];
  let length = 0;
  for (const piece of pieces) {
    const own = textLength(piece.block);
    if (message.length === limits.blocks || length + own > limits.message) {
      messages.push(message);
      message = [];
      length = 0;
    }
    message.push(piece);
    length += own;
  }
  return [...messages, message];
}

function textLength(block: Block): number {
  switch (block.type) {
    case 'divider':
      return 0;
    case 'context':
      return block.elements.reduce((sum, { text }) => sum + text.length, 0);
    default:
      return block.text.text.length;
  }
}

function eventText(event: EventItem, window: DigestWindow, { showsConfidence }: BlockOptions): string {
  const [first] = event.sources;
  const importance = importanceOf(event);
  const title = `${categoryEmoji[event.category]} *${mrkdwnLink(event.title, first?.permalink ?? null, lengths.title)}*`;
  const lines = [
    showsConfidence ? `${title} ${confidenceIcon(event.confidence)}` : title,
    escapeMrkdwn(event.summary, lengths.summary),
    event.why_it_matters === null ? '' : `Why it matters: ${escapeMrkdwn(event.why_it_matters, lengths.why)}`,
  ].filter((line) => line !== '');
  const facts = [
    ...(importance === null ? [] : [`*${importance}*`]),
    ...eventFacts(event, window),
    ...sourceLinks(event),
  ];
  const text = lines.join('\n');
  const more = takeWithin(facts, ' · ', limits.section - text.length - 1);
  return more === '' ? text : `${text}\n${more}`;
}

/** The channel of the first message by name, as the title links to it already; the others as links. */
function sourceLinks({ sources }: EventItem): string[] {
  const [first, ...others] = sourcesByChannel(sources);
  if (first === undefined) return [];
  const more = sources.length - 1 - others.length;
  return [
    escapeMrkdwn(channelLabel(first), lengths.name),
    ...others.map((source) => mrkdwnLink(channelLabel(source), source.permalink, lengths.name)),
    ...(more === 0 ? [] : [countOf(more, 'more message')]),
  ];
}

function confidenceIcon(confidence: number): string {
  return confidence >= 0.8 ? '✅' : confidence >= 0.6 ? '⚠️' : '❓';
}

/** Of what is still to come the date matters most. */
function futureLine(event: EventItem, window: DigestWindow, keyOf: (eventId: string) => string): Line {
  const time = eventTimeText(event, window);
  const [first] = event.sources;
  return {
    text: [
      ...(time === null ? [] : [`*${time}*`]),
      mrkdwnLink(event.title, first?.permalink ?? null, lengths.title),
      ...(first === undefined ? [] : [escapeMrkdwn(channelLabel(first), lengths.name)]),
    ].join(' · '),
    keys: [keyOf(event.event_id)],
  };
}

function activitySections(digest: Digest): Piece[] {
  const { activity, window } = digest;
  const { threads, questions, late } = activity;
  const questionLine = (question: (typeof questions)[number]) => {
    const posted = momentText(question.posted_at, window.zone, window.to);
    return {
      text: messageText(question, [posted, ...reactionCount(question.reactions)].join(', ')),
      keys: [questionKey(question)],
    };
  };
  return [
    ...listSections(titles.questions, questions.map(questionLine)),
    ...listSections(
      titles.threads,
      threads.map((thread) => ({ text: messageText(thread, threadCounts(thread)), keys: [threadKey(thread)] })),
    ),
    ...activitySummary(digest),
    ...listSections(titles.newcomers, newcomerLines(digest)),
    ...(hasLateNews(late)
      ? listSections(
          `${titles.late}: ${lateCounts(late)}`.replace(/: $/, ''),
          late.items.map((item) => lateLine(item, window)),
          true,
        )
      : []),
  ];
}

function messageText(message: MessageItem, facts: string): string {
  const { author, text, permalink } = message;
  const said = text === '' ? '' : `: ${escapeMrkdwn(text, lengths.excerpt)}`;
  const lead = mrkdwnLink(channelLabel(message), permalink, lengths.name);
  return `${lead} · ${facts} · ${escapeMrkdwn(author, lengths.name)}${said}`;
}

function lateLine(item: LateItem, window: DigestWindow): Line {
  const lead = mrkdwnLink(lateLead(item, window), item.permalink, lengths.lead);
  return {
    text: item.text === '' ? lead : `${lead}: ${escapeMrkdwn(item.text, lengths.excerpt)}`,
    keys: [lateKey(item)],
  };
}

/** The numbers in two lines: a table has no place in a message. */
function activitySummary(digest: Digest): Piece[] {
  const { now, before } = digest.activity;
  const { shown, rest } = busiestChannels(digest, shownChannels);
  if (shown.length === 0) return [];
  const withChange = (text: string, of: number, from: number) => {
    const change = changeOf(of, from);
    return change === '' ? text : `${text} (${change})`;
  };
  const all = [
    withChange(countOf(now.messages, 'message'), now.messages, before.messages),
    withChange(countOf(now.people, 'person', 'people'), now.people, before.people),
    withChange(countOf(now.threads, 'thread'), now.threads, before.threads),
  ];
  const channels = shown.map((channel) => {
    const label = escapeMrkdwn(activityLabel(channel), lengths.name);
    return withChange(`${label} ${formatCount(channel.now.messages)}`, channel.now.messages, channel.before.messages);
  });
  const text = [`*${titles.activity}*`, all.join(', '), [...channels, ...(rest === null ? [] : [rest])].join(' · ')];
  return [plain(section(text.join('\n')))];
}

function newcomerLines({ activity: { new_channels: channels, new_members: members } }: Digest): Line[] {
  const lines = channels.map(({ channel_id, name, creator, purpose, link }) => {
    const label = mrkdwnLink(channelLabel({ channel_id, channel: name ?? channel_id }), link, lengths.name);
    const by = creator === null ? '' : ` by ${escapeMrkdwn(creator, lengths.name)}`;
    return `${label}${by}${purpose === null || purpose === '' ? '' : `: ${escapeMrkdwn(purpose, lengths.excerpt)}`}`;
  });
  if (members.length > 0)
    lines.push(`Joined: ${escapeMrkdwn(members.map(({ name }) => name).join(', '), lengths.summary)}`);
  return lines.map((text) => ({ text, keys: [] }));
}

/** A title and bulleted lines, in as many sections as they need; without lines nothing, or with `isTitleEnough` the title. */
function listSections(title: string, lines: readonly Line[], isTitleEnough = false): Piece[] {
  if (lines.length === 0 && !isTitleEnough) return [];
  const pieces: Piece[] = [];
  let text = `*${title}*`;
  let keys: string[] = [];
  for (const line of lines) {
    const next = `• ${line.text}`;
    if (text.length + 1 + next.length > limits.section) {
      pieces.push({ block: section(text), keys });
      text = next;
      keys = [];
    } else text += `\n${next}`;
    keys.push(...line.keys);
  }
  return [...pieces, { block: section(text), keys }];
}

/** As many of the parts, from the first one on, as fit. */
function takeWithin(parts: readonly string[], separator: string, length: number): string {
  let text = '';
  for (const part of parts) {
    const next = text === '' ? part : text + separator + part;
    if (next.length > length) break;
    text = next;
  }
  return text;
}

function plain(block: Block): Piece {
  return { block, keys: [] };
}

function mrkdwn(text: string): MrkdwnText {
  return { type: 'mrkdwn', text, verbatim: true };
}

function section(text: string): Block {
  return { type: 'section', text: mrkdwn(text) };
}

function context(texts: readonly string[]): Block {
  return { type: 'context', elements: texts.map(mrkdwn) };
}
