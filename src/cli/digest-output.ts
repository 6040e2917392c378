import type { Digest } from '../digest/digest.ts';
import type { DigestFormat } from '../output/formats.ts';
import { maskSecrets } from '../secrets.ts';
import type { GlobalFlags, Process } from './context.ts';

export function presentDigests(
  digests: readonly Digest[],
  _format: DigestFormat,
  _process: Process,
  _flags: GlobalFlags,
): string {
  return maskSecrets(JSON.stringify(digests.length === 1 ? digests[0] : { workspaces: digests }, null, 2));
}
