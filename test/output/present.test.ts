import { expect, it } from 'vitest';
import { digestFormats } from '../../src/output/formats.ts';
import { presentDigests } from '../../src/output/present.ts';
import { sampleDigest } from './sample-digest.ts';

it('prints the form that was asked for, without a newline at the end', () => {
  const begin = { text: /^Acme/, markdown: /^# Acme/, json: /^\{\n/, html: /^<!doctype html>/, blocks: /^\[\n/ };
  for (const format of digestFormats) {
    const printed = presentDigests([sampleDigest()], format, { columns: 80, paint: null });
    expect(printed).toMatch(begin[format]);
    expect(printed).not.toMatch(/\n$/);
  }
});
