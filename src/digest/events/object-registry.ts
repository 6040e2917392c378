/** The names that one object goes by, where somebody has written them down. */
import * as z from 'zod';
import { similarity } from './similarity.ts';

/** The file that `digest.objects` names. */
export const registrySchema = z.strictObject({
  objects: z.record(
    z.string().regex(/^[a-z0-9_]+\.[a-z0-9_]+$/, 'must be two words such as wallet.stocks'),
    z.array(z.string().min(1)),
  ),
});

export interface ObjectRegistry {
  /** The id of the object that goes by this name, or by one very like it; null for one that is not listed. */
  lookUp(name: string): string | null;
}

export const noObjects: ObjectRegistry = { lookUp: () => null };

/** Names less alike are of two objects. */
const likeness = 0.9;

/** The registry of a file that was read and checked. */
export function objectRegistry({ objects }: z.output<typeof registrySchema>): ObjectRegistry {
  const names = Object.entries(objects).flatMap(([id, synonyms]) => synonyms.map((name) => ({ id, name: fold(name) })));
  return {
    lookUp(name) {
      const wanted = fold(name);
      const exact = names.find((known) => known.name === wanted);
      if (exact !== undefined) return exact.id;
      let best: { id: string; ratio: number } | null = null;
      for (const known of names) {
        const ratio = similarity(known.name, wanted);
        if (ratio >= likeness && (best === null || ratio > best.ratio)) best = { id: known.id, ratio };
      }
      return best?.id ?? null;
    },
  };
}

function fold(name: string): string {
  return name.trim().toLowerCase();
}
