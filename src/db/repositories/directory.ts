import type { Kysely } from 'kysely';
import type { IsoTime } from '../../model.ts';
import type { Dialect, Writable, WriteTarget } from '../dialects/dialect.ts';
import type { ChannelAliasRow, ChannelRow, Schema, UsergroupRow, UserRow, WorkspaceRow } from '../schema.ts';
import { aliasTarget, dropContent, hasContent, moveContent } from './channel-aliases.ts';

/** Workspaces, users, user groups and channels. Everything that writes many rows wants a transaction. */
export interface DirectoryRepository {
  findWorkspace(teamId: string): Promise<WorkspaceRow | undefined>;
  listWorkspaces(): Promise<WorkspaceRow[]>;
  /** Inserts the workspace or updates what differs; an unchanged one keeps its `updated_at`. */
  saveWorkspace(row: Omit<WorkspaceRow, 'users_synced_at'>): Promise<void>;
  markUsersSynced(teamId: string, at: IsoTime): Promise<void>;

  /** Every user id of the workspace, placeholders included. */
  listUserIds(teamId: string): Promise<string[]>;
  findUsers(teamId: string, userIds: readonly string[]): Promise<Map<string, UserRow>>;
  writeUsers(rows: readonly Writable<UserRow>[]): Promise<void>;
  /** Rows for ids seen in messages that nobody described yet; ids that have a row keep it. */
  addUserPlaceholders(teamId: string, userIds: readonly string[], now: IsoTime): Promise<void>;
  /** Ids still to be looked up, oldest placeholder first. */
  listPendingUserIds(teamId: string): Promise<string[]>;
  /** Remembers that Slack does not tell about this user, so that it is asked once only. */
  markUserUnknown(teamId: string, userId: string, code: string, now: IsoTime): Promise<void>;

  findUsergroups(teamId: string, ids: readonly string[]): Promise<Map<string, UsergroupRow>>;
  writeUsergroups(rows: readonly Writable<UsergroupRow>[]): Promise<void>;

  findChannels(teamId: string, ids: readonly string[]): Promise<Map<string, ChannelRow>>;
  /** Every stored channel of the workspace but these. */
  listChannelsExcept(teamId: string, ids: readonly string[]): Promise<ChannelRow[]>;
  writeChannels(rows: readonly Writable<ChannelRow>[]): Promise<void>;
  /** Those of the channels in which the last message read is the one that says that the channel was archived. */
  findReadToArchiving(teamId: string, ids: readonly string[]): Promise<Set<string>>;

  listAliases(teamId: string): Promise<ChannelAliasRow[]>;
  /** Adds those that are not there yet. */
  addAliases(rows: readonly ChannelAliasRow[]): Promise<void>;
  /** Whether anything of the channel is stored besides its row in `channels`: messages, a position, a thread. */
  hasContent(teamId: string, channelId: string): Promise<boolean>;
  /**
   * Puts all that is stored under one id under another, under which nothing is stored yet; the former id becomes an
   * alias. The row in `channels` is not moved: the old one goes. Wants a transaction.
   */
  moveChannel(teamId: string, move: { from: string; to: string }, now: IsoTime): Promise<void>;
  /** Forgets the channel with all that is stored of it, once it is stored under another id. Wants a transaction. */
  dropChannel(teamId: string, channelId: string): Promise<void>;
}

