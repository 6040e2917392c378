/** A digest for a terminal, or for whatever text is piped into. */
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
import { type Style, TextPage, type TextScreen } from './text-page.ts';
import {
  activityCounts,
  activityLabel,
  busiestChannels,
  candidateLead,
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

/** Of an event's channels so many are named; the others are counted. */
const shownSources = 3;

/**
 * The digests one after the other, without a newline at the end. No line is wider than the screen, but for addresses, which
 * stand whole on a line of their own. What outsiders wrote is printable: it holds no control sequence and no secret.
 */
export function renderText(digests: readonly Digest[], screen: TextScreen): string {
  return digests.map((digest) => linesOf(digest, screen).join('\n')).join('\n\n\n');
}

function linesOf(digest: Digest, screen: TextScreen): string[] {
  const page = new TextPage(screen);
  page.line(workspaceName(digest), 'bold');
  page.line(windowLabel(digest), 'dim');
  if (isEmpty(digest)) {
    page.gap();
    page.line(quiet);
  } else {
    page.line([eventCounts(digest), activityCounts(digest)].filter((part) => part !== null).join(' · '));
    for (const section of eventSections) {
      writeEvents(page, titles[section], digest[section], digest.window);
    }
    writeActivity(page, digest);
  }
  writeSection(page, titles.notes, digest.notes, (note) => page.item(note));
  if (digest.explanation !== null) writeExplanation(page, digest.explanation);
  return page.lines;
}

function writeSection<Item>(page: TextPage, title: string, items: readonly Item[], write: (item: Item) => void): void {
  if (items.length === 0) return;
  page.title(title);
  for (const item of items) write(item);
}

function writeEvents(page: TextPage, title: string, events: readonly EventItem[], window: DigestWindow): void {
  for (const [index, event] of events.entries()) {
    if (index === 0) page.title(title);
    else page.gap();
    writeEvent(page, event, window);
  }
}

function writeEvent(page: TextPage, event: EventItem, window: DigestWindow): void {
  const importance = importanceOf(event);
  const colours: Style[] = importance === null ? [] : [event.importance_label === 'critical' ? 'red' : 'yellow'];
  page.item(event.title, ...colours, 'bold');
  const facts = [...eventFacts(event, window), importance].filter((fact) => fact !== null);
  page.detail(facts.join(' · '), 'cyan');
  page.detail(event.summary);
  if (event.why_it_matters !== null) page.detail(`Why it matters: ${event.why_it_matters}`);
  const sources = sourcesByChannel(event.sources).slice(0, shownSources);
  for (const source of sources) page.address(source.permalink, channelLabel(source));
  const more = event.sources.length - sources.length;
  if (more > 0) page.detail(`and ${formatCount(more)} more`, 'dim');
}

function writeActivity(page: TextPage, digest: Digest): void {
  const { window, activity } = digest;
  writeSection(page, titles.questions, activity.questions, (question) => {
    const posted = momentText(question.posted_at, window.zone, window.to);
    writeMessage(page, question, [channelLabel(question), posted, ...reactionCount(question.reactions)].join(' · '));
  });
  writeSection(page, titles.threads, activity.threads, (thread) =>
    writeMessage(page, thread, `${channelLabel(thread)} · ${threadCounts(thread)}`),
  );
  writeTable(page, digest);
  writeNewcomers(page, activity);
  if (hasLateNews(activity.late)) {
    page.title(titles.late);
    page.remark(lateCounts(activity.late));
    for (const item of activity.late.items) writeLateItem(page, item, window);
  }
}

function writeMessage(page: TextPage, { author, text, permalink }: MessageItem, lead: string): void {
  page.item(lead, 'cyan');
  page.detail(text === '' ? author : `${author}: ${text}`);
  page.address(permalink);
}

function writeTable(page: TextPage, digest: Digest): void {
  const { shown, rest } = busiestChannels(digest);
  if (shown.length === 0) return;
  page.title(titles.activity);
  const rows = shown.map((channel) => [activityLabel(channel), ...numbersOf(channel)]);
  if (shown.length > 1 || rest !== null) rows.push(['all', ...numbersOf(digest.activity)]);
  page.table(['', 'messages', '', 'people', '', 'threads', ''], rows);
  if (rest !== null) page.remark(rest, 'dim');
}

function numbersOf({ now, before }: Pick<Activity, 'now' | 'before'>): string[] {
  return (['messages', 'people', 'threads'] as const).flatMap((key) => [
    formatCount(now[key]),
    changeOf(now[key], before[key]),
  ]);
}

function writeNewcomers(page: TextPage, { new_channels: channels, new_members: members }: Activity): void {
  if (channels.length + members.length === 0) return;
  page.title(titles.newcomers);
  for (const { channel_id, name, creator, purpose } of channels) {
    const label = channelLabel({ channel_id, channel: name ?? channel_id });
    page.item(
      `${label}${creator === null ? '' : ` by ${creator}`}${purpose === null || purpose === '' ? '' : `: ${purpose}`}`,
    );
  }
  if (members.length > 0) page.item(`Joined: ${members.map(({ name }) => name).join(', ')}`);
}

function writeLateItem(page: TextPage, item: LateItem, window: DigestWindow): void {
  page.item(lateLead(item, window), 'cyan');
  if (item.before !== null) page.detail(`was: ${item.before}`, 'dim');
  if (item.text !== '') page.detail(item.before === null ? item.text : `now: ${item.text}`);
  page.address(item.permalink);
}

function writeExplanation(page: TextPage, { events, candidates }: Explanation): void {
  writeSection(page, titles.explainedEvents, events, (event) => {
    page.item(`${event.chosen ? 'shown' : 'left out'}: ${event.title}`);
    page.detail(explainedFacts(event).join(' · '), 'dim');
  });
  writeSection(page, titles.explainedCandidates, candidates, (candidate) => {
    page.item(`${candidateLead(candidate)} · ${candidate.text}`);
    page.detail(candidate.explanations.join(' · '), 'dim');
    page.address(candidate.permalink);
  });
}
