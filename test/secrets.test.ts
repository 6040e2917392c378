import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsSlackToken, maskSecrets, printable, printableJson, stripTerminalControls } from '../src/secrets.ts';

describe('maskSecrets', () => {
  it.each([
    ['bot token', 'token xoxb-123-456-AbC refused', 'token xoxb-… refused'],
    ['user token', 'xoxp-1-2-3-abc', 'xoxp-…'],
    ['workspace token', 'xoxa-2-123', 'xoxa-…'],
    ['refresh token', 'xoxr-123', 'xoxr-…'],
    ['legacy session token', 'xoxs-123', 'xoxs-…'],
    ['browser token and cookie', 'xoxc-1-2 d=xoxd-ab%2Bc%2Fd%3D%3D; x', 'xoxc-… d=xoxd-…; x'],
    ['rotated token', 'xoxe.xoxp-1-Mi0yLTk', 'xoxe.xoxp-…'],
    ['rotation refresh token', '"xoxe-1-My0xLTk"', '"xoxe-…"'],
    ['app-level token', 'xapp-1-A111-222-abc.', 'xapp-….'],
    ['token inside a word', 'SLACK_TOKENxoxb-1', 'SLACK_TOKENxoxb-…'],
    ['encoded token', 'https://x.test/?q=xoxb%2D123%2D456', 'https://x.test/?q=xoxb%2D…'],
    [
      'export file token',
      'https://files.slack.com/f/T1-F1/a.png?t=xoxe-12-34-ab&x=1',
      'https://files.slack.com/f/T1-F1/a.png?t=xoxe-…&x=1',
    ],
    ['url password', 'postgres://user:pw@host:5432/db', 'postgres://user:…@host:5432/db'],
    ['encoded password', 'postgres://user:p%40w%2F@host/db', 'postgres://user:…@host/db'],
    ['password with @', 'postgres://user:p@ss@host/db', 'postgres://user:…@host/db'],
    ['password with / and ?', 'postgres://user:p/a?s#s@host/db', 'postgres://user:…@host/db'],
    ['password with a quote', `postgres://user:p"a's@host/db`, 'postgres://user:…@host/db'],
    ['user with @', 'postgres://user@tenant:pw@host/db', 'postgres://user@tenant:…@host/db'],
    ['password without user', 'redis://:pw@host', 'redis://:…@host'],
    ['http password', 'https://user:pw@host:8080/a@b', 'https://user:…@host:8080/a@b'],
    [
      'query password',
      'postgres://h/db?user=u&password=s3&sslmode=require',
      'postgres://h/db?user=u&password=…&sslmode=require',
    ],
    ['query sslpassword', 'postgres://h/db?sslpassword=s3', 'postgres://h/db?sslpassword=…'],
    ['both passwords', 'postgres://u:a@h/db?password=b@c', 'postgres://u:…@h/db?password=…'],
    ['libpq string', "host=h password='a b\\'c' user=u", 'host=h password=… user=u'],
    ['environment dump', 'PGPASSWORD=s3 SLACK_TOKEN=abc', 'PGPASSWORD=… SLACK_TOKEN=…'],
    ['bearer', 'Authorization: Bearer abc.def-1', 'Authorization: Bearer …'],
    ['basic', 'authorization: Basic dTpw', 'authorization: Basic …'],
    ['json member', '{"password":"a\\"b","user":"u"}', '{"password":"…","user":"u"}'],
    ['inspected object', "{ user: 'u', password: 'a b' }", "{ user: 'u', password: '…' }"],
    ['webhook', 'https://hooks.slack.com/services/T1/B1/abc failed', 'https://hooks.slack.com/services/… failed'],
  ])('masks a %s', (_name, text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });

  it.each([
    'a bot token begins with xoxb-, a user token with xoxp-',
    'refresh tokens begin with xoxe-, rotated ones with xoxe.xoxp-1- or xoxe.xoxb-1-…',
    'rename xoxe-foo to bar, xoxb-your-token-here, xoxe-… and xapp-1-',
    'postgres://user@host:5432/db',
    'http://127.0.0.1:8080/@user',
    'sqlite:/var/lib/slackingest.db',
    'set SLACK_TOKEN or SLACK_TOKEN_FILE',
    'password authentication failed for user "bob@corp"',
    '12:30 mail bob@example.com',
  ])('leaves harmless text alone: %s', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });

  const secret = fc.stringMatching(/^[A-Za-z0-9]{8,40}$/).filter((body) => /\d/.test(body) || body.length >= 16);
  const prefix = fc.constantFrom(
    'xoxb-',
    'xoxp-',
    'xoxa-',
    'xoxr-',
    'xoxs-',
    'xoxc-',
    'xoxd-',
    'xoxe-',
    'xoxe.xoxp-',
    'xapp-',
  );
  const fragment = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom(
      'postgres://',
      'https://',
      'u',
      ':',
      '@',
      '/',
      '?',
      '&',
      '=',
      '"',
      "'",
      '\\',
      ' ',
      '\n',
      ',',
      '}',
      '%3d',
    ),
    fc.constantFrom(
      'password',
      'password=',
      'token=',
      '"password":"',
      "secret: '",
      'Bearer ',
      'authorization: basic ',
      'xoxb-',
      'xapp-1',
      'xoxe',
      'xoxe-…',
      'xoxe.xoxp-1-',
      '%2D',
      '?t=',
      '?token=',
      '&amp;',
      '.',
      '-',
      '…',
    ),
    secret,
  );
  const text = fc.array(fragment, { maxLength: 30 }).map((fragments) => fragments.join(''));

  it('leaves nothing of a token, whatever stands around it', () => {
    fc.assert(
      fc.property(text, prefix, secret, text, (before, kind, tail, after) => {
        const masked = maskSecrets(`${before}${kind}${tail}${after}`);
        return !masked.includes(`${kind}${tail}`) && !masked.includes(`${kind}${tail.slice(0, 4)}`);
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves nothing of a password in a database url', () => {
    // A quote before a comma or bracket may be the end of a JSON string: there masking has to stop.
    const password = fc
      .string({ unit: 'grapheme-ascii', minLength: 6, maxLength: 30 })
      .map((value) => `${value.replace(/[\s\\]/g, '').replace(/"+(?=[,:}\]])/g, '')}SECRET`);
    fc.assert(
      fc.property(password, fc.constantFrom('', ' ', '\n', '"'), (value, after) => {
        return !maskSecrets(`connect postgres://user:${value}@host/db${after}`).includes('SECRET');
      }),
      { numRuns: 2_000 },
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(text, (value) => {
        const once = maskSecrets(value);
        expect(maskSecrets(once)).toBe(once);
      }),
      { numRuns: 20_000 },
    );
  });

  it('keeps a line of JSON one object with the same keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), text, { maxKeys: 4 }), (value) => {
        const masked: unknown = JSON.parse(maskSecrets(JSON.stringify(value)));
        expect(Object.keys(masked as object)).toEqual(Object.keys(JSON.parse(JSON.stringify(value)) as object));
      }),
      { numRuns: 20_000 },
    );
  });

  it('takes time in proportion to the text', () => {
    const pieces = [
      'xoxb-',
      'a://b:',
      "password='",
      'password: "',
      'token=',
      'bearer ',
      '\\',
      '"',
      'a',
      'https://a:',
      ' ',
      "token='\\",
    ];
    for (const piece of pieces) {
      const long = piece.repeat(200_000 / piece.length);
      const started = performance.now();
      maskSecrets(long);
      stripTerminalControls(long);
      expect(performance.now() - started, piece).toBeLessThan(500);
    }
  });
});

