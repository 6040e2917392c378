/** Digests to render: one morning of a company that writes in several languages, and the parts to build others from. */
import type {
  ChannelActivity,
  Counts,
  Digest,
  DigestWindow,
  EventItem,
  EventSource,
  LateItem,
  MessageItem,
  QuestionItem,
  ThreadItem,
} from '../../src/digest/digest.ts';
import type { IsoTime } from '../../src/model.ts';
import { isoToTs, parseTs } from '../../src/ts.ts';

export function iso(text: string): IsoTime {
  return new Date(text).toISOString() as IsoTime;
}

/** From 08:00 to 08:00 in Amsterdam. */
const window: DigestWindow = {
  from: iso('2026-11-22T07:00:00Z'),
  to: iso('2026-11-23T07:00:00Z'),
  before: { from: iso('2026-11-21T07:00:00Z'), to: iso('2026-11-22T07:00:00Z') },
  zone: 'Europe/Amsterdam',
  upcoming_to: iso('2026-11-30T07:00:00Z'),
};

export function counts(messages: number, people: number, threads: number): Counts {
  return { messages, people, threads };
}

export function source(values: Partial<EventSource> = {}): EventSource {
  const channel_id = values.channel_id ?? 'C0RELEASES';
  const ts = values.ts ?? parseTs('1795338725.123450');
  return {
    channel_id,
    channel: 'releases',
    ts,
    permalink: `https://acme.slack.com/archives/${channel_id}/p${ts.replace('.', '')}`,
    ...values,
  };
}

export function event(values: Partial<EventItem> = {}): EventItem {
  return {
    event_id: '6f0c1c3e-0000-4000-8000-000000000001',
    title: 'Deploy: Checkout 4.2 — completed (PAY-311)',
    action: 'Deploy',
    category: 'product',
    status: 'completed',
    severity: null,
    environment: 'prod',
    summary: 'Checkout 4.2 is live for all customers.',
    why_it_matters: null,
    start: iso('2026-11-22T09:12:00Z'),
    end: null,
    time_source: 'explicit',
    days_only: false,
    time_confidence: 0.95,
    confidence: 0.9,
    importance: 50,
    current_importance: 50,
    importance_label: 'medium',
    links: [],
    anchors: [],
    sources: [source()],
    ...values,
  };
}

export function message(values: Partial<MessageItem> = {}): MessageItem {
  const posted_at = values.posted_at ?? iso('2026-11-22T14:04:00Z');
  const ts = values.ts ?? isoToTs(posted_at);
  const channel_id = values.channel_id ?? 'C0BACKEND';
  return {
    channel_id,
    channel: 'backend',
    kind: 'public',
    ts,
    posted_at,
    author: 'Ada Lovelace',
    text: 'Should the queue move to the new cluster before Friday?',
    permalink: `https://acme.slack.com/archives/${channel_id}/p${ts.replace('.', '')}`,
    ...values,
  };
}

export function thread(values: Partial<ThreadItem> = {}): ThreadItem {
  return {
    ...message(values),
    replies: 24,
    replies_in_all: 24,
    people: 8,
    reactions: 12,
    latest_reply: parseTs('1795352645.000100'),
    ...values,
  };
}

export function question(values: Partial<QuestionItem> = {}): QuestionItem {
  return { ...message(values), reactions: 0, ...values };
}

export function late(values: Partial<LateItem> = {}): LateItem {
  return { ...message(values), what: 'replies', count: 3, changed_ts: '1795352645.000100', before: null, ...values };
}

export function channel(name: string, now: Counts, before: Counts): ChannelActivity {
  return { channel_id: `C0${name.toUpperCase()}`, name, kind: 'public', now, before };
}

/** Nothing happened. */
export function emptyDigest(values: Partial<Digest> = {}): Digest {
  return {
    workspace: { team_id: 'T0ACME', name: 'Acme Robotics', url: 'https://acme.slack.com/' },
    window,
    generated_at: iso('2026-11-23T07:00:04Z'),
    activity: {
      now: counts(0, 0, 0),
      before: counts(0, 0, 0),
      channels: [],
      threads: [],
      questions: [],
      new_channels: [],
      new_members: [],
      late: { messages: 0, replies: 0, edits: 0, deletions: 0, items: [] },
    },
    events: [],
    upcoming: [],
    announced: [],
    notes: [],
    explanation: null,
    ...values,
  };
}

