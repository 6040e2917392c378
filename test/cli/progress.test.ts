import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from '../../src/cli/log.ts';
import type { Progress } from '../../src/cli/progress.ts';
import { canColor, canSpin, loadPaint, openProgress } from '../../src/cli/progress.ts';
import { emptyView, formatView, updateView } from '../../src/cli/progress-line.ts';
import { truncate } from '../../src/output/cells.ts';
import type { RunEvent } from '../../src/sync/events.ts';

const start: RunEvent[] = [
  { type: 'channels', total: 50, skipped: 3 },
  { type: 'channel', part: 'new', index: 12, total: 50, channelId: 'C1', name: 'general' },
  { type: 'progress', messages: 3_214, threads: { found: 0, read: 0 } },
  { type: 'request', method: 'conversations.history', requests: 96 },
];
const wait: RunEvent = { type: 'waiting', method: 'conversations.history', reason: 'rate_limit', ms: 42_000 };
const failure: RunEvent = {
  type: 'unit_failed',
  channelId: 'C1',
  channel: 'general',
  code: 'not_in_channel',
  kind: 'channel',
  message: 'the app is no member',
};

/** Remembers what is on the last line, as a terminal does, and everything that was ever written. */
class Terminal {
  readonly isTTY = true;
  columns: number;
  written = '';
  private listeners: (() => void)[] = [];

  constructor(columns = 120) {
    this.columns = columns;
  }

  write(text: string): boolean {
    this.written += text;
    return true;
  }

  cursorTo(): void {
    this.written += '\r';
  }

  clearLine(): void {}
  moveCursor(): void {}
  once(): void {}
  removeListener(): void {}

  on(_event: 'resize', listener: () => void): void {
    this.listeners.push(listener);
  }

  off(_event: 'resize', listener: () => void): void {
    this.listeners = this.listeners.filter((other) => other !== listener);
  }

  resize(columns: number): void {
    this.columns = columns;
    for (const listener of this.listeners) listener();
  }

