/** Exports that slackdump makes, in both of its forms: as Slack makes them but for what stands here (github.com/rusq/slackdump). */
import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/model.ts';
import { type ExportFile, type ExportSpec, makeExport, slackJson } from '../exports/make-export.ts';
import { eachDatabase } from '../support/databases.ts';
import { openExportLab, withFiles } from '../support/export-lab.ts';

/** 21:00 in UTC and, three hours later, the next day there: one day in Los Angeles. */
const evening = Date.parse('2024-01-10T21:00:00Z') / 1000;
const ts = (hours: number) => `${evening + hours * 3600}.000100`;

const spec: ExportSpec = {
  zone: 'UTC',
  users: [
    { id: 'U0ALICE', name: 'alice' },
    { id: 'U0BOB', name: 'bob' },
  ],
  channels: [
    {
      id: 'C0GENERAL',
      name: 'general',
      messages: [
        { ts: ts(0), user: 'U0ALICE', text: 'root', replies: [{ ts: ts(4), user: 'U0BOB', text: 'reply' }] },
        { ts: ts(1), user: 'U0BOB', text: 'a file', files: ['F0PLAN'] },
        { ts: ts(20), user: 'U0BOB', text: 'the day after' },
      ],
    },
    { id: 'D0BOB', kind: 'dm', members: ['U0BOB', 'U0ALICE'], messages: [{ ts: ts(2), user: 'U0BOB', text: 'psst' }] },
  ],
};

/** What old versions and the API's own objects bring. */
function asSlackdump(files: readonly ExportFile[]): ExportFile[] {
  return files.map(({ path, content }) => {
    if (path === 'mpims.json' || path === 'groups.json') return { path, content: '[]' };
    const objects: JsonObject[] = JSON.parse(String(content));
    const changed = objects.map((object) => {
      if (path === 'channels.json') return { ...object, members: null, is_channel: true };
      if (path === 'users.json') return { ...object, profile: { real_name: 'x', avatar_hash: '' } };
      return path.includes('/') ? { ...object, metadata: { event_type: 'x', event_payload: null } } : object;
    });
    return { path, content: slackJson(changed) };
  });
}

const uploads = {
  mattermost: {
    '__uploads/F0PLAN/2024-01-11.json': '[{"type":"message","ts":"1700000000.000100","text":"no message"}]',
  },
  standard: { 'general/attachments/F0PLAN-2024-01-11.json': '[{"type":"message","ts":"1700000000.000100"}]' },
};

eachDatabase((create) => {
  it.each(Object.entries(uploads))(
    'of its form "%s" give their messages, and uploads are counted, not read',
    async (_, upload) => {
      await using lab = await openExportLab(create);
      const files = withFiles(asSlackdump(makeExport(spec)), upload);
      const run = await lab.import(files);
      expect({ code: run.code, errors: run.errors }).toEqual({ code: 0, errors: [] });
      expect(run.out).toMatchObject({
        workspace: 'T0EXPORT',
        export: { days_cut_in: 'UTC' },
        found: { messages: 5, threads: 1, replies: 1, files: 1 },
        left_out: { attachments: 1 },
      });
      const rows = await lab.database.rows('messages', { order: 'channel_id, ts' });
      expect(rows.map((row) => [row['channel_id'], row['text'], row['thread_ts'] ?? null])).toEqual([
        ['C0GENERAL', 'root', ts(0)],
        ['C0GENERAL', 'a file', null],
        ['C0GENERAL', 'reply', ts(0)],
        ['C0GENERAL', 'the day after', null],
        ['D0BOB', 'psst', null],
      ]);
      const again = await lab.import(files);
      expect(again.out.messages).toMatchObject({ inserted: 0, updated: 0 });
    },
  );
});
