import { expect, it } from 'vitest';
import { checkEndpoint } from '../../../src/digest/llm/endpoint.ts';
import { UsageError } from '../../../src/errors.ts';

it.each([
  'https://api.openai.com/v1',
  'https://llm.example/openai/v1/',
  'http://127.0.0.1:11434/v1',
  'http://localhost:8080',
  'http://[::1]:8080/v1',
])('accepts %s', (address) => {
  expect(checkEndpoint(address).href).toContain(new URL(address).host);
});

it("is OpenAI's own when none is given", () => {
  expect(checkEndpoint(null).href).toBe('https://api.openai.com/v1');
});

it.each([
  ['http://llm.example/v1', 'unencrypted to llm.example'],
  ['http://192.168.1.5:11434/v1', 'unencrypted'],
  ['http://127.0.0.1.evil.example/v1', 'unencrypted'],
  ['ftp://llm.example', 'begins with ftp:'],
  ['llm.example', 'no URL'],
  ['https://llm.example/v1?key=1', 'a query'],
])('refuses %s', (address, why) => {
  expect(() => checkEndpoint(address)).toThrow(UsageError);
  expect(() => checkEndpoint(address)).toThrow(why);
});

it('does not repeat a password that stands in an address', () => {
  const check = () => checkEndpoint('https://user:hunter2@llm.example/v1');
  expect(check).toThrow('user name or password');
  expect(check).not.toThrow('hunter2');
});
