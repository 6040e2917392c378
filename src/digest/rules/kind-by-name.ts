/** What kind of event it is by the name of the thing. */
import { anyKind, type Kind, kinds } from './vocabulary.ts';

/** Of what has a version for a name, we are told when it is released. */
const release = /^(?:\S+ )?v?\d+(?:\.\d+)+(?:[- ]?(?:rc|beta|alpha|final)\.?\d*)?$|^(?:rc|beta)[- ]?\d+$/i;
const launchKind = kinds.find(({ action }) => action === 'Launch') ?? anyKind;
const deployKind = kinds.find(({ action }) => action === 'Deploy') ?? anyKind;

/** What has a version for a name is released, and a fix is deployed, whichever verb tells of it. */
export function kindOf(kind: Kind, object: string): Kind {
  if (kind.action === 'Other' && release.test(object)) return launchKind;
  return kind.action === 'Launch' && /\b(?:fix|patch|hotfix)$/i.test(object) ? deployKind : kind;
}
