/**
 * Which workspace an export is of. It does not say, but its conversations, its people, its messages and the addresses of its
 * files do; and where channels are shared with other companies (Slack Connect), all of these tell of the others too, which may
 * be more and write more. So what only the own workspace can have counts first, and numbers only where one clearly beats.
 */
import type { JsonObject, JsonValue } from '../model.ts';

/** `strong`: by what no other company has in an export; `likely`: one clearly beats the others; `none`: nobody can tell. */
export type Certainty = 'strong' | 'likely' | 'none';

/** A workspace that it may be of, with what points to it, for the person who has to say. */
export interface Candidate {
  teamId: string;
  why: string;
}

export class WorkspaceEvidence {
  /** The workspace that asked Slack for a conversation, as the API's objects have it. */
  readonly #contexts = new Counts();
  /** Where messages of other companies were read. */
  readonly #readers = new Counts();
  /** Workspaces of conversations that are shared with nobody. */
  readonly #unshared = new Counts();
  /** Of those who own or administer it: Slack says that of one's own people only. */
  readonly #owners = new Counts();
  /** Authors in the channel that everybody is in, which cannot be shared with another company. */
  readonly #general = new Counts();
  /** Where all people of an organisation's workspace are. */
  readonly #memberships = new Counts();
  #withMemberships = 0;
  readonly #users = new Counts();
  /** By author's workspace, the folders in which it wrote. */
  readonly #folders = new Map<string, Set<string>>();
  readonly #messages = new Counts();
  readonly #files = new Counts();
  readonly #domains = new Counts();
  /** Organisations in the place of a workspace. */
  readonly #organisations = new Counts();
  /** `<enterprise> <team>` of people. */
  readonly #enterprises = new Counts();
  readonly #generalNames = new Set<string>();

  addChannel(channel: JsonObject): void {
    this.#addTeam(this.#contexts, channel['context_team_id']);
    if (channel['is_general'] === true && typeof channel['name'] === 'string') this.#generalNames.add(channel['name']);
    const sharing = [channel['shared_team_ids'], channel['internal_team_ids']].flatMap((ids) =>
      Array.isArray(ids) ? ids : [],
    );
    const teams = new Set(sharing.filter(isTeamId));
    if (teams.size === 1 && channel['is_ext_shared'] !== true) this.#addTeam(this.#unshared, [...teams][0]);
  }

  /** People from elsewhere stand in the list too where channels are shared with other workspaces. */
  addUser(user: JsonObject): void {
    const { team_id: team, enterprise_user: enterprise } = user;
    if (user['is_stranger'] === true) return;
    this.#addTeam(this.#users, team);
    const isOwner = [user['is_primary_owner'], user['is_owner'], user['is_admin']].includes(true);
    if (isOwner) this.#addTeam(this.#owners, team);
    const { enterprise_id, teams } = objectOf(enterprise);
    const memberships = Array.isArray(teams) ? teams.filter(isTeamId) : [];
    for (const one of memberships) this.#memberships.add(one);
    if (memberships.length > 0) this.#withMemberships += 1;
    if (!isOrganisationId(enterprise_id)) return;
    for (const one of [team, ...memberships]) if (isTeamId(one)) this.#enterprises.add(`${enterprise_id} ${one}`);
    this.#enterprises.add(`${enterprise_id} -`);
  }

