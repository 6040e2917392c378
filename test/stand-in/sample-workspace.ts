import type { JsonObject } from '../../src/model.ts';
import type { Channel, MessageFields } from './channel.ts';
import { tsFromMicros } from './clock.ts';
import { Random } from './random.ts';
import * as talk from './sample-talk.ts';
import type { Workspace } from './workspace.ts';
import { World } from './world.ts';

export interface SampleOptions {
  seed?: number;
  /** The last message is minutes older. Default: the present. */
  now?: Date | number;
}

export interface Sample {
  world: World;
  workspace: Workspace;
  token: string;
}

const PEOPLE = [
  'Ada Lindqvist',
  'Bram de Vries',
  'Chiara Rossi',
  'Daniel Okafor',
  'Eva Horváth',
  'Farid Haddad',
  'Greta Nilsen',
  'Hugo Martins',
  'Ines Keller',
  'Jonas Wolf',
  'Kaja Novak',
  'Liam Byrne',
  'Mei Tanaka',
  'Noor Bakker',
  'Oskar Lund',
  'Priya Raman',
  'Quentin Moreau',
  'Rosa Delgado',
  'Sami Virtanen',
  'Tess Jansen',
] as const;
const REACTIONS = ['+1', 'tada', 'eyes', 'heart', 'joy', 'white_check_mark', '+1::skin-tone-4', 'rocket', 'tidewater'];
const HOUR_MICROS = 3_600_000_000;
const DAY_MICROS = 24 * HOUR_MICROS;

/** One thing said, before it is known in which order everything is said. */
interface Line {
  channel: Channel;
  micros: number;
  fields: MessageFields;
  /** The line it answers. */
  root?: Line;
  broadcast?: boolean;
  ts?: string;
}

/** A month in the life of a small company: the same for the same seed and moment. */
export function sampleWorkspace(options: SampleOptions = {}): Sample {
  const now = Math.floor(Number(options.now ?? Date.now()) / 1000) * 1000;
  const founded = now - 400 * 86_400_000;
  const world = new World({ start: founded });
  const workspace = world.workspace('T0TIDEWATER', { name: 'Tidewater', domain: 'tidewater' });
  workspace.emoji.set('tidewater', 'https://emoji.slack-edge.com/T0TIDEWATER/tidewater/5f2a.png');
  const cast = hire(workspace);
  const script = new Script(new Random(options.seed ?? 1), now * 1000, cast);
  writeMonth(script, openChannels(workspace, cast, founded / 1000));
  perform(script.lines);
  world.clock.advance((now - world.clock.now) / 1000);
  return { world, workspace, token: workspace.botToken };
}

interface Cast {
  people: string[];
  former: string;
  stranger: string;
  deployBot: string;
}

function hire(workspace: Workspace): Cast {
  const people = PEOPLE.map((realName) => {
    const name = realName
      .toLowerCase()
      .normalize('NFD')
      .replaceAll(/[^a-z ]/g, '')
      .replaceAll(' ', '.');
    return workspace.user(name, { realName }).id;
  });
  const former = workspace.user('victor.stein', { realName: 'Victor Stein', kind: 'deleted' }).id;
  const deployBot = workspace.user('deploybot', {
    realName: 'Deploy Bot',
    kind: 'bot',
    botId: 'B0DEPLOY',
    appId: 'A0DEPLOY',
  }).id;
  workspace.user('wanda.guest', { realName: 'Wanda Olsen', kind: 'guest' });
  const stranger = workspace.user('pat.northwind', {
    realName: 'Pat Quinn',
    kind: 'external',
    teamId: 'T0NORTHWIND',
  }).id;
  workspace.usergroup('oncall', people.slice(0, 4), { name: 'On call' });
  workspace.usergroup('design-team', people.slice(6, 9), { name: 'Design' });
  return { people, former, stranger, deployBot };
}

interface Rooms {
  general: Channel;
  random: Channel;
  engineering: Channel;
  support: Channel;
  sales: Channel;
  design: Channel;
  incidents: Channel;
  deploys: Channel;
  hiring: Channel;
  northwind: Channel;
  atlas: Channel;
  coffee: Channel;
  direct: Channel;
  group: Channel;
}

