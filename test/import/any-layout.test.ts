/** Whatever people make of an export: every message is read into its own channel, or its file is named. Prints the seed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import type { MessageFile } from '../../src/export/layout.ts';
import { openReader } from '../../src/export/open-archive.ts';
import { type ExportPlan, planExport } from '../../src/import/export-plan.ts';
import { readDayFile } from '../../src/import/read-day-file.ts';
import type { JsonObject } from '../../src/model.ts';

const now = Date.parse('2024-06-01T00:00:00Z');
const channels = [
  { id: 'C00GENERAL', name: 'general' },
  { id: 'C000RANDOM', name: 'random' },
  { id: 'G000PLANS1', name: 'plans' },
  { id: 'C0000FILES', name: 'files' },
  { id: 'D00000ADA1', name: null },
];
type Channel = (typeof channels)[number];

/** A part of a channel's messages, and how somebody keeps it. */
interface Part {
  channel: Channel;
  messages: JsonObject[];
  place: (channel: Channel, n: number) => string;
  form: (messages: JsonObject[], channel: Channel) => string;
}

const called = ({ id, name }: Channel) => name ?? id;
const places: Part['place'][] = [
  (channel, n) => `${called(channel)}/2024-01-${10 + n}.json`,
  (channel, n) => `${channel.id}/2024-01-${10 + n}.json`,
  (channel, n) => `${called(channel)}/2024-01-${10 + n} (1).json`,
  (channel, n) => `${called(channel)}/202401${10 + n}.JSON`,
  (channel, n) => `channels/${called(channel)}/2024-01-${10 + n}.json`,
  (channel, n) => `${called(channel)}/2024/01/${10 + n}.json`,
  (channel, n) => `2024-01-${10 + n}/${called(channel)}.json`,
  (channel, n) => `${called(channel)}/part-${n}.txt`,
  (channel, n) => `${n}/${called(channel)}.json`,
  (channel, n) => `data/${channel.id} (${n}).json`,
  (_, n) => `part-${n}.json`,
  (_, n) => `some/where/${n}.dat`,
  (channel, n) => `${called(channel)}/deep/inside/${n}.json`,
  (_, n) => `2024-01-${10 + n}.json`,
  (_, n) => `all/2024-01-${10 + n}.json`,
  // Where another channel's messages belong.
  (_, n) => `random/other-${n}.json`,
];

const dump = (messages: JsonObject[], { id, name }: Channel) => {
  const [root, ...replies] = messages;
  const first = { ...root, thread_ts: root?.['ts'] ?? null, reply_count: replies.length };
  const nested = replies.map((reply) => ({ ...reply, thread_ts: first.thread_ts }));
  return JSON.stringify({ channel_id: id, name, messages: [{ ...first, slackdump_thread_replies: nested }] });
};
const forms: Part['form'][] = [
  (messages) => JSON.stringify(messages),
  (messages) => JSON.stringify(messages, null, 4),
  (messages) => `\ufeff${messages.map((message) => JSON.stringify(message)).join('\r\n')}`,
  (messages) => JSON.stringify({ ok: true, messages, has_more: true }),
  (messages) => messages.map((message) => JSON.stringify({ ok: true, messages: [message] })).join('\n'),
  (messages) => JSON.stringify(messages.map((message) => ({ ok: true, messages: [message] }))),
  (messages, { id }) => JSON.stringify(messages.map((message) => ({ ...message, channel: id }))),
  (messages, { id }) => JSON.stringify(messages.map((message) => ({ ...message, channel: { id } }))),
  (messages, { id }) => JSON.stringify({ data: { items: messages.map((message) => ({ channel: id, message })) } }),
  (messages, channel) => JSON.stringify({ [called(channel)]: messages }),
  (messages, { id, name }) => JSON.stringify([{ id, name, messages }]),
  (messages, { id }) => JSON.stringify({ messages, channel_id: id }),
  dump,
];

