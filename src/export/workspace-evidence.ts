/** Which workspace an export is of: it does not say, but its users, its messages and the addresses of its files do. */
import type { JsonObject } from '../model.ts';

/** Counts what points to a workspace; the most frequent id counts, and users before messages before files. */
export class WorkspaceEvidence {
  readonly #users = new Map<string, number>();
  readonly #messages = new Map<string, number>();
  readonly #files = new Map<string, number>();
  readonly #domains = new Map<string, number>();
  readonly #enterprises = new Map<string, number>();

  /** People from elsewhere stand in the list too where channels are shared with other workspaces. */
  addUser(user: JsonObject): void {
    if (user['is_stranger'] !== true) count(this.#users, idOf(user['team_id']));
    const enterprise = user['enterprise_user'];
    if (typeof enterprise === 'object' && enterprise !== null && !Array.isArray(enterprise)) {
      count(this.#enterprises, idOf(enterprise['enterprise_id']));
    }
  }

  /** `user_team` and `source_team` are of the author, who may be from elsewhere. */
  addMessage(message: JsonObject): void {
    count(this.#messages, idOf(message['team']));
  }

  /** Addresses of files hold the team's id, links to messages and files its domain; in JSON `/` may be escaped. */
  addText(text: string): void {
    for (const [, id] of text.matchAll(/files-(?:pri|tmb)\\?\/(T[A-Z0-9]{6,})-/g)) count(this.#files, id);
    for (const [, domain] of text.matchAll(
      /https:\\?\/\\?\/([a-z0-9][a-z0-9-]*)\.slack\.com\\?\/(?:files|archives)\\?\//g,
    )) {
      if (domain !== 'files') count(this.#domains, domain);
    }
  }

  get teamId(): string | null {
    return mostFrequent(this.#users) ?? mostFrequent(this.#messages) ?? mostFrequent(this.#files);
  }

  /** What else the users, the messages or the files point to most. */
  get otherTeamIds(): string[] {
    const told = [this.#users, this.#messages, this.#files].flatMap((counts) => mostFrequent(counts) ?? []);
    return [...new Set(told)].filter((id) => id !== this.teamId);
  }

  get enterpriseId(): string | null {
    return mostFrequent(this.#enterprises);
  }

  /** `acme` of `acme.slack.com`. */
  get domain(): string | null {
    return mostFrequent(this.#domains);
  }
}

function idOf(value: JsonObject[string] | undefined): string | undefined {
  return typeof value === 'string' && /^[TE][A-Z0-9]{2,30}$/.test(value) ? value : undefined;
}

function count(counts: Map<string, number>, key: string | undefined): void {
  if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Of equally frequent ones the first by name, so that the same export always gives the same. */
function mostFrequent(counts: ReadonlyMap<string, number>): string | null {
  const [first] = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return first?.[0] ?? null;
}
