/** A workspace that has one of everything and takes some twenty requests to read, so that it can be read hundreds of times. */
import type { Channel } from '../stand-in/channel.ts';
import type { FullPage } from '../stand-in/methods/call.ts';
import type { Workspace } from '../stand-in/workspace.ts';
import { World } from '../stand-in/world.ts';

export interface SmallWorkspace {
  world: World;
  workspace: Workspace;
  token: string;
  channels: Channel[];
}

/** Reaches behind the month that a first run reads at once, so the rest is a hole that is read backwards. */
export const smallBackfillFrom = '2020-01-01';

/** For the stand-in's `thinPages`: histories, threads and users all take several pages. */
export function smallPages({ method, limit }: FullPage): number {
  return { 'conversations.history': 4, 'conversations.replies': 3, 'users.list': 4 }[method] ?? limit;
}

export function smallWorkspace(options: { id?: string; name?: string } = {}): SmallWorkspace {
  const world = new World({ start: Date.now() - 50 * 86_400_000 });
  return addSmallWorkspace(world, options);
}

export function addSmallWorkspace(world: World, { id = 'T0SMALL', name = 'Small' } = {}): SmallWorkspace {
  const workspace = world.workspace(id, { name, domain: name.toLowerCase() });
  const [ada = '', bram = '', chiara = ''] = ['ada', 'bram', 'chiara'].map((person) => workspace.user(person).id);
  const stranger = workspace.user('pat', { kind: 'external' }).id;
  const ghost = 'U0NOBODYKNOWS';
  const general = workspace.channel('general');
  const secrets = workspace.channel('secrets', { kind: 'private' });
  const empty = workspace.channel('empty');

  for (let n = 1; n <= 5; n += 1) general.post({ user: ada, text: `Long ago, number ${n}.` });
  secrets.post({ user: bram, text: 'An old secret.' });
  world.clock.advance(40 * 86_400);

  const release = general.post({ user: ada, text: 'The release is out.' });
  general.react(release, 'tada', [bram, chiara]);
  for (let n = 1; n <= 5; n += 1) general.reply(release, { user: bram, text: `Reply ${n}.` });
  general.post({ user: chiara, text: 'Minutes attached.', files: [file(workspace, 'F0MINUTES', 'minutes.pdf')] });
  general.post({ user: stranger, text: 'Hello from the other side.' });
  const question = general.post({ user: bram, text: 'Who has the key?' });
  general.reply(question, { user: ada, text: 'Me.' });
  const found = general.reply(question, { user: ghost, text: 'Found it, all.' }, { broadcast: true });
  general.reply(question, { user: chiara, text: 'Thanks.', files: [file(workspace, 'F0KEY', 'key.png')] });
  general.react(found, '+1', [ada]);
  general.post({ user: ada, text: 'The same minutes.', files: [file(workspace, 'F0MINUTES', 'minutes.pdf')] });
  const typo = general.post({ user: ada, text: 'Tpyo.' });
  general.edit(typo, { text: 'Typo.' });

  for (let n = 1; n <= 4; n += 1) secrets.post({ user: chiara, text: `Secret ${n}.` });
  const last = secrets.post({ user: bram, text: 'Last one.' });
  secrets.reply(last, { user: bram, text: 'Or not.' });
  return { world, workspace, token: workspace.botToken, channels: [general, secrets, empty] };
}

function file(workspace: Workspace, id: string, name: string) {
  return {
    id,
    name,
    title: name,
    mimetype: 'application/octet-stream',
    size: 3_000_000_000,
    mode: 'hosted',
    created: 1_700_000_000,
    url_private: `https://files.slack.com/files-pri/${workspace.id}-${id}/${name}`,
  };
}