/** In which nothing tells of the channel. */
const silent = forms.slice(0, 6);

const parts = fc
  .array(
    fc.record({
      channel: fc.constantFrom(...channels),
      size: fc.integer({ min: 1, max: 4 }),
      place: fc.constantFrom(...places),
      form: fc.constantFrom(...forms),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((some) =>
    some.map(({ size, ...rest }, n): Part & { path: string } => {
      const tsOf = (i: number) => `${1_704_916_800 + 100 * n + i}.000100`;
      const messages = Array.from({ length: size }, (_, i) => ({
        ...{ type: 'message', user: 'U0ALICE', team: 'T0EXPORT', text: `message ${i}`, ts: tsOf(i) },
      }));
      return { ...rest, messages, path: rest.place(rest.channel, n) };
    }),
  );

/** What stands in which channel, as the import would store it. */
async function readAll(plan: ExportPlan, into: Map<string, string[]>): Promise<void> {
  const reader = openReader(plan.archive);
  const range = { since: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };
  const names = new Map(
    channels.flatMap(({ id, name }) => [[id, id], ...(name === null ? [] : [[name, id] as const])]),
  );
  try {
    for (const { folders, other } of plan.sections) {
      const files: MessageFile[] = [...[...folders.values()].flat(), ...other.messages];
      for (const file of files) {
        const task = { ...file, path: file.path, routes: file.routes, done: [] };
        for await (const { folder, messages, defects } of readDayFile(reader, task, {
          range,
          rules: [],
          channels: names,
        })) {
          for (const { ts } of messages) into.set(ts, [...(into.get(ts) ?? []), folder ?? file.folder]);
          for (const _ of defects) into.set(file.path, ['named']);
        }
      }
      for (const { path } of other.refused) into.set(path, ['named']);
    }
  } finally {
    reader.close();
  }
}

test('every message is read into its own channel, or its file is named', async () => {
  await fc.assert(
    fc.asyncProperty(parts, fc.boolean(), async (some, isListed) => {
      const folder = mkdtempSync(join(tmpdir(), 'slackingest-layout-'));
      const found = new Map<string, string[]>();
      try {
        const write = (path: string, content: string) => {
          mkdirSync(dirname(join(folder, path)), { recursive: true });
          writeFileSync(join(folder, path), content);
        };
        if (isListed) {
          const listed = channels.filter(({ name }) => name !== null).map((one) => ({ ...one, created: 1 }));
          write('channels.json', JSON.stringify(listed));
          write('dms.json', JSON.stringify([{ id: 'D00000ADA1', created: 1, members: ['U0ALICE'] }]));
        }
        for (const { path, form, messages, channel } of some) write(path, form(messages, channel));
        const told: string[] = [];
        try {
          const plan = await planExport(folder, now, new AbortController().signal);
          await readAll(plan, found);
        } catch (error) {
          // Nothing at all can be imported: exit code 2, which is no success.
          if (!(error instanceof UsageError)) throw error;
          told.push(...some.map(({ path }) => path));
        }
        const isNamed = (path: string) => told.includes(path) || found.has(path);
        const last = new Map(some.map((part) => [part.path, part]));
        for (const { path, form, messages, channel } of last.values()) {
          for (const { ts } of messages) {
            const into = found.get(String(ts)) ?? [];
            // Where nothing in a file tells, its folder is believed; one that no list names becomes a channel of our own.
            const [top] = path.split('/');
            const named = channels.find(({ name }) => name === top)?.id;
            const believed = silent.includes(form) || !isListed ? [top, named] : [];
            const wrong = into.filter((one) => one !== channel.id && one !== channel.name && !believed.includes(one));
            expect({ path, ts, wrong }).toEqual({ path, ts, wrong: [] });
            expect({ path, ts, isKept: into.length > 0 || isNamed(path) }).toEqual({ path, ts, isKept: true });
          }
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }),
    { numRuns: 300 },
  );
}, 60_000);