  /** `user_team` and `source_team` are of the author; where `team` is another one, it is that of the reader. */
  addMessage(message: JsonObject, folder = ''): void {
    const { team, user_team, source_team, user_profile } = message;
    const author = [user_team, source_team, objectOf(user_profile)['team'], team].find(isTeamId);
    if (isTeamId(team) && author !== team) this.#readers.add(team);
    if (isOrganisationId(team)) this.#organisations.add(team);
    if (author === undefined) return;
    this.#messages.add(author);
    const known = this.#folders.get(author) ?? new Set();
    this.#folders.set(author, known.add(folder));
    if (this.#generalNames.has(folder)) this.#general.add(author);
  }

  /** Addresses of files hold the team's id, links to messages and files its domain; in JSON `/` may be escaped. */
  addText(text: string): void {
    for (const [, id = ''] of text.matchAll(/files-(?:pri|tmb)\\?\/(T[A-Z0-9]{6,})-/g)) this.#files.add(id);
    for (const [, domain = ''] of text.matchAll(
      /https:\\?\/\\?\/([a-z0-9][a-z0-9-]*)\.slack\.com\\?\/(?:files|archives)\\?\//g,
    )) {
      if (domain !== 'files') this.#domains.add(domain);
    }
  }

  /** Null where nobody can tell. */
  get teamId(): string | null {
    return this.#strong[0] ?? this.#likely;
  }

  get certainty(): Certainty {
    if (this.teamId === null) return 'none';
    return new Set(this.#strong).size === 1 ? 'strong' : 'likely';
  }

  /** What else it points to, the weightiest first. */
  get otherTeamIds(): string[] {
    return this.#all.filter((id) => id !== this.teamId);
  }

  get candidates(): Candidate[] {
    const teams = this.#all.map((teamId) => ({ teamId, why: this.#whyOf(teamId) }));
    const organisations = this.#organisations.byNumber.map((teamId) => ({ teamId, why: 'the whole organisation' }));
    return teams.length > 0 ? teams : organisations;
  }

  /** The organisation that the workspace is part of. */
  get enterpriseId(): string | null {
    const team = this.teamId ?? '-';
    const own = this.#enterprises.byNumber.find((key) => key.endsWith(` ${team}`));
    return own?.split(' ')[0] ?? null;
  }

  /** The organisation that shares what is of no single workspace. */
  get organisationId(): string | null {
    return this.#enterprises.byNumber[0]?.split(' ')[0] ?? this.#organisations.byNumber[0] ?? null;
  }

  /** `acme` of `acme.slack.com`; null where links to other workspaces are about as many. */
  get domain(): string | null {
    return this.#domains.leader;
  }

  get #strong(): string[] {
    const everywhere = this.#memberships.byNumber.filter((id) => this.#memberships.of(id) === this.#withMemberships);
    const unanimous = [this.#contexts, this.#unshared, this.#owners, this.#general].map(({ only }) => only);
    return [...unanimous, everywhere.length === 1 ? everywhere[0] : null].filter((id) => typeof id === 'string');
  }

  get #likely(): string | null {
    const { only, leader } = this.#users;
    const told = this.#contexts.leader ?? this.#readers.leader ?? only;
    if (told !== null) return told;
    const writer = widest(this.#folders);
    // Numbers that contradict each other tell nothing.
    if (leader !== null) return writer === null || writer === leader ? leader : null;
    if (writer !== null) return this.#users.size === 0 || this.#users.of(writer) > 0 ? writer : null;
    return this.#users.size + this.#folders.size === 0 ? this.#files.only : null;
  }

  get #all(): string[] {
    const told = [
      ...[this.#contexts, this.#unshared, this.#owners, this.#readers],
      ...[this.#users, this.#messages, this.#files],
    ];
    return [...new Set(told.flatMap(({ byNumber }) => byNumber))];
  }

  #whyOf(teamId: string): string {
    const folders = this.#folders.get(teamId)?.size ?? 0;
    const parts = [
      counted(this.#contexts.of(teamId), 'conversation', 'conversations'),
      counted(this.#users.of(teamId), 'person', 'people'),
      counted(this.#messages.of(teamId), 'message', 'messages') +
        (folders > 0 ? counted(folders, 'folder', 'folders', ' in ') : ''),
      counted(this.#files.of(teamId), 'file', 'files'),
    ];
    return parts.filter((part) => part !== '').join(', ');
  }

  #addTeam(counts: Counts, value: JsonValue | undefined): void {
    if (isTeamId(value)) counts.add(value);
    else if (isOrganisationId(value)) this.#organisations.add(value);
  }
}

/** The one that wrote in every folder in which any other did, and in more; or alone in by far the most. */
function widest(folders: ReadonlyMap<string, ReadonlySet<string>>): string | null {
  const [first, ...others] = [...folders].sort(([, a], [, b]) => b.size - a.size);
  if (first === undefined || others.length === 0) return first?.[0] ?? null;
  const [team, own] = first;
  const coversAll = others.every(([, theirs]) => theirs.size < own.size && [...theirs].every((one) => own.has(one)));
  const alone = (one: string) => [...folders].filter(([, all]) => all.has(one)).length === 1;
  const numbers = [...folders].map(([, all]) => [...all].filter(alone).length);
  const [ownNumber = 0, ...theirs] = [[...own].filter(alone).length, ...numbers.sort((a, b) => b - a).slice(1)];
  const isAlone = ownNumber >= manyFolders && theirs.every((n) => n * clearly <= ownNumber);
  return coversAll || isAlone ? team : null;
}

/** So many times as many are clearly more. */
const clearly = 4;
const manyFolders = 8;

class Counts {
  readonly #counts = new Map<string, number>();

  add(key: string): void {
    this.#counts.set(key, this.of(key) + 1);
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  get size(): number {
    return this.#counts.size;
  }

  /** Of equally frequent ones the first by name, so that the same export always gives the same. */
  get byNumber(): string[] {
    return [...this.#counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([key]) => key);
  }

  /** Null where there is none, or another. */
  get only(): string | null {
    return this.size === 1 ? (this.byNumber[0] ?? null) : null;
  }

  /** The one that clearly beats all others. */
  get leader(): string | null {
    const [first, second] = this.byNumber;
    if (first === undefined) return null;
    return second === undefined || this.of(first) >= clearly * this.of(second) ? first : null;
  }
}

function counted(n: number, one: string, many: string, before = ''): string {
  return n === 0 ? '' : `${before}${n} ${n === 1 ? one : many}`;
}

function isTeamId(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && /^T[A-Z0-9]{2,30}$/.test(value);
}

function isOrganisationId(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && /^E[A-Z0-9]{2,30}$/.test(value);
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