function openChannels(workspace: Workspace, { people, stranger }: Cast, created: number): Rooms {
  const open = (name: string, purpose: string, more: Parameters<Workspace['channel']>[1] = {}): Channel =>
    workspace.channel(name, { purpose, created, members: people, ...more });
  const [ada = '', bram = '', chiara = ''] = people;
  return {
    general: open('general', 'Company-wide announcements'),
    random: open('random', 'Anything that is not work'),
    engineering: open('engineering', 'Building the router', { topic: 'Freeze starts on Friday' }),
    support: open('support', 'Questions from customers'),
    sales: open('sales', 'Leads, offers, contracts', { previousNames: ['business'] }),
    design: open('design', 'How it looks and reads', { members: people.slice(4, 14) }),
    incidents: open('incidents', 'Only while something burns', { topic: 'Runbook: wiki/incidents' }),
    deploys: open('deploys', 'What went live'),
    hiring: open('hiring', 'Candidates, confidential', { kind: 'private', members: people.slice(0, 6) }),
    northwind: open('ext-northwind', 'Shared with Northwind Pharmacy', {
      isExternallyShared: true,
      members: [...people.slice(8, 14), stranger],
    }),
    atlas: open('project-atlas', 'The old route planner', { isArchived: true }),
    coffee: open('coffee-club', 'Beans', { isMember: false, members: people.slice(2, 9) }),
    direct: open('', '', { kind: 'im', members: [ada] }),
    group: open('mpdm-ada.lindqvist--bram.de.vries--chiara.rossi-1', '', {
      kind: 'mpim',
      members: [ada, bram, chiara],
    }),
  };
}

class Script {
  readonly lines: Line[] = [];
  readonly random: Random;
  readonly cast: Cast;
  readonly #end: number;
  readonly #decks = new Map<readonly string[], string[]>();

  constructor(random: Random, end: number, cast: Cast) {
    this.random = random;
    this.#end = end;
    this.cast = cast;
  }