export function sampleDigest(values: Partial<Digest> = {}): Digest {
  return emptyDigest({
    events: [
      event({
        event_id: 'incident',
        title: 'SEV1: incident — Payments API, card payments failing in the EU',
        action: 'Incident',
        category: 'risk',
        status: 'completed',
        severity: 'sev1',
        summary:
          'Card payments through the EU gateway failed for 41 minutes after a certificate expired. 1,204 orders were retried; none were lost.',
        why_it_matters: 'Refunds for duplicate charges go out today; support expects questions.',
        start: iso('2026-11-22T08:12:00Z'),
        end: iso('2026-11-22T08:53:00Z'),
        importance: 100,
        current_importance: 100,
        importance_label: 'critical',
        sources: [
          source({ channel_id: 'C0INCIDENTS', channel: 'incidents' }),
          source({ channel_id: 'C0PAYMENTS', channel: 'payments', ts: parseTs('1795338901.000200') }),
          source({ channel_id: 'C0PAYMENTS', channel: 'payments', ts: parseTs('1795339901.000200') }),
        ],
      }),
      event(),
      event({
        event_id: 'policy',
        title: 'Policy: 在宅勤務 & travel — from January (HR-88)',
        action: 'Policy',
        category: 'org',
        status: 'confirmed',
        environment: 'unknown',
        summary: '来年1月から在宅勤務の規定が変わります。詳しくは人事チャンネルを見てください。',
        start: iso('2026-11-22T14:30:00Z'),
        importance_label: 'low',
        sources: [source({ channel_id: 'C0PEOPLE', channel: 'people-東京', ts: parseTs('1795357801.004500') })],
      }),
      event({
        event_id: 'rollback',
        title: 'Rollback: search-index v2.3.0 — rollback done',
        action: 'Rollback',
        category: 'process',
        status: 'rolled_back',
        environment: 'staging',
        summary: 'Ranking got worse for queries with umlauts ("Schüßler", "Größe"), so v2.2.7 is back.',
        start: iso('2026-11-22T16:45:00Z'),
        importance: 64,
        current_importance: 64,
        importance_label: 'high',
        sources: [source({ channel_id: 'C0SEARCH', channel: 'search', ts: parseTs('1795365901.004500') })],
      }),
    ],
    upcoming: [
      event({
        event_id: 'maintenance',
        title: 'Migration: orders database — 2 h read-only (OPS-512)',
        action: 'Migration',
        category: 'process',
        status: 'planned',
        summary: 'The orders database moves to Postgres 18. The shop can be read, but nothing can be ordered.',
        start: iso('2026-11-27T21:00:00Z'),
        end: iso('2026-11-27T23:30:00Z'),
        importance_label: 'high',
        sources: [source({ channel_id: 'C0OPS', channel: 'ops', ts: parseTs('1795345901.004500') })],
      }),
      event({
        event_id: 'webinar',
        title: 'Webinar: Roboter für kleine Werkstätten 🤖',
        action: 'Webinar',
        category: 'marketing',
        status: 'confirmed',
        environment: 'unknown',
        summary: 'Anmeldung offen; bisher 312 Gäste.',
        start: iso('2026-11-25T23:00:00Z'),
        days_only: false,
        time_confidence: 0.7,
        importance_label: 'low',
        sources: [source({ channel_id: 'C0MARKETING', channel: 'marketing', ts: parseTs('1795346901.004500') })],
      }),
    ],
    announced: [
      event({
        event_id: 'launch',
        title: 'Launch: Gripper Mk III — pre-orders (GRIP-1)',
        action: 'Launch',
        status: 'planned',
        environment: 'unknown',
        summary: 'Pre-orders open in January; the press kit is being translated.',
        start: iso('2027-01-14T23:00:00Z'),
        days_only: false,
        time_confidence: 0.7,
        sources: [source({ ts: parseTs('1795347901.004500') })],
      }),
    ],
    activity: {
      now: counts(1342, 87, 64),
      before: counts(1190, 90, 64),
      channels: [
        channel('backend', counts(412, 23, 21), counts(380, 25, 19)),
        channel('incidents', counts(268, 31, 12), counts(14, 6, 2)),
        channel('général-québec', counts(97, 18, 4), counts(97, 18, 4)),
        channel('people-東京', counts(88, 12, 9), counts(120, 14, 11)),
        channel(
          'a-channel-with-a-name-that-is-as-long-as-slack-allows-which-is-eighty-characters-',
          counts(61, 9, 3),
          counts(0, 0, 0),
        ),
        { ...channel('dm', counts(22, 2, 0), counts(40, 2, 0)), channel_id: 'D0BRAM', name: 'Bram', kind: 'im' },
      ],
      threads: [
        thread(),
        thread({
          channel: 'incidents',
          channel_id: 'C0INCIDENTS',
          author: 'PagerBot',
          text: 'Payments API: error rate 38% in eu-west-1. Runbook: https://runbooks.acme.example/payments/gateway-certificates?team=payments&severity=1',
          replies: 14,
          replies_in_all: 61,
          people: 9,
          reactions: 0,
        }),
        thread({
          channel: 'people-東京',
          channel_id: 'C0PEOPLE',
          author: '田中 花子',
          text: '来週の懇親会の場所を決めましょう。候補は三つあります 🍣🍜🍻 どれがいいですか',
          replies: 1,
          replies_in_all: 1,
          people: 1,
          reactions: 1,
        }),
      ],
      questions: [
        question({
          channel: 'help',
          channel_id: 'C0HELP',
          author: 'Bram de Vries',
          text: 'Who can give me access to the staging cluster? <@U123> said @channel would know *something*',
          reactions: 2,
        }),
        question({
          channel: 'général-québec',
          channel_id: 'C0GENERAL',
          author: 'Chloé',
          text: 'Est-ce que quelqu’un a la clé de la salle « Ada » ?',
          posted_at: iso('2026-11-23T06:40:00Z'),
        }),
      ],
      new_channels: [
        {
          channel_id: 'C0GRIPPER',
          name: 'gripper-launch',
          created_at: iso('2026-11-22T10:00:00Z'),
          creator: 'Ada Lovelace',
          purpose: 'Everything for the launch of Mk III',
          link: 'https://acme.slack.com/archives/C0GRIPPER',
        },
      ],
      new_members: [
        { user_id: 'U1', name: 'Mei Ling 林美玲', joined_at: iso('2026-11-22T09:00:00Z') },
        { user_id: 'U2', name: 'Óscar', joined_at: iso('2026-11-22T09:30:00Z') },
      ],
      late: {
        replies: 5,
        edits: 1,
        deletions: 1,
        messages: 0,
        items: [
          late({
            channel: 'design',
            channel_id: 'C0DESIGN',
            posted_at: iso('2026-11-12T09:00:00Z'),
            author: 'Kwame',
            text: 'Logo, third round',
          }),
          late({
            what: 'edit',
            count: 1,
            channel: 'ops',
            channel_id: 'C0OPS',
            author: 'Ines',
            posted_at: iso('2026-11-20T09:00:00Z'),
            before: 'The orders database moves on Thursday',
            text: 'The orders database moves on Friday',
          }),
          late({ what: 'deletion', count: 1, author: 'Zoë', text: '', posted_at: iso('2026-11-19T18:00:00Z') }),
        ],
      },
    },
    notes: ['The budget for the language model was spent; 12 messages were read by rules only.'],
    ...values,
  });
}

/** What `--explain` adds. */
export const explanation: NonNullable<Digest['explanation']> = {
  events: [
    {
      event_id: 'incident',
      title: 'SEV1: incident — Payments API, card payments failing in the EU',
      chosen: true,
      reason: 'number 1 of 4 by importance in "events"',
      confidence: 0.92,
      importance: 100,
      state: 'valid',
    },
    {
      event_id: 'lunch',
      title: 'Other: team lunch',
      chosen: false,
      reason: 'confidence 0.41 is below 0.7',
      confidence: 0.41,
      importance: 9,
      state: 'repaired',
    },
  ],
  candidates: [
    {
      channel: 'incidents',
      ts: parseTs('1795338725.123450'),
      text: 'Payments API is down in the EU, everybody please join the bridge',
      permalink: 'https://acme.slack.com/archives/C0INCIDENTS/p1795338725123450',
      score: 37,
      status: 'llm_ok',
      reason: null,
      explanations: ['keywords: incident +10', '@here +8', 'reactions +3'],
    },
  ],
};
