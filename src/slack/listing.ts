/** Walks a cursor-paged listing to its end. */
import { SlackError } from '../errors.ts';
import type { ListPage } from './payloads.ts';

/** Pages that bring nothing new are normal; so many in a row, each with a new cursor, lead nowhere. */
const fruitlessPageLimit = 200;

/** Cursors expire; a listing that meets an expired one begins anew this often. */
const restarts = 2;

/**
 * Yields pages until Slack gives no cursor; an empty page is not the end. When a cursor has expired the listing begins
 * anew, so items may come twice. Throws `SlackError` of kind `cursor` when that keeps happening, when Slack's
 * cursors run in a circle, or when they lead on and on without bringing anything.
 */
export async function* listPages(
  method: string,
  fetchPage: (cursor: string | undefined) => Promise<ListPage>,
): AsyncGenerator<ListPage> {
  for (let begun = 0; ; begun += 1) {
    try {
      yield* pagesOnce(method, fetchPage);
      return;
    } catch (error) {
      if (!isExpiredCursor(error) || begun >= restarts) throw error;
    }
  }
}

async function* pagesOnce(
  method: string,
  fetchPage: (cursor: string | undefined) => Promise<ListPage>,
): AsyncGenerator<ListPage> {
  const seen = new Set<string>();
  const ids = new Set<unknown>();
  let fruitless = 0;
  let cursor: string | undefined;
  do {
    const page = await fetchPage(cursor);
    yield page;
    cursor = page.nextCursor;
    if (cursor !== undefined && seen.has(cursor)) throw loopError(method);
    if (cursor !== undefined) seen.add(cursor);
    const known = ids.size;
    for (const { id } of page.items) ids.add(id);
    fruitless = ids.size === known ? fruitless + 1 : 0;
    if (cursor !== undefined && fruitless > fruitlessPageLimit) throw noProgress(method);
  } while (cursor !== undefined);
}

function isExpiredCursor(error: unknown): boolean {
  return error instanceof SlackError && error.code === 'invalid_cursor';
}

function noProgress(method: string): SlackError {
  return new SlackError(
    { kind: 'cursor', method, code: 'no_progress' },
    `The listing of ${method} cannot be read to the end: ${fruitlessPageLimit} pages in a row brought nothing new, and Slack keeps saying there is more.`,
    'Run again later; what the listing brought before is stored.',
  );
}

function loopError(method: string): SlackError {
  return new SlackError(
    { kind: 'cursor', method, code: 'cursor_loop' },
    `Slack's pages of ${method} run in a circle: the same page token came twice.`,
    'Run again; the listing starts anew.',
  );
}
