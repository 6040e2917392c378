import { afterEach, describe, expect, test } from 'vitest';
import type { Channel } from './channel.ts';
import { type StandIn, type StandInOptions, startStandIn } from './server.ts';
import { failureOf, openClient } from './test-client.ts';
import { World } from './world.ts';

let slack: StandIn | undefined;
afterEach(async () => slack?.close());

async function channelWith(count: number, options: Partial<StandInOptions> = {}) {
  const world = new World();
  const acme = world.workspace('T0ACME');
  acme.user('alice');
  const general = acme.channel('general');
  const posted = Array.from({ length: count }, (_, index) => general.post({ text: `message ${index}` }));
  slack = await startStandIn({ world, ...options });
  return { world, acme, general, posted, client: openClient(slack, acme.botToken) };
}

type Client = ReturnType<typeof openClient>;

/** The ts of every page, in the order the pages came. */
async function pages(client: Client, channel: Channel, args: object): Promise<string[][]> {
  const all: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await client.conversations.history({ channel: channel.id, ...args, ...(cursor ? { cursor } : {}) });
    all.push((page.messages ?? []).map((message) => message.ts ?? ''));
    cursor = page.response_metadata?.next_cursor;
    expect(page.has_more).toBe(Boolean(cursor));
  } while (cursor);
  return all;
}

const newestFirst = (ts: string[]): string[] => [...ts].sort().reverse();