  /** Says something so many days before the end, mostly in office hours. */
  say(channel: Channel, daysAgo: number, fields: MessageFields): Line {
    const { random } = this;
    const midnight = Math.floor((this.#end - daysAgo * DAY_MICROS) / DAY_MICROS) * DAY_MICROS;
    const hour = random.chance(0.92) ? 7 + random.next() * 10 : random.next() * 24;
    const micros = Math.floor(midnight + hour * HOUR_MICROS);
    const line: Line = { channel, micros: micros < this.#end - HOUR_MICROS ? micros : micros - DAY_MICROS, fields };
    this.lines.push(line);
    return line;
  }

  /** Answers later than the root and never in the future. */
  answer(root: Line, hoursLater: number, fields: MessageFields, broadcast = false): Line {
    const wanted = hoursLater * HOUR_MICROS;
    const left = this.#end - root.micros;
    const micros = Math.floor(root.micros + (wanted < left ? wanted : left * (0.1 + this.random.next() * 0.8)));
    const line: Line = { channel: root.channel, micros, fields, root, broadcast };
    this.lines.push(line);
    return line;
  }

  /** One of the sentences, none again before all were used. */
  draw(sentences: readonly string[]): string {
    let deck = this.#decks.get(sentences) ?? [];
    if (deck.length === 0) deck = [...sentences];
    const [drawn = ''] = deck.splice(this.random.below(deck.length), 1);
    this.#decks.set(sentences, deck);
    return drawn;
  }

  words(template: string): string {
    return talk.fill(template, this.random, this.cast.people);
  }
}

function writeMonth(script: Script, rooms: Rooms): void {
  const plans: [Channel, talk.Subject, openers: number, members: readonly string[]][] = [
    [rooms.general, talk.office, 55, membersOf(rooms.general)],
    [rooms.random, talk.chatter, 130, membersOf(rooms.random)],
    [rooms.engineering, talk.engineering, 170, membersOf(rooms.engineering)],
    [rooms.support, talk.support, 120, membersOf(rooms.support)],
    [rooms.sales, talk.sales, 75, membersOf(rooms.sales)],
    [rooms.design, talk.design, 45, membersOf(rooms.design)],
    [rooms.incidents, talk.incidents, 24, membersOf(rooms.incidents)],
    [rooms.hiring, talk.hiring, 18, membersOf(rooms.hiring)],
    [rooms.northwind, talk.support, 30, membersOf(rooms.northwind)],
    [rooms.coffee, talk.chatter, 12, membersOf(rooms.coffee)],
    [rooms.direct, talk.hiring, 6, membersOf(rooms.direct)],
    [rooms.group, talk.sales, 10, membersOf(rooms.group)],
  ];
  for (const [channel, subject, openers, members] of plans) {
    for (let index = 0; index < openers; index += 1) {
      converse(script, channel, subject, members, script.random.next() * 30);
    }
  }
  for (let index = 0; index < 20; index += 1) {
    converse(
      script,
      rooms.atlas,
      talk.engineering,
      membersOf(rooms.atlas),
      200 + script.random.next() * 60,
      script.cast.former,
    );
  }
  for (let index = 0; index < 60; index += 1) deploy(script, rooms.deploys, index);
  for (let index = 0; index < 9; index += 1) alert(script, rooms.incidents, index);
  oddities(script, rooms);
}

function membersOf(channel: Channel): string[] {
  return [...channel.members].filter((member) => member !== channel.workspace.bot.id);
}

function converse(
  script: Script,
  channel: Channel,
  subject: talk.Subject,
  members: readonly string[],
  daysAgo: number,
  speaker?: string,
): void {
  const { random } = script;
  const author = speaker ?? random.pick(members);
  const tail = random.chance(0.5) ? ` ${random.pick(subject.tails)}` : '';
  const text = script.words(script.draw(subject.openers) + tail);
  const root = script.say(channel, daysAgo, { user: author, text, ...trimmings(script, members) });
  if (!random.chance(0.42)) return;
  const answers = 1 + Math.floor(random.next() ** 2 * 7);
  let hours = 0;
  for (let index = 0; index < answers; index += 1) {
    // Now and then somebody comes back to a thread days later.
    hours += random.chance(0.06) ? 24 * (2 + random.below(9)) : 0.02 + random.next() * 1.5;
    const user = random.pick(members);
    const words = script.words(script.draw(subject.answers));
    script.answer(root, hours, { user, text: words, ...trimmings(script, members) }, random.chance(0.04));
  }
}

/** Reactions, edits and files, where a message has some. */
function trimmings(script: Script, members: readonly string[]): JsonObject {
  const { random } = script;
  const reactions = random.chance(0.16)
    ? { reactions: [{ name: random.pick(REACTIONS), ...reactors(script, members) }] }
    : {};
  return { ...reactions, ...(random.chance(0.03) ? { files: [file(random, random.pick(members))] } : {}) };
}

function reactors({ random }: Script, members: readonly string[]): JsonObject {
  const users = [...new Set(Array.from({ length: 1 + random.below(4) }, () => random.pick(members)))];
  return { users, count: users.length };
}

function file(random: Random, user: string): JsonObject {
  const [name, mimetype, filetype] = random.pick([
    ['route-map.png', 'image/png', 'png'],
    ['offer.pdf', 'application/pdf', 'pdf'],
    ['stops.csv', 'text/csv', 'csv'],
  ] as const);
  const id = `F0${random
    .below(2 ** 31)
    .toString(36)
    .toUpperCase()
    .padStart(7, '0')}`;
  const base = `https://files.slack.com/files-pri/T0TIDEWATER-${id}`;
  return {
    id,
    name,
    title: name,
    mimetype,
    filetype,
    user,
    size: 2_000 + random.below(900_000),
    mode: 'hosted',
    is_external: false,
    is_public: true,
    url_private: `${base}/${name}`,
    url_private_download: `${base}/download/${name}`,
    permalink: `https://tidewater.slack.com/files/${user}/${id}/${name}`,
    file_access: 'visible',
  };
}

/** An app that says everything in blocks and leaves `text` empty. */
function deploy(script: Script, channel: Channel, index: number): void {
  const what = script.words('*{service}* {version} to production');
  script.say(channel, script.random.next() * 30, {
    user: script.cast.deployBot,
    bot_id: 'B0DEPLOY',
    app_id: 'A0DEPLOY',
    team: channel.workspace.id,
    text: '',
    bot_profile: {
      id: 'B0DEPLOY',
      app_id: 'A0DEPLOY',
      name: 'Deploy Bot',
      deleted: false,
      team_id: channel.workspace.id,
    },
    blocks: [
      { type: 'section', block_id: `d${index}`, text: { type: 'mrkdwn', text: `:package: ${what}`, verbatim: false } },
      {
        type: 'context',
        block_id: `c${index}`,
        elements: [{ type: 'mrkdwn', text: script.words('by {person}, ticket {ticket}'), verbatim: false }],
      },
    ],
  });
}

/** An old-style webhook: no user, the content in an attachment. */
function alert(script: Script, channel: Channel, index: number): void {
  const line = script.words('{service} error rate {percent}% in {city}');
  script.say(channel, script.random.next() * 30, {
    subtype: 'bot_message',
    bot_id: 'B0ALERTS',
    username: 'alerts',
    text: '',
    attachments: [{ id: 1, color: 'a30200', fallback: line, title: `Alert ${index + 1}`, text: line }],
  });
}

/** One of each of the rare things real workspaces hold. */
function oddities(script: Script, rooms: Rooms): void {
  const { people, former, stranger } = script.cast;
  const [ada = '', bram = '', chiara = ''] = people;
  script.say(rooms.general, 29, { subtype: 'channel_join', user: chiara, text: `<@${chiara}> has joined the channel` });
  script.say(rooms.engineering, 12, {
    subtype: 'channel_topic',
    user: ada,
    topic: 'Freeze starts on Friday',
    text: 'set the channel topic: Freeze starts on Friday',
  });
  script.say(rooms.sales, 20, {
    subtype: 'channel_name',
    user: bram,
    old_name: 'business',
    name: 'sales',
    text: 'has renamed the channel from "business" to "sales"',
  });
  script.say(rooms.random, 8, { subtype: 'me_message', user: bram, text: 'is off to catch the ferry' });
  script.say(rooms.general, 380, { user: former, text: 'So long, and thanks for all the bikes 🚲' });
  script.say(rooms.northwind, 3, { user: stranger, text: 'The cold boxes arrived at 4°C, thank you!' });
  script.say(rooms.general, 5, {
    user: ada,
    text: 'The photo of the summer party is up',
    reactions: [{ name: 'heart', users: people.slice(0, 18), count: 61 }],
  });
  script.say(rooms.engineering, 6, {
    subtype: 'huddle_thread',
    user: 'USLACKBOT',
    text: 'A huddle started',
    room: {
      id: 'R0HUDDLE',
      created_by: chiara,
      participants: [chiara, bram],
      date_start: 1,
      date_end: 2,
      has_ended: true,
    },
  });
  const old = script.say(rooms.engineering, 150, { user: bram, text: 'Should we cache geocoding results?' });
  script.answer(old, 149 * 24, { user: ada, text: 'We do now, five months later :turtle:' });
}

/** Posts everything in the order it was said, no two at the same moment, then edits and deletes a little. */
function perform(lines: Line[]): void {
  lines.sort((a, b) => a.micros - b.micros);
  let previous = 0;
  for (const line of lines) {
    previous = Math.max(line.micros, previous + 1);
    line.ts = tsFromMicros(previous);
    const fields = { ...line.fields, ts: line.ts };
    if (line.root?.ts === undefined) line.channel.post(fields);
    else line.channel.reply(line.root.ts, fields, { broadcast: line.broadcast ?? false });
  }
  lines.forEach((line, index) => {
    if (index % 31 === 7 && typeof line.fields.text === 'string' && !('subtype' in line.fields)) amend(line);
  });
  const roots = [...new Set(lines.flatMap((line) => (line.root === undefined ? [] : [line.root])))];
  for (const root of roots.slice(20, 22)) root.channel.deleteMessage(root.ts ?? '');
}

/** An edit two minutes later; the clock of the world still stands before the first message, so the moment is given. */
function amend(line: Line): void {
  const ts = tsFromMicros(Math.floor(line.micros / 1_000_000 + 120) * 1_000_000);
  line.channel.change(line.ts ?? '', (before) => ({ ...before, edited: { user: before.user ?? '', ts } }));
}
