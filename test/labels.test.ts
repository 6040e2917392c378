import { describe, expect, it } from 'vitest';
import { channelLabel, workspaceLabel, workspaceLabelWithId } from '../src/labels.ts';

describe('the one name of a conversation', () => {
  it.each([
    ['general', 'C1', undefined, '#general'],
    ['#general', 'C1', 'private', '#general'],
    ['C0000006', 'C0000006', undefined, 'C0000006'],
    [null, 'C0000006', 'public', 'C0000006'],
    ['', 'D1', undefined, 'D1'],
    ['D1', 'D1', 'im', 'D1'],
    ['Ada Lovelace', 'D1', undefined, 'Ada Lovelace'],
    ['u1', 'D1', 'im', 'u1'],
    ['u1', 'D1', undefined, 'u1'],
    ['mpdm-ada--bob-1', 'G1', undefined, 'mpdm-ada--bob-1'],
    ['mpdm-ada--bob-1', 'G1', 'mpim', 'mpdm-ada--bob-1'],
    ['a\u001b[2J\nb xoxb-123', 'C1', undefined, 'a b xoxb-…'],
  ])('of %j, %j, %j is %j', (name, id, kind, label) => {
    expect(channelLabel(name, id, kind)).toBe(label);
  });
});

describe('the one name of a workspace', () => {
  it.each([
    [{ name: 'Acme', domain: 'acme', teamId: 'T1' }, 'Acme', 'Acme (T1)'],
    [{ name: '', domain: 'acme', teamId: 'T1' }, 'acme', 'acme (T1)'],
    [{ name: null, teamId: 'T1' }, 'T1', 'T1'],
    [{ name: 'T1', teamId: 'T1' }, 'T1', 'T1'],
  ])('of %j is %j', (workspace, label, withId) => {
    expect(workspaceLabel(workspace)).toBe(label);
    expect(workspaceLabelWithId(workspace)).toBe(withId);
  });
});
