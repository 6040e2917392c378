import type { Digest } from '../digest/digest.ts';
import { maskSecrets } from '../secrets.ts';
import type { DigestFormat } from './formats.ts';

export function presentDigests(digests: readonly Digest[], _format: DigestFormat, _columns: number): string {
  return maskSecrets(JSON.stringify(digests.length === 1 ? digests[0] : { workspaces: digests }, null, 2));
}
