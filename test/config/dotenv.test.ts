import { describe, expect, it } from 'vitest';
import { parseDotEnv } from '../../src/config/dotenv.ts';
import { UsageError } from '../../src/errors.ts';

const wanted = { SLACK_TOKEN: 'xoxb-1-a', NAME: 'two words' };
const lines = ['# a comment', 'SLACK_TOKEN=xoxb-1-a', '', "export NAME = 'two words' # why"];

describe('a .env file', () => {
  const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
  it.each<[string, Buffer]>([
    ['as it is', Buffer.from(lines.join('\n'))],
    ['with the line ends of Windows', Buffer.from(lines.join('\r\n'))],
    ['with a byte order mark', Buffer.from(`\ufeff${lines.join('\n')}`)],
    ['in UTF-16', utf16(lines.join('\r\n'))],
    ['in UTF-16 of the other order', utf16(lines.join('\r\n')).swap16()],
    ['in UTF-16 without a mark', Buffer.from(lines.join('\n'), 'utf16le')],
  ])('is read %s', (_, bytes) => {
    expect(parseDotEnv(bytes, '.env')).toEqual(wanted);
  });

  it('may hold values of several lines, whatever stands in them', () => {
    const text = 'KEY="-----BEGIN\nno: assignment\nEND-----"\nNEXT=1\n';
    expect(parseDotEnv(Buffer.from(text), '.env')).toEqual({ KEY: '-----BEGIN\nno: assignment\nEND-----', NEXT: '1' });
  });

  it.each([
    ['KEY: value', 'SLACK_TOKEN: xoxb-1-secret', 'line 2 is written KEY: value, as YAML is'],
    ['what is no assignment', 'xoxb-1-secret', 'line 2 is no KEY=value'],
    ['a quote that is never closed', 'A="xoxb-1-secret', 'the quote is never closed'],
  ])('is refused for %s, without a word of what stands there', (_, line, words) => {
    const read = () => parseDotEnv(Buffer.from(`OTHER=1\n${line}\nLAST=2\n`), '/srv/.env');
    expect(read).toThrow(UsageError);
    expect(read).toThrow(words);
    expect(read).not.toThrow('secret');
  });
});
