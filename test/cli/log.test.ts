import { describe, expect, it } from 'vitest';
import type { LogOptions } from '../../src/cli/log.ts';
import { createLogger } from '../../src/cli/log.ts';

function collect(options: Partial<LogOptions> = {}) {
  const written: string[] = [];
  const sink = { write: (text: string) => written.push(text) };
  const log = createLogger({ sink, format: 'text', level: 'info', now: () => new Date(0), ...options });
  return { log, written };
}

describe('createLogger', () => {
  it('writes one line for a message, the level first', () => {
    const { log, written } = collect();
    log.info('started', { run: 'a b', count: 3, missing: null });
    log.warn('slow');
    log.error('broken', { code: 'x' });
    expect(written).toEqual(['started run="a b" count=3\n', 'warning: slow\n', 'error: broken code=x\n']);
  });

  it('leaves out what is below the level', () => {
    const { log, written } = collect({ level: 'error' });
    log.debug('a');
    log.warn('b');
    log.error('c');
    expect(written).toEqual(['error: c\n']);
  });

  it('begins with the time and colours the level when asked to', () => {
    const { log, written } = collect({ hasTimes: true, paint: (level, word) => `<${level}>${word}` });
    log.warn('slow');
    expect(written).toEqual(['1970-01-01T00:00:00.000Z <warn>warning: slow\n']);
  });

  it('writes JSON objects', () => {
    const { log, written } = collect({ format: 'json' });
    log.warn('slow "x"', { method: 'a.b', count: 1 });
    expect(JSON.parse(written[0] ?? '')).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'warn',
      message: 'slow "x"',
      method: 'a.b',
      count: 1,
    });
  });

  it.each(['text', 'json'] as const)('lets no secret, control sequence or forged line out as %s', (format) => {
    const { log, written } = collect({ format });
    log.error('refused xoxb-1-a\u001b[2J\nerror: forged', { url: 'postgres://u:pw@h/db', token: 'xoxp-2' });
    const [line = ''] = written;
    expect(line).not.toMatch(/xoxb-1|xoxp-2|pw|\u001b/);
    expect(line.split('\n').filter((part) => part.startsWith('error: '))).toHaveLength(format === 'text' ? 1 : 0);
    expect(line).toContain('xoxb-…');
  });
});
