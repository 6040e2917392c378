/** A digest as a page: one file that needs nothing else, to mail, to keep or to print. */
import { createHash } from 'node:crypto';
import type {
  Activity,
  Counts,
  Digest,
  DigestWindow,
  EventItem,
  Explanation,
  LateItem,
  MessageItem,
} from '../digest/digest.ts';
import type { IsoTime } from '../model.ts';
import { changeOf, countOf, formatCount } from './counts.ts';
import { eventTimeText, lastDayOf, momentText, windowText } from './dates.ts';
import { html, htmlLink, linkedText, Markup } from './html-markup.ts';
import { style } from './html-style.ts';
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

/** A page has more room than a terminal. */
const shownChannels = 20;

/**
 * Nothing is loaded and no script runs, whatever a message says: only this very style sheet is allowed
 * (w3.org/TR/CSP3, "Using a nonce or hash with a style element").
 */
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Where in the document a digest stands: the level of its heading, and what its ids begin with. */
interface Place {
  level: 1 | 2;
  id: string;
}

/** One valid document for all digests, without a newline at the end; it makes no request and runs no script. */
export function renderHtml(digests: readonly Digest[]): string {
  const [first, ...others] = digests;
  const isOne = first !== undefined && others.length === 0;
  const name = isOne ? workspaceName(first) : `Digest of ${countOf(digests.length, 'workspace')}`;
  const title = first === undefined ? name : `${name} · ${lastDayOf(first.window)}`;
  const made = first === undefined ? null : momentText(first.generated_at, first.window.zone, null);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>
${isOne ? null : html`<h1 class="several">${name}</h1>`}
${digests.map((digest, index) => workspacePart(digest, { level: isOne ? 1 : 2, id: `w${index + 1}` }))}
<footer>${made === null ? null : html`<p>Made by slackingest, ${made}</p>`}</footer>
</main>
</body>
</html>`;
  return page.html;
}

function workspacePart(digest: Digest, place: Place): Markup {
  const { notes, explanation } = digest;
  const counts = [eventCounts(digest), activityCounts(digest)].filter((part) => part !== null).join(' · ');
  return html`<article class="workspace">
<header>
${heading(place.level, html`<bdi>${workspaceName(digest)}</bdi>`)}
<p class="when">${windowLabel(digest)}</p>
<p class="sum">${isEmpty(digest) ? quiet : counts}</p>
</header>
${eventSections.map((section) => eventsPart(section, digest, place))}
${isEmpty(digest) ? null : activityParts(digest, place)}
${notes.length === 0 ? null : part('notes', place, html`<ul class="notes">${notes.map((note) => html`<li>${linkedText(note)}</li>`)}</ul>`)}
${explanation === null ? null : explanationParts(explanation)}
</article>
`;
}

function heading(level: number, content: Markup, id: string | null = null): Markup {
  const tag = new Markup(`h${level}`);
  return html`<${tag}${id === null ? null : html` id="${id}"`}>${content}</${tag}>`;
}

function part(name: keyof typeof titles, { level, id }: Place, content: Markup | null): Markup {
  return html`<section class="part" aria-labelledby="${id}-${name}">
${heading(level + 1, html`${titles[name]}`, `${id}-${name}`)}
${content}
</section>
`;
}

function eventsPart(section: (typeof eventSections)[number], digest: Digest, place: Place): Markup | null {
  const events = digest[section];
  if (events.length === 0) return null;
  const items = events.map((event) => eventItem(event, digest.window, place.level + 2));
  return part(section, place, html`<ul class="events">${items}</ul>`);
}

function eventItem(event: EventItem, window: DigestWindow, level: number): Markup {
  const importance = importanceOf(event);
  const [time, ...facts] = eventFacts(event, window);
  const start = event.start ?? event.end;
  const isTime = time !== undefined && time === eventTimeText(event, window) && start !== null;
  const first =
    time === undefined
      ? null
      : isTime
        ? html`<li><time datetime="${start}">${time}</time></li>`
        : html`<li>${time}</li>`;
  return html`
<li class="event">
<span class="mark" aria-hidden="true">${categoryEmoji[event.category]}</span>
<div>
${heading(level, htmlLink(html`<bdi>${event.title}</bdi>`, event.sources[0]?.permalink ?? null))}
<ul class="facts">${importance === null ? null : html`<li class="label ${event.importance_label}">${importance}</li>`}${first}${facts.map((fact) => html`<li>${fact}</li>`)}</ul>
${event.summary === '' ? null : html`<p class="summary" dir="auto">${linkedText(event.summary)}</p>`}
${event.why_it_matters === null ? null : html`<p class="why"><b>Why it matters:</b> <bdi>${linkedText(event.why_it_matters)}</bdi></p>`}
${event.sources.length === 0 ? null : sourceList(event)}
</div>
</li>`;
}

function sourceList({ sources }: EventItem): Markup {
  const items = sourcesByChannel(sources).map((source) => {
    const count = sources.filter(({ channel_id }) => channel_id === source.channel_id).length;
    const more = count === 1 ? null : html` and ${countOf(count - 1, 'more')}`;
    return html`<li>${htmlLink(html`<bdi>${channelLabel(source)}</bdi>`, source.permalink)}${more}</li>`;
  });
  return html`<ul class="sources">${items}</ul>`;
}

function activityParts(digest: Digest, place: Place): Markup {
  const { activity, window } = digest;
  const { questions, threads, late } = activity;
  return html`${
    questions.length === 0
      ? null
      : part(
          'questions',
          place,
          messageList(
            questions.map((question) =>
              messageItem(question, [
                timeOf(question.posted_at, window),
                ...reactionCount(question.reactions).map((count) => html`${count}`),
              ]),
            ),
          ),
        )
  }${
    threads.length === 0
      ? null
      : part(
          'threads',
          place,
          messageList(threads.map((thread) => messageItem(thread, [html`${threadCounts(thread)}`]))),
        )
  }${tablePart(digest, place)}${newcomersPart(activity, place)}${
    hasLateNews(late)
      ? part(
          'late',
          place,
          html`${lateCounts(late) === '' ? null : html`<p class="rest">${lateCounts(late)}</p>`}${messageList(late.items.map((item) => lateItem(item, window)))}`,
        )
      : null
  }`;
}

function messageList(items: readonly Markup[]): Markup | null {
  return items.length === 0 ? null : html`<ul class="messages">${items}</ul>`;
}

function messageItem(message: MessageItem, facts: readonly Markup[]): Markup {
  const lead = [htmlLink(html`<bdi>${channelLabel(message)}</bdi>`, message.permalink), ...facts];
  return html`
<li>
<ul class="facts">${lead.map((fact) => html`<li>${fact}</li>`)}</ul>
<p class="said" dir="auto"><b><bdi>${message.author}</bdi>${message.text === '' ? null : ':'}</b> ${linkedText(message.text)}</p>
</li>`;
}

function timeOf(moment: IsoTime, { zone, to }: DigestWindow): Markup {
  return html`<time datetime="${moment}">${momentText(moment, zone, to)}</time>`;
}

function tablePart(digest: Digest, place: Place): Markup | null {
  const { activity, window } = digest;
  const { shown, rest } = busiestChannels(digest, shownChannels);
  if (shown.length === 0) return null;
  const most = Math.max(...shown.map(({ now }) => now.messages));
  const rows = shown.map(
    (channel) => html`
<tr><th scope="row"><bdi>${activityLabel(channel)}</bdi>${bar(channel.now.messages, most)}</th>${numberCells(channel)}</tr>`,
  );
  const all = html`
<tfoot><tr><th scope="row">all</th>${numberCells(activity)}</tr></tfoot>`;
  return part(
    'activity',
    place,
    html`<table>
<caption>With the change against the time before: ${windowText({ ...window.before, zone: window.zone })}.${rest === null ? null : html` Not shown: ${rest.replace(/^and /, '')}.`}</caption>
<thead><tr><th scope="col">channel</th><th scope="col">messages</th><th scope="col">people</th><th scope="col">threads</th></tr></thead>
<tbody>${rows}
</tbody>${shown.length > 1 || rest !== null ? all : null}
</table>`,
  );
}

/** How busy the channel is beside the busiest one; the number next to it says it to those who do not see it. */
function bar(messages: number, most: number): Markup {
  const share = most === 0 ? 0 : (100 * messages) / most;
  return html`<svg class="bar" aria-hidden="true"><rect width="${share.toFixed(1)}%" height="3" rx="1.5"/></svg>`;
}

function numberCells({ now, before }: { now: Counts; before: Counts }): Markup[] {
  return (['messages', 'people', 'threads'] as const).map((key) => {
    const direction = now[key] > before[key] ? 'up' : now[key] < before[key] ? 'down' : 'same';
    return html`<td>${formatCount(now[key])} <span class="change ${direction}">${changeOf(now[key], before[key])}</span></td>`;
  });
}

function newcomersPart({ new_channels: channels, new_members: members }: Activity, place: Place): Markup | null {
  if (channels.length + members.length === 0) return null;
  const items = channels.map(({ channel_id, name, creator, purpose, link }) => {
    const label = htmlLink(html`<bdi>${channelLabel({ channel_id, channel: name ?? channel_id })}</bdi>`, link);
    const by = creator === null ? null : html` by <bdi>${creator}</bdi>`;
    return html`<li>${label}${by}${purpose === null || purpose === '' ? null : html`: <bdi>${linkedText(purpose)}</bdi>`}</li>`;
  });
  if (members.length > 0) {
    const names = members.map(({ name }, index) => html`${index === 0 ? null : new Markup(', ')}<bdi>${name}</bdi>`);
    items.push(html`<li>Joined: ${names}</li>`);
  }
  return part('newcomers', place, html`<ul class="plain">${items}</ul>`);
}

function lateItem(item: LateItem, window: DigestWindow): Markup {
  const { before, text, permalink } = item;
  const said =
    before === null
      ? text === ''
        ? null
        : html`<p class="said" dir="auto">${linkedText(text)}</p>`
      : html`<p class="said" dir="auto"><del>${before}</del></p><p class="said" dir="auto"><ins>${linkedText(text)}</ins></p>`;
  return html`
<li><p class="lead">${htmlLink(lateLead(item, window), permalink)}</p>${said}</li>`;
}

function explanationParts({ events, candidates }: Explanation): Markup {
  const chosen = events.map(
    (event) => html`
<li><p class="said">${event.chosen ? html`<b>shown</b>` : 'left out'}: <bdi>${event.title}</bdi></p><p class="lead">${explainedFacts(event).join(' · ')}</p></li>`,
  );
  const scored = candidates.map(
    (candidate) => html`
<li><p class="lead">${htmlLink(candidateLead(candidate), candidate.permalink)}</p><p class="said" dir="auto">${candidate.text}</p><p class="lead">${candidate.explanations.join(' · ')}</p></li>`,
  );
  return html`${details(titles.explainedEvents, chosen)}${details(titles.explainedCandidates, scored)}`;
}

function details(title: string, items: readonly Markup[]): Markup | null {
  return items.length === 0
    ? null
    : html`<details><summary>${title}</summary>${messageList(items)}</details>
`;
}
