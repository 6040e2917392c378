/** By what an answer is found again. */
import { createHash } from 'node:crypto';

export interface Question {
  model: string;
  temperature: number;
  schemaVersion: string;
  promptVersion: string;
  system: string;
  user: string;
  chunkIndex: number;
}

/** Of everything that is sent, except how the answer is held to its form, which the endpoint decides and not we. */
export function cacheKey({
  model,
  temperature,
  schemaVersion,
  promptVersion,
  system,
  user,
  chunkIndex,
}: Question): string {
  const parts = [model, temperature, schemaVersion, promptVersion, sha256(system), chunkIndex, sha256(user)];
  return sha256(JSON.stringify(parts));
}

/** In hexadecimal; also how a text is named in logs, which must not tell it. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