  /** The last frame, without the spinner's symbol. */
  get frame(): string {
    const frames = this.written.replace(/\u001b\[\?2026[hl]/g, '').split('\r');
    return (frames.findLast((frame) => frame.trim() !== '') ?? '').slice(2);
  }
}

describe('formatView', () => {
  const view = start.reduce((previous, event) => updateView(previous, event, 0), emptyView);

  it('tells channel, messages and requests', () => {
    expect(formatView(view, 0)).toBe('channel 12 of 50 #general · 3,214 messages · 96 requests');
  });

  it('counts a wait down and forgets it with the next call of the method', () => {
    const waiting = updateView(view, wait, 1_000);
    expect(formatView(waiting, 1_000)).toMatch(/ · waiting 42 s for conversations\.history \(rate limit\)$/);
    expect(formatView(waiting, 31_500)).toMatch(/waiting 12 s/);
    expect(formatView(waiting, 43_000)).not.toMatch(/waiting/);
    const other = updateView(waiting, { type: 'request', method: 'users.list', requests: 97 }, 2_000);
    expect(formatView(other, 2_000)).toMatch(/waiting/);
    const called = updateView(waiting, { type: 'request', method: 'conversations.history', requests: 97 }, 2_000);
    expect(formatView(called, 2_000)).not.toMatch(/waiting/);
  });

  it('says how long the rest takes, second of all, and counts it down', () => {
    const known = updateView(view, { type: 'time_left', ms: 397_000 }, 1_000);
    expect(formatView(known, 1_000)).toBe(
      'channel 12 of 50 #general · about 6 min 37 s left · 3,214 messages · 96 requests',
    );
    expect(formatView(known, 301_000)).toMatch(/ · about 1 min 37 s left · /);
    expect(formatView(known, 401_000)).not.toMatch(/left/);
  });

  it('names the channel that is truly read: its history, a part read again, or the replies of its threads', () => {
    const at = (event: RunEvent, before = view) => updateView(before, event, 0);
    const thread: RunEvent = { type: 'thread', channelId: 'C2', name: 'random' };
    const again: RunEvent = { type: 'channel', part: 'again', index: 3, total: null, channelId: 'C3', name: 'ops' };
    expect(formatView(at(thread), 0)).toMatch(/^channel 12 of 50 #general/);
    expect(formatView(at({ type: 'histories_done' }, at(thread)), 0)).toMatch(/^threads of #random · /);
    expect(formatView(at(again), 0)).toMatch(/^reading again #ops · /);
    expect(formatView(at({ ...again, part: 'old', total: 7 }), 0)).toMatch(/^old history of #ops \(3 of 7\) · /);
  });

  it('shows nothing of waits that would only flicker', () => {
    expect(formatView(updateView(view, { ...wait, ms: 900 }, 0), 0)).not.toMatch(/waiting/);
  });
});

describe('truncate', () => {
  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['日本語', 6, '日本語'],
    ['日本語', 5, '日本…'],
    ['e\u0301e\u0301', 2, 'e\u0301e\u0301'],
    ['abc', 0, ''],
  ])('cuts %s to %d cells', (text, cells, cut) => {
    expect(truncate(text, cells)).toBe(cut);
  });
});

describe('canSpin and canColor', () => {
  const terminal = { write: () => true, isTTY: true, columns: 80 };

  it('need a terminal that has columns and can move its cursor', () => {
    expect(canSpin(terminal, {})).toBe(true);
    expect(canSpin({ ...terminal, columns: 0 }, {})).toBe(false);
    expect(canSpin({ ...terminal, isTTY: false }, {})).toBe(false);
    expect(canSpin(terminal, { TERM: 'dumb' })).toBe(false);
    expect(canSpin(terminal, { CI: 'true' })).toBe(false);
  });

  it('colour only where nobody objects', () => {
    expect(canColor(terminal, {}, true)).toBe(true);
    expect(canColor(terminal, { NO_COLOR: '' }, true)).toBe(true);
    expect(canColor(terminal, { NO_COLOR: '1' }, true)).toBe(false);
    expect(canColor(terminal, {}, false)).toBe(false);
    expect(canColor({ ...terminal, isTTY: false }, {}, true)).toBe(false);
  });

  it('paint the words of levels', async () => {
    expect((await loadPaint())('error', 'error')).toBe('\u001b[31merror\u001b[39m');
  });
});

describe('openProgress', () => {
  let progress: Progress;

  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    progress.stop();
    vi.useRealTimers();
  });

  async function open(
    stream: Terminal | { write(text: string): unknown },
    options: { quiet?: boolean; format?: 'text' | 'json'; hasColor?: boolean } = {},
  ) {
    const log = createLogger({
      sink: stream,
      format: options.format ?? 'text',
      level: options.quiet === true ? 'error' : 'info',
    });
    const hasSpinner = stream instanceof Terminal && options.quiet !== true;
    progress = await openProgress({ stream, log, hasSpinner, hasColor: options.hasColor ?? false });
    return progress;
  }

  it('shows one line on a terminal and counts a wait down without events', async () => {
    const terminal = new Terminal();
    const { emit } = await open(terminal);
    start.forEach(emit);
    await vi.advanceTimersByTimeAsync(400);
    expect(terminal.frame).toBe('channel 12 of 50 #general · 3,214 messages · 96 requests');
    emit(wait);
    await vi.advanceTimersByTimeAsync(400);
    expect(terminal.frame).toMatch(/waiting 42 s for conversations\.history \(rate limit\)$/);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(terminal.frame).toMatch(/waiting 32 s/);
    expect(terminal.written).not.toMatch(/\u001b\[\d+m/);
  });

  it('keeps to the width, also when it changes', async () => {
    const terminal = new Terminal(40);
    const { emit } = await open(terminal);
    start.forEach(emit);
    await vi.advanceTimersByTimeAsync(400);
    expect(terminal.frame).toBe('channel 12 of 50 #general · 3,214 me…');
    terminal.resize(20);
    await vi.advanceTimersByTimeAsync(400);
    expect(terminal.frame).toHaveLength(17);
  });

  it('survives a terminal that loses its columns', async () => {
    const terminal = new Terminal();
    const { emit } = await open(terminal);
    terminal.resize(0);
    start.forEach(emit);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(terminal.frame).not.toMatch(/general/);
    terminal.resize(100);
    await vi.advanceTimersByTimeAsync(400);
    expect(terminal.frame).toMatch(/general/);
  });

  it('writes notices and failures above the line', async () => {
    const terminal = new Terminal();
    const { emit } = await open(terminal);
    emit(failure);
    expect(terminal.written).toContain('error: #general: the app is no member channel_id=C1 code=not_in_channel\n');
    await vi.advanceTimersByTimeAsync(400);
    expect(terminal.frame).toMatch(/1 failed/);
  });

  it('leaves the terminal alone once stopped', async () => {
    const terminal = new Terminal();
    const { emit, stop } = await open(terminal, { hasColor: true });
    start.forEach(emit);
    stop();
    const { written } = terminal;
    terminal.resize(30);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(terminal.written).toBe(written);
    expect(vi.getTimerCount()).toBe(0);
  });

  function pipe() {
    const lines: string[] = [];
    return { lines, write: (text: string) => lines.push(text) };
  }

  it('writes a line every ten seconds at most into a pipe, without control characters or timers', async () => {
    const stream = pipe();
    const { emit } = await open(stream);
    expect(vi.getTimerCount()).toBe(0);
    start.forEach(emit);
    expect(stream.lines).toEqual(['50 channels to read, 3 skipped\n']);
    for (let requests = 97; requests < 397; requests++) {
      await vi.advanceTimersByTimeAsync(100);
      emit({ type: 'request', method: 'conversations.history', requests });
    }
    expect(stream.lines).toHaveLength(4);
    expect(stream.lines[1]).toBe('channel 12 of 50 #general · 3,214 messages · 196 requests\n');
    expect(stream.lines.join('')).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it('writes notices, warnings and failures at once', async () => {
    const stream = pipe();
    const { emit } = await open(stream);
    emit({ type: 'notice', message: 'history is limited by the plan' });
    emit({ type: 'rate_limited', method: 'users.list', retryAfterMs: 30_000 });
    emit({ type: 'retry', method: 'users.list', attempt: 2, code: 'http_500', message: 'Slack answered 500' });
    emit(failure);
    expect(stream.lines).toEqual([
      'warning: history is limited by the plan\n',
      'warning: Slack limits users.list; it rests for 30 s\n',
      'warning: users.list failed and is tried again: Slack answered 500 code=http_500 attempt=2\n',
      'error: #general: the app is no member channel_id=C1 code=not_in_channel\n',
    ]);
  });

  it('writes errors only when quiet', async () => {
    const stream = pipe();
    const { emit } = await open(stream, { quiet: true });
    [...start, wait, { type: 'notice', message: 'x' } as const, failure].forEach(emit);
    await vi.advanceTimersByTimeAsync(20_000);
    emit(wait);
    expect(stream.lines).toHaveLength(1);
  });

  it('writes JSON lines', async () => {
    const stream = pipe();
    const { emit } = await open(stream, { format: 'json' });
    emit(failure);
    expect(JSON.parse(stream.lines[0] ?? '')).toMatchObject({
      level: 'error',
      message: '#general: the app is no member',
      code: 'not_in_channel',
    });
  });
});
