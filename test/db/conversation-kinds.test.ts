/** What earlier versions stored of conversations gets the kind that its evidence allows. */
import { expect, it } from 'vitest';
import { conversationKinds } from '../../migrations/0005_conversation_kinds.ts';
import { migrations } from '../../migrations/index.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openStore } from '../../src/db/repositories/index.ts';
import type { ChannelRow } from '../../src/db/schema.ts';
import type { ChannelKind, IsoTime, JsonObject } from '../../src/model.ts';
import { kindFlags, kindOf } from '../../src/normalize/conversation-kind.ts';
import { eachDatabase } from '../support/databases.ts';

const never = '1970-01-01T00:00:00.000Z' as IsoTime;
const at = '2026-11-01T00:00:00.000Z' as IsoTime;

interface Case {
  id: string;
  name?: string;
  was: ChannelKind;
  raw?: JsonObject;
  /** Of the export that it is from; null for Slack's API. */
  exportedAt?: IsoTime | null;
  becomes: ChannelKind;
}

const told: Case[] = [
  { id: 'C0LIST', was: 'public', becomes: 'public' },
  { id: 'C0FLAG', was: 'public', raw: { is_private: true }, becomes: 'private' },
  { id: 'C0TEXT', was: 'public', raw: { is_private: 'True' }, becomes: 'private' },
  { id: 'C0NULL', was: 'public', raw: { is_private: null }, becomes: 'unknown' },
  { id: 'C0ODD', was: 'public', raw: { is_group: {} }, becomes: 'unknown' },
  { id: 'G0LIST', was: 'public', becomes: 'private' },
  { id: 'D0LIST', was: 'public', becomes: 'im' },
  { id: 'G0MPIM', was: 'private', raw: { is_mpim: 1 }, becomes: 'mpim' },
  { id: 'C0MPDM', was: 'public', name: 'mpdm-a--b-1', becomes: 'mpim' },
  { id: 'C0PRIV', was: 'private', becomes: 'private' },
  { id: 'C0FOLDER', was: 'public', exportedAt: never, becomes: 'unknown' },
  { id: 'LOCAL-000000000000', was: 'public', exportedAt: never, becomes: 'unknown' },
  { id: 'LOCAL-111111111111', was: 'public', exportedAt: at, becomes: 'unknown' },
  { id: 'C0API', was: 'public', exportedAt: null, raw: { is_channel: true, is_private: false }, becomes: 'public' },
  { id: 'C0PART', was: 'public', exportedAt: null, raw: { is_channel: true }, becomes: 'unknown' },
  { id: 'C0CLOSED', was: 'private', exportedAt: null, raw: { is_channel: true, is_private: true }, becomes: 'private' },
];

/** Every flag in every form, as the API tells it. */
const values = [true, false, 1, 0, 'true', 'False', null, 'x'];
const anyFlags: Case[] = kindFlags.flatMap((one) =>
  values.flatMap((value, v) =>
    values.map((isPrivate, n) => {
      const raw: JsonObject = { is_private: isPrivate, [one]: value };
      const becomes = kindOf({ id: 'C', ...raw });
      return { id: `C${one}${v}${n}`, was: 'public' as const, raw, exportedAt: null, becomes };
    }),
  ),
);

eachDatabase((create) => {
  it('0005 corrects stored rows from their flags, ids and names, and doubts what nothing tells of', async () => {
    await using database = await create();
    const dialect = await database.open();
    const before = migrations[migrations.indexOf(conversationKinds) - 1];
    await migrate(dialect, { now: Date.now, to: before?.name ?? '' });
    const cases = [...told, ...anyFlags];
    const rows = cases.map(
      ({ id, name = 'some', was, raw = {}, exportedAt = at }): ChannelRow => ({
        ...{ team_id: 'T1', channel_id: id, name, kind: was, is_archived: false, is_member: null },
        ...{ topic: null, purpose: null, content_hash: 'x', raw: { id, name, ...raw } },
        ...{ updated_at: at, exported_at: exportedAt },
      }),
    );
    await openStore(dialect).transaction((tx) => tx.directory.writeChannels(rows));
    await migrate(dialect, { now: Date.now });
    const stored = await openStore(dialect).directory.findChannels(
      'T1',
      cases.map(({ id }) => id),
    );
    const found = cases.map(({ id, raw }) => ({ id, raw, kind: stored.get(id)?.kind }));
    expect(found).toEqual(cases.map(({ id, raw, becomes }) => ({ id, raw, kind: becomes })));
  });
});
