import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { checkApiUrl, checkPace, isLoopback } from '../../src/slack/api-url.ts';

describe('the address of the API', () => {
  test.each([
    'https://slack.com/api/',
    'https://proxy.example:8443/slack',
    'http://127.0.0.1:8080/api/',
    'http://127.8.9.10/',
    'http://localhost:3000/',
    'http://[::1]:3000/',
    'http://2130706433/',
  ])('may be %s', (url) => {
    expect(checkApiUrl(url).href).toBe(new URL(url).href);
  });

  test.each([
    ['http://slack.com/api/', 'the token would travel unencrypted to slack.com'],
    ['http://localhost.example/', 'unencrypted'],
    ['http://127.0.0.1.example/', 'unencrypted'],
    ['http://10.0.0.1/', 'unencrypted'],
    ['ftp://slack.com/', 'it begins with ftp:'],
    ['slack.com/api', 'it is no URL'],
    ['', 'it is no URL'],
    ['https://user:secret@slack.com/', 'it holds a user name or password'],
    ['https://slack.com/api/?x=1', 'it has a query'],
  ])('may not be %s', (url, why) => {
    expect(() => checkApiUrl(url)).toThrow(UsageError);
    expect(() => checkApiUrl(url)).toThrow(why);
  });

  test('is never shown with its password', () => {
    expect(() => checkApiUrl('http://user:secret@10.0.0.1/')).not.toThrow('secret');
  });

  test('knows what stays on this machine', () => {
    expect(isLoopback(new URL('https://slack.com/'))).toBe(false);
    expect(isLoopback(new URL('http://127.1/'))).toBe(true);
  });
});

describe('the pace', () => {
  const slack = new URL('https://slack.com/api/');
  const standIn = new URL('http://127.0.0.1:1234/api/');

  test.each([1, 0.5, 0.001])('%d is allowed everywhere', (pace) => {
    expect(() => checkPace(pace, slack)).not.toThrow();
  });

  test.each([1.1, 60, 'off' as const])('%s is allowed on loopback only', (pace) => {
    expect(() => checkPace(pace, slack)).toThrow(UsageError);
    expect(() => checkPace(pace, standIn)).not.toThrow();
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('%d is never allowed', (pace) => {
    expect(() => checkPace(pace, standIn)).toThrow(UsageError);
  });
});
