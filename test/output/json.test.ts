import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { renderJson } from '../../src/output/json.ts';
import { anyDigest } from './random-digest.ts';
import { emptyDigest, event, explanation, sampleDigest } from './sample-digest.ts';

it('is the digest itself of one workspace, nothing left out', () => {
  const digest = sampleDigest({ explanation });
  expect(JSON.parse(renderJson([digest]))).toEqual(digest);
});

it('is one document for several workspaces', () => {
  expect(JSON.parse(renderJson([sampleDigest(), emptyDigest()]))).toEqual({
    workspaces: [sampleDigest(), emptyDigest()],
  });
});

it('holds no secret and no control character that a message had', () => {
  const token = `xoxb-${'1234567890-abcdef'}`;
  const [first] = JSON.parse(
    renderJson([sampleDigest({ events: [event({ summary: `use ${token} \u001b[31mnow\u009b` })] })]),
  ).events;
  expect(first.summary).toBe('use xoxb-… now');
});

it('can be read back whatever people wrote', () => {
  fc.assert(
    fc.property(anyDigest, (digest) => {
      const read = JSON.parse(renderJson([digest]));
      expect(read.events.length).toBe(digest.events.length);
    }),
    { numRuns: 30 },
  );
});