describe('conversations.history', () => {
  test('without bounds the newest page comes first, newest first inside', async () => {
    const { client, general, posted } = await channelWith(5);
    expect(await pages(client, general, { limit: 2 })).toEqual([
      newestFirst(posted.slice(3)),
      newestFirst(posted.slice(1, 3)),
      [posted[0]],
    ]);
  });

  test('with oldest alone the page next to oldest comes first and pages move forward, newest first inside', async () => {
    const { client, general, posted } = await channelWith(6);
    expect(await pages(client, general, { oldest: posted[0], limit: 2 })).toEqual([
      newestFirst(posted.slice(1, 3)),
      newestFirst(posted.slice(3, 5)),
      [posted[5]],
    ]);
  });

  test('with both bounds pages move back in time', async () => {
    const { client, general, posted } = await channelWith(6);
    expect(await pages(client, general, { oldest: posted[0], latest: posted[5], limit: 2 })).toEqual([
      newestFirst(posted.slice(3, 5)),
      newestFirst(posted.slice(1, 3)),
    ]);
  });

  test('oldest of 0 is the default and changes nothing', async () => {
    const { client, general, posted } = await channelWith(3);
    expect(await pages(client, general, { oldest: '0', limit: 2 })).toEqual([
      newestFirst(posted.slice(1)),
      [posted[0]],
    ]);
  });

  test('bounds are exclusive unless inclusive is given', async () => {
    const { client, general, posted } = await channelWith(4);
    const bounds = { oldest: posted[0], latest: posted[3] };
    expect(await pages(client, general, bounds)).toEqual([newestFirst(posted.slice(1, 3))]);
    expect(await pages(client, general, { ...bounds, inclusive: true })).toEqual([newestFirst(posted)]);
  });

  test('oldest, inclusive and a limit of 1 fetch a single message', async () => {
    const { client, general, posted } = await channelWith(5);
    const page = await client.conversations.history({
      channel: general.id,
      oldest: posted[2] ?? '',
      inclusive: true,
      limit: 1,
    });
    expect(page.messages?.map((message) => message.ts)).toEqual([posted[2]]);
  });

  test('the limit defaults to 100 and is cut at 999', async () => {
    const { client, general } = await channelWith(1001);
    expect((await pages(client, general, {})).map((page) => page.length).slice(0, 2)).toEqual([100, 100]);
    expect((await pages(client, general, { limit: 5000 })).map((page) => page.length)).toEqual([999, 2]);
  });

  test('a malformed bound is refused by name', async () => {
    const { client, general } = await channelWith(1);
    expect(await failureOf(client.conversations.history({ channel: general.id, oldest: 'x' }))).toBe(
      'invalid_ts_oldest',
    );
    expect(await failureOf(client.conversations.history({ channel: general.id, latest: 'x' }))).toBe(
      'invalid_ts_latest',
    );
  });

  test('a message posted between two pages shifts no page', async () => {
    const { client, general, posted } = await channelWith(4);
    slack?.onRequest(({ n }) => void (n === 2 && general.post({ text: 'late' })));
    expect(await pages(client, general, { limit: 2 })).toEqual([
      newestFirst(posted.slice(2)),
      newestFirst(posted.slice(0, 2)),
    ]);
  });

  test('thin pages are short or empty and lose nothing', async () => {
    const { client, general, posted } = await channelWith(20, { thinPages: true });
    for (const args of [{ limit: 4 }, { limit: 4, oldest: '0000000001.000000' }, { limit: 1 }]) {
      const all = await pages(client, general, args);
      expect(all.some((page) => page.length === 0)).toBe(true);
      expect(newestFirst(all.flat())).toEqual(newestFirst(posted));
    }
  });

  test('even when page after page is empty, no cursor comes twice', async () => {
    const { client, general } = await channelWith(3, { thinPages: ({ depth, limit }) => (depth < 5 ? 0 : limit) });
    const cursors = new Set<string>();
    let cursor = '';
    for (let page = 0; page < 5; page += 1) {
      const answer = await client.conversations.history({ channel: general.id, cursor });
      cursor = answer.response_metadata?.next_cursor ?? '';
      cursors.add(cursor);
    }
    expect(cursors.size).toBe(5);
  });

  test('messages below the plan floor are hidden and history says so', async () => {
    const { client, acme, general, posted } = await channelWith(4);
    acme.hideBefore(posted[2] ?? '');
    const page = await client.conversations.history({ channel: general.id });
    expect(page.messages?.map((message) => message.ts)).toEqual(newestFirst(posted.slice(2)));
    expect(page).toMatchObject({ is_limited: true, has_more: false });
    expect(general.expectedMessages()).toHaveLength(2);
  });

  test('metadata comes only when asked for', async () => {
    const { client, general } = await channelWith(0);
    general.post({ text: 'with metadata', metadata: { event_type: 'x', event_payload: {} } });
    const plain = await client.conversations.history({ channel: general.id });
    const full = await client.conversations.history({ channel: general.id, include_all_metadata: true });
    expect(plain.messages?.[0]).not.toHaveProperty('metadata');
    expect(full.messages?.[0]).toHaveProperty('metadata');
  });
});

describe('cursors', () => {
  test('look like positions and belong to one method and channel', async () => {
    const { client, acme, general, posted } = await channelWith(3);
    const other = acme.channel('other');
    const first = await client.conversations.history({ channel: general.id, limit: 1 });
    const cursor = first.response_metadata?.next_cursor ?? '';
    expect(Buffer.from(cursor, 'base64').toString()).toBe(`next_ts:${posted[1]?.replace('.', '')}`);
    expect(await failureOf(client.conversations.history({ channel: other.id, cursor }))).toBe('invalid_cursor');
    expect(await failureOf(client.conversations.history({ channel: general.id, cursor: 'bmV4dF90czoxMjM=' }))).toBe(
      'invalid_cursor',
    );
  });

  test('expire after so many pages, or at once', async () => {
    const { client, general } = await channelWith(4, { cursors: { pages: 1 } });
    const page = (cursor = '') => client.conversations.history({ channel: general.id, limit: 1, cursor });
    const second = await page((await page()).response_metadata?.next_cursor);
    expect(await failureOf(page(second.response_metadata?.next_cursor))).toBe('invalid_cursor');
    const fresh = (await page()).response_metadata?.next_cursor;
    slack?.expireCursors();
    expect(await failureOf(page(fresh))).toBe('invalid_cursor');
  });
});
