/** Which conversation a name means that stands in a path or around messages, by the lists and folders of one export. */
import { isChannelId } from '../export/records.ts';
import { otherSpellings } from '../export/spellings.ts';

/** A conversation as the lists of the export name it. */
export interface Listed {
  id: string;
  name: string | null;
}

/** More than one conversation is called so. */
export const several = Symbol('several');

export class ConversationNames {
  readonly #ids: ReadonlySet<string>;
  readonly #byName = new Map<string, { name: string; ids: Set<string> }>();
  readonly #folders: ReadonlySet<string>;

  /** `folders`: those with day files. */
  constructor(listed: readonly Listed[], folders: Iterable<string>) {
    this.#ids = new Set(listed.map(({ id }) => id));
    this.#folders = new Set(folders);
    for (const { id, name } of listed) {
      if (name === null) continue;
      const same = this.#byName.get(fold(name)) ?? { name, ids: new Set() };
      same.ids.add(id);
      this.#byName.set(fold(name), same);
    }
  }

  /** The id of the conversation, or the folder with its day files when no list names it; null for a name that means none. */
  find(name: string): string | typeof several | null {
    if (this.#ids.has(name) || isChannelId(name)) return name;
    const [id, ...others] = this.#byName.get(fold(this.respelled(name) ?? name))?.ids ?? [];
    if (id !== undefined) return others.length > 0 ? several : id;
    return this.#folders.has(name) ? name : null;
  }

  /**
   * The one name of the lists that came out with these other letters on its way through programs; null when a list holds the name
   * itself, or none.
   */
  respelled(name: string): string | null {
    if (this.#byName.has(fold(name))) return null;
    const [only, other] = new Set(
      otherSpellings(name).flatMap((spelling) => this.#byName.get(fold(spelling))?.name ?? []),
    );
    return other === undefined ? (only ?? null) : null;
  }
}

/** File systems write one accented letter in two ways, and some do not tell capitals apart. */
function fold(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
