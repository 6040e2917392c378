/**
 * The export that Slack would make of a stand-in workspace at this moment: the messages that its API shows, with what an
 * export adds and leaves out, in day files cut at midnight in Los Angeles.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { JsonObject, JsonValue, ListedKind } from '../../src/model.ts';
import type { Channel } from '../stand-in/channel.ts';
import { renderUser, type User } from '../stand-in/people.ts';
import type { Workspace } from '../stand-in/workspace.ts';
import { dayOf, type ExportFile, renderChannel, slackJson, writeExportFolder } from './make-export.ts';

const zone = 'America/Los_Angeles';

const lists: Record<ListedKind, string> = { public: 'channels', private: 'groups', im: 'dms', mpim: 'mpims' };

/** The files of an export of these channels, by default all that the workspace has, whoever may see them. */
export function exportWorld(
  workspace: Workspace,
  channels: readonly Channel[] = [...workspace.channels.values()],
): ExportFile[] {
  const files: ExportFile[] = [];
  for (const [kind, list] of Object.entries(lists)) {
    const listed = channels.filter((channel) => channel.kind === kind).map(listedChannel);
    files.push({ path: `${list}.json`, content: slackJson(listed) });
  }
  // Of people who belong elsewhere there is nothing but their messages.
  const users = [...workspace.users.values()].filter(({ kind }) => kind !== 'external');
  files.push({ path: 'users.json', content: slackJson(users.map((user) => listedUser(workspace, user))) });
  for (const channel of channels) {
    const days = new Map<string, JsonObject[]>();
    for (const message of channel.expectedMessages()) {
      const day = dayOf(String(message['ts']), zone);
      days.set(day, [...(days.get(day) ?? []), exportedMessage(channel, message)]);
    }
    for (const [day, messages] of days) files.push({ path: dayFile(channel, day), content: slackJson(messages) });
  }
  return files;
}

/** The path of the file that holds a day (YYYY-MM-DD, in Los Angeles) of a channel. */
export function dayFile(channel: Channel, day: string): string {
  return `${channel.kind === 'im' ? channel.id : channel.name}/${day}.json`;
}

/** Writes the files into a folder that is removed when the test ends; returns its path. */
export function exportFolder(files: readonly ExportFile[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-export-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeExportFolder(folder, files);
  return folder;
}

function listedUser({ domain }: Workspace, user: User): JsonObject {
  return renderUser(user, domain, true);
}

function listedChannel({ id, name, kind, members, isArchived, created, creator, topic, purpose }: Channel): JsonObject {
  const said = (value: string): JsonObject => ({ value, creator: value === '' ? '' : creator, last_set: 0 });
  return renderChannel({
    id,
    name,
    kind: kind === 'im' ? 'dm' : kind,
    members: [...members],
    isArchived,
    raw: kind === 'im' ? { created } : { created, creator, topic: said(topic), purpose: said(purpose) },
  });
}

function exportedMessage(channel: Channel, { subscribed: _, ...message }: JsonObject): JsonObject {
  const author = channel.workspace.users.get(String(message['user']));
  const described = author === undefined || message['subtype'] !== undefined ? {} : authorIn(author);
  return { ...message, ...described, ...repliesOf(channel, message) };
}

function authorIn({ teamId, name, realName }: User): JsonObject {
  return {
    user_team: teamId,
    source_team: teamId,
    user_profile: { name, real_name: realName, display_name: name, team: teamId, is_restricted: false },
  };
}

/** Since 2020 only exports list the replies in their root. */
function repliesOf({ store }: Channel, { ts }: JsonObject): JsonObject {
  const found = store.get(String(ts));
  if (found.thread?.root !== found || found.thread.replies.length === 0) return {};
  const replies: JsonValue = found.thread.replies.map((reply) => ({ user: reply.author, ts: reply.ts }));
  return { replies };
}
