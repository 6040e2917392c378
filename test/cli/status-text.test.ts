/** How the status reads on a terminal and elsewhere. */
import { describe, expect, it } from 'vitest';
import { workspaceText } from '../../src/cli/status-text.ts';
import type { IsoTime } from '../../src/model.ts';
import { recordedErrors } from '../../src/sync/run-record.ts';

type Status = Parameters<typeof workspaceText>[0];

const at = '2026-12-01T06:00:00.000Z' as IsoTime;
const error = `the app is not a member of the channel (not_in_channel). ${'Invite it there. '.repeat(8)}And this is the end.`;
const never = { every_runs: null, every_days: null };

function statusOf(more: Partial<Status> = {}): Status {
  return {
    team_id: 'T0ACME',
    name: 'Acme',
    domain: 'acme',
    runs: [
      {
        run_id: '1',
        command: 'ingest',
        trigger: 'cron',
        status: 'failed',
        exit_code: 1,
        started_at: at,
        finished_at: at,
        duration_ms: 1,
        requests: 1,
        messages: { inserted: 0, updated: 0, deleted: 0 },
        error,
      },
    ],
    ingest: { runs: 1, since: at },
    ingest_runs_per_day: null,
    totals: { channels: 0, failed: 0, with_holes: 0, messages: 0, threads: 0 },
    channels: [],
    channels_not_read: 0,
    audit: { requests_per_run: 10, pages: 0, oldest_at: null, next_channel_id: null, histories: never, threads: never },
    remaining: { threads: 0, holes: 0, requests: 0, seconds: 0 },
    limits: [],
    ...more,
  } as Status;
}

describe('an error in the status', () => {
  it('stands whole on a line of its own in a pipe', () => {
    const lines = workspaceText(statusOf(), { columns: 80, isTerminal: false, lines: null });
    expect(lines).toContain(`    ! ${error}`);
  });

  it('stands whole on a terminal too, in lines that fit', () => {
    const lines = workspaceText(statusOf(), { columns: 80, isTerminal: true, lines: 24 });
    expect(lines.join(' ').replace(/\s+/g, ' ')).toContain(error);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });
});

it('tells no rate of one run, nor of several that were just now', () => {
  const [one, several, many] = [
    statusOf(),
    statusOf({ ingest: { runs: 3, since: at } }),
    statusOf({ ingest: { runs: 48, since: at }, ingest_runs_per_day: 24 }),
  ].map((status) => workspaceText(status, { columns: 80, isTerminal: false, lines: null }).join('\n'));
  expect(one).toContain('ingest    ran once, 2026-12-01 06:00');
  expect(several).toContain('ingest    ran 3 times since 2026-12-01 06:00');
  expect(`${one}${several}`).not.toContain('a day');
  expect(many).toContain('24 runs a day');
});

it('records what failed in a run once for each kind, with its places', () => {
  const unit = (channelId: string | null, channel: string | null, code: string, message = code) => ({
    channelId,
    channel,
    code,
    message,
    hint: null,
  });
  expect(
    recordedErrors([
      unit('C1', 'general', 'not_in_channel'),
      unit('C2', 'random', 'not_in_channel'),
      unit('C2', 'random', 'timeout'),
      unit('C2', 'random', 'timeout'),
      unit('C0000006', 'C0000006', 'timeout'),
      unit(null, 'nosuch', 'channel_not_found', 'There is no channel "nosuch".'),
    ]),
  ).toBe('#general, #random: not_in_channel; #random (2 times), C0000006: timeout; There is no channel "nosuch".');
  expect(recordedErrors([])).toBeNull();
});
