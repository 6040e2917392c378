/** Walks a cursor-paged listing to its end. */
import { SlackError } from '../errors.ts';
import type { ListPage } from './payloads.ts';

/** Cursors expire; a listing that meets an expired one begins anew this often. */
const restarts = 2;

/**
 * Yields pages until Slack gives no cursor; an empty page is not the end. When a cursor has expired the listing begins
 * anew, so items may come twice. Throws `SlackError` of kind `cursor` when that keeps happening, or when Slack's
 * cursors run in a circle.
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
  let cursor: string | undefined;
  do {
    const page = await fetchPage(cursor);
    yield page;
    cursor = page.nextCursor;
    if (cursor !== undefined && seen.has(cursor)) throw loopError(method);
    if (cursor !== undefined) seen.add(cursor);
  } while (cursor !== undefined);
}

function isExpiredCursor(error: unknown): boolean {
  return error instanceof SlackError && error.code === 'invalid_cursor';
}

function loopError(method: string): SlackError {
  return new SlackError(
    { kind: 'cursor', method, code: 'cursor_loop' },
    `Slack's pages of ${method} run in a circle: the same page token came twice.`,
    'Run again; the listing starts anew.',
  );
}