describe('containsSlackToken', () => {
  it('tells a token from its prefix', () => {
    expect(containsSlackToken('xoxb-123-abc')).toBe(true);
    expect(containsSlackToken('starts with xoxb-')).toBe(false);
  });
});

describe('stripTerminalControls', () => {
  it.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['8-bit sequences', '\u009b2Jx', 'x'],
    ['window titles', '\u001b]0;owned\u0007x', 'x'],
    ['links', '\u001b]8;;https://evil.test\u001b\\here\u001b]8;;\u001b\\', 'here'],
    ['device strings', '\u001bP1;2q#\u001b\\x', 'x'],
    ['resets', '\u001bcx', 'x'],
    ['character sets', '\u001b(0x', 'x'],
    ['carriage returns and backspaces', 'good\r\b\bevil', 'goodevil'],
    ['deletes', 'a\u007fb', 'ab'],
    ['bidirectional overrides', 'a\u202egpj.exe\u202c\u2066', 'agpj.exe'],
  ])('removes %s', (_name, text, stripped) => {
    expect(stripTerminalControls(text)).toBe(stripped);
  });

  it('keeps newlines, tabs, emoji and every script', () => {
    const text = 'a\n\tb 日本 👩‍👩‍👧 עברית é';
    expect(stripTerminalControls(text)).toBe(text);
  });

  it('shows what follows an unfinished sequence', () => {
    expect(stripTerminalControls('\u001b]0;all the rest')).toBe(']0;all the rest');
  });

  it('leaves no control character in any text, and nothing to do the second time', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\u001b', '\u001b[', '\u009d', '\u0007', ';', 'm', '\\'),
    );
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (text) => {
          const stripped = stripTerminalControls(text);
          expect(stripped).not.toMatch(/[^\P{Cc}\n\t]/u);
          expect(stripTerminalControls(stripped)).toBe(stripped);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('printable', () => {
  it('finds a token that control characters cut in two', () => {
    expect(printable('xoxb\u001b[0m-12\u00003')).toBe('xoxb-…');
  });

  it('changes nothing the second time', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.constantFrom(
        'xoxe-',
        'xoxe.xoxp-1-',
        '123',
        '\u001b',
        '[',
        'token=',
        '://a:',
        '@',
        '"',
        '\u0000',
        '…',
        '\u202e',
      ),
    );
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (text) => {
          const once = printable(text);
          expect(printable(once)).toBe(once);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('printableJson', () => {
  it('keeps every character for whoever parses it, and shows a terminal none that it acts on', () => {
    const units = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(fc.array(units), (names) => {
        fc.pre(names.every((name) => maskSecrets(JSON.stringify(name)) === JSON.stringify(name)));
        const json = printableJson({ names });
        expect(JSON.parse(json)).toEqual({ names });
        expect(json).not.toMatch(/[^\P{Cc}]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
      }),
    );
    const name = 'a\u202eb\u009b31m\u2028';
    expect(printableJson({ name })).toBe('{"name":"a\\u202eb\\u009b31m\\u2028"}');
  });

  it('is the only way in which the CLI and the digest print JSON', () => {
    const folders = ['src/cli', 'src/cli/commands', 'src/output'];
    const printed = folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((file) => file.endsWith('.ts'))
        .flatMap((file) => readFileSync(`${folder}/${file}`, 'utf8').split('\n'))
        .filter((line) => /(?:print|write)\(.*JSON\.stringify/.test(line)),
    );
    expect(printed).toEqual([]);
  });
});