const userTarget = {
  table: 'users',
  columns: [
    'team_id',
    'user_id',
    'name',
    'real_name',
    'display_name',
    'email',
    'tz',
    'is_bot',
    'is_deleted',
    'lookup',
    'content_hash',
    'raw',
    'updated_at',
    'exported_at',
  ],
  key: ['team_id', 'user_id'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'users'>;

const usergroupTarget = {
  table: 'usergroups',
  columns: [
    'team_id',
    'usergroup_id',
    'handle',
    'name',
    'description',
    'is_deleted',
    'content_hash',
    'raw',
    'updated_at',
  ],
  key: ['team_id', 'usergroup_id'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'usergroups'>;

const channelTarget = {
  table: 'channels',
  columns: [
    'team_id',
    'channel_id',
    'name',
    'kind',
    'is_archived',
    'is_member',
    'topic',
    'purpose',
    'content_hash',
    'raw',
    'updated_at',
    'exported_at',
  ],
  key: ['team_id', 'channel_id'],
  onConflict: 'replace',
} as const satisfies WriteTarget<'channels'>;

/** The repository of one database, for any of its connections and transactions. */
export function directoryRepository(dialect: Dialect): (db: Kysely<Schema>) => DirectoryRepository {
  return (db) => ({
    findWorkspace: (teamId) => db.selectFrom('workspaces').selectAll().where('team_id', '=', teamId).executeTakeFirst(),

    listWorkspaces: () => db.selectFrom('workspaces').selectAll().orderBy('team_id').execute(),

    async saveWorkspace(row) {
      await db
        .insertInto('workspaces')
        .values({ ...row, users_synced_at: null })
        .onConflict((conflict) =>
          conflict
            .column('team_id')
            .doUpdateSet((eb) => ({
              name: eb.ref('excluded.name'),
              domain: eb.ref('excluded.domain'),
              url: eb.ref('excluded.url'),
              enterprise_id: eb.ref('excluded.enterprise_id'),
              updated_at: eb.ref('excluded.updated_at'),
            }))
            .where((eb) =>
              eb.or(
                (['name', 'domain', 'url', 'enterprise_id'] as const).map((column) =>
                  eb(`workspaces.${column}`, 'is distinct from', eb.ref(`excluded.${column}`)),
                ),
              ),
            ),
        )
        .execute();
    },

    async markUsersSynced(teamId, at) {
      await db.updateTable('workspaces').set({ users_synced_at: at }).where('team_id', '=', teamId).execute();
    },

    async listUserIds(teamId) {
      const rows = await db.selectFrom('users').select('user_id').where('team_id', '=', teamId).execute();
      return rows.map(({ user_id }) => user_id);
    },

    async findUsers(teamId, userIds) {
      const rows = await db
        .selectFrom('users')
        .selectAll()
        .where('team_id', '=', teamId)
        .where(dialect.isAnyOf('user_id', userIds))
        .execute();
      return new Map(rows.map((row) => [row.user_id, row]));
    },

    writeUsers: (rows) => dialect.writeRows(db, userTarget, rows),

    async addUserPlaceholders(teamId, userIds, now) {
      const rows = userIds.map((userId) => placeholder(teamId, userId, now));
      await dialect.writeRows(db, { ...userTarget, onConflict: 'keep' }, rows);
    },

    async listPendingUserIds(teamId) {
      const rows = await db
        .selectFrom('users')
        .select('user_id')
        .where('team_id', '=', teamId)
        .where('lookup', '=', 'pending')
        .orderBy('updated_at')
        .orderBy('user_id')
        .execute();
      return rows.map(({ user_id }) => user_id);
    },

    async markUserUnknown(teamId, userId, code, now) {
      await db
        .updateTable('users')
        .set({ lookup: code, updated_at: now })
        .where('team_id', '=', teamId)
        .where('user_id', '=', userId)
        .execute();
    },

    async findUsergroups(teamId, ids) {
      const rows = await db
        .selectFrom('usergroups')
        .selectAll()
        .where('team_id', '=', teamId)
        .where(dialect.isAnyOf('usergroup_id', ids))
        .execute();
      return new Map(rows.map((row) => [row.usergroup_id, row]));
    },

    writeUsergroups: (rows) => dialect.writeRows(db, usergroupTarget, rows),

    async findChannels(teamId, ids) {
      const rows = await db
        .selectFrom('channels')
        .selectAll()
        .where('team_id', '=', teamId)
        .where(dialect.isAnyOf('channel_id', ids))
        .execute();
      return new Map(rows.map((row) => [row.channel_id, row]));
    },

    listChannelsExcept: (teamId, ids) =>
      db
        .selectFrom('channels')
        .selectAll()
        .where('team_id', '=', teamId)
        .where((eb) => eb.not(dialect.isAnyOf('channel_id', ids)))
        .execute(),

    writeChannels: (rows) => dialect.writeRows(db, channelTarget, rows),

    async findReadToArchiving(teamId, ids) {
      const rows = await db
        .selectFrom('ingestion_state')
        .innerJoin('messages', (join) =>
          join
            .onRef('messages.team_id', '=', 'ingestion_state.team_id')
            .onRef('messages.channel_id', '=', 'ingestion_state.channel_id')
            .onRef('messages.ts', '=', 'ingestion_state.last_ts'),
        )
        .select('ingestion_state.channel_id')
        .where('ingestion_state.team_id', '=', teamId)
        .where(dialect.isAnyOf('ingestion_state.channel_id', ids))
        .where('messages.subtype', 'in', ['channel_archive', 'group_archive'])
        .execute();
      return new Set(rows.map(({ channel_id }) => channel_id));
    },

    listAliases: (teamId) => db.selectFrom('channel_aliases').selectAll().where('team_id', '=', teamId).execute(),

    addAliases: (rows) => dialect.writeRows(db, aliasTarget, rows),

    hasContent: (teamId, channelId) => hasContent(db, teamId, channelId),

    moveChannel: (teamId, move, now) => moveContent(db, teamId, move, now),

    dropChannel: (teamId, channelId) => dropContent(db, teamId, channelId),
  });
}

function placeholder(teamId: string, userId: string, now: IsoTime): UserRow {
  return {
    team_id: teamId,
    user_id: userId,
    name: null,
    real_name: null,
    display_name: null,
    email: null,
    tz: null,
    is_bot: null,
    is_deleted: null,
    lookup: 'pending',
    content_hash: null,
    raw: null,
    updated_at: now,
    exported_at: null,
  };
}
