/** A digest in Markdown, for a file, a wiki or an issue: CommonMark with GitHub's tables. */
import type {
  Activity,
  Digest,
  DigestWindow,
  EventItem,
  Explanation,
  LateItem,
  MessageItem,
} from '../digest/digest.ts';
import { changeOf, formatCount } from './counts.ts';
import { momentText } from './dates.ts';
import { escapeMarkdown, markdownLink } from './markdown-text.ts';
import {
  activityCounts,
  activityLabel,
  busiestChannels,
  candidateLead,
  categoryEmoji,
  channelLabel,
  eventCounts,
  eventFacts,
  eventSections,
  explainedFacts,
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
  workspaceName,
} from './wording.ts';

/**
 * One document, without a newline at the end. What outsiders wrote stays text: it makes no heading, list, table, code, HTML or
 * link of its own, and calls nobody by `@name` where the document is pasted into GitHub. Only http(s) addresses become links.
 */
export function renderMarkdown(digests: readonly Digest[]): string {
  return digests.map((digest) => blocksOf(digest).join('\n\n')).join('\n\n---\n\n');
}

/** What stands between empty lines. */
function blocksOf(digest: Digest): string[] {
  const { window, notes, explanation } = digest;
  const blocks = [`# ${escapeMarkdown(workspaceName(digest))}`];
  if (isEmpty(digest)) blocks.push(escapeMarkdown(windowLabel(digest)), quiet);
  else {
    const counts = [eventCounts(digest), activityCounts(digest)].filter((part) => part !== null);
    blocks.push(lines([escapeMarkdown(windowLabel(digest)), escapeMarkdown(counts.join(' · '))], ''));
    for (const section of eventSections) {
      blocks.push(...sectionOf(titles[section], digest[section], (event) => eventLines(event, window)));
    }
    blocks.push(...activityBlocks(digest));
  }
  blocks.push(...sectionOf(titles.notes, notes, (note) => [escapeMarkdown(note)]));
  if (explanation !== null) blocks.push(...explanationBlocks(explanation));
  return blocks;
}

/** A heading and a list, each item given by its lines; nothing for no items. */
function sectionOf<Item>(title: string, items: readonly Item[], linesOf: (item: Item) => string[]): string[] {
  return items.length === 0 ? [] : [`## ${title}`, listOf(items.map(linesOf))];
}

function listOf(items: readonly string[][]): string {
  return items.map((item) => `- ${lines(item, '  ')}`).join('\n');
}

/** Two spaces at the end break the line; every reader of Markdown knows them, unlike a backslash. */
function lines(texts: readonly string[], indent: string): string {
  return texts.filter((text) => text !== '').join(`  \n${indent}`);
}

function eventLines(event: EventItem, window: DigestWindow): string[] {
  const [first] = event.sources;
  const importance = importanceOf(event);
  const facts = eventFacts(event, window).map(escapeMarkdown);
  const sources = sourcesByChannel(event.sources).map((source) => markdownLink(channelLabel(source), source.permalink));
  return [
    `${categoryEmoji[event.category]} **${markdownLink(event.title, first?.permalink ?? null)}**`,
    [...facts, ...(importance === null ? [] : [`**${importance}**`]), ...sources].join(' · '),
    escapeMarkdown(event.summary),
    event.why_it_matters === null ? '' : `*Why it matters:* ${escapeMarkdown(event.why_it_matters)}`,
  ];
}

function activityBlocks(digest: Digest): string[] {
  const { activity, window } = digest;
  const late = activity.late;
  return [
    ...sectionOf(titles.questions, activity.questions, (question) => {
      const posted = momentText(question.posted_at, window.zone, window.to);
      return messageLines(question, [posted, ...reactionCount(question.reactions)].join(' · '));
    }),
    ...sectionOf(titles.threads, activity.threads, (thread) => messageLines(thread, threadCounts(thread))),
    ...tableBlocks(digest),
    ...newcomerBlocks(activity),
    ...(hasLateNews(late) ? [`## ${titles.late}`, lateCounts(late)] : []),
    ...(late.items.length === 0 ? [] : [listOf(late.items.map((item) => lateLines(item, window)))]),
  ].filter((block) => block !== '');
}

function messageLines(message: MessageItem, facts: string): string[] {
  const { author, text, permalink } = message;
  return [
    `${markdownLink(channelLabel(message), permalink)} · ${escapeMarkdown(facts)}`,
    `**${escapeMarkdown(author)}:** ${escapeMarkdown(text)}`.trimEnd(),
  ];
}

function tableBlocks(digest: Digest): string[] {
  const { shown, rest } = busiestChannels(digest);
  if (shown.length === 0) return [];
  const rows = shown.map((channel) => rowOf(escapeMarkdown(activityLabel(channel)), channel));
  if (shown.length > 1 || rest !== null) rows.push(rowOf('**all**', digest.activity));
  const head = ['| channel | messages | | people | | threads | |', '| :-- | --: | :-- | --: | :-- | --: | :-- |'];
  return [`## ${titles.activity}`, [...head, ...rows].join('\n'), ...(rest === null ? [] : [rest])];
}

function rowOf(name: string, { now, before }: Pick<Activity, 'now' | 'before'>): string {
  const numbers = (['messages', 'people', 'threads'] as const).flatMap((key) => [
    formatCount(now[key]),
    changeOf(now[key], before[key]),
  ]);
  return `| ${[name, ...numbers].join(' | ')} |`;
}

function newcomerBlocks({ new_channels: channels, new_members: members }: Activity): string[] {
  const items = channels.map(({ channel_id, name, creator, purpose, link }) => [
    markdownLink(channelLabel({ channel_id, channel: name ?? channel_id }), link) +
      escapeMarkdown(creator === null ? '' : `by ${creator}`).replace(/^(?=.)/, ' '),
    purpose === null ? '' : escapeMarkdown(purpose),
  ]);
  if (members.length > 0) items.push([`Joined: ${members.map(({ name }) => escapeMarkdown(name)).join(', ')}`]);
  return sectionOf(titles.newcomers, items, (item) => item);
}

function lateLines(item: LateItem, window: DigestWindow): string[] {
  return [
    markdownLink(lateLead(item, window), item.permalink),
    item.before === null ? '' : `was: ${escapeMarkdown(item.before)}`,
    item.text === '' ? '' : item.before === null ? escapeMarkdown(item.text) : `now: ${escapeMarkdown(item.text)}`,
  ];
}

function explanationBlocks({ events, candidates }: Explanation): string[] {
  return [
    ...sectionOf(titles.explainedEvents, events, (event) => [
      `${event.chosen ? '**shown**' : 'left out'}: ${escapeMarkdown(event.title)}`,
      escapeMarkdown(explainedFacts(event).join(' · ')),
    ]),
    ...sectionOf(titles.explainedCandidates, candidates, (candidate) => [
      markdownLink(candidateLead(candidate), candidate.permalink),
      escapeMarkdown(candidate.text),
      escapeMarkdown(candidate.explanations.join(' · ')),
    ]),
  ];
}
