/**
 * Opens what was listed as a file, and nothing that was put in its place since: a FIFO would hold the program until somebody
 * writes into it, deaf to signals; a symbolic link would lead out of the export; a device has no end.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, type PathLike, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ArchiveFileError } from './archive.ts';

/** A file that is open, as it was then. Close `fd`. */
export interface OpenedFile {
  fd: number;
  stats: Stats;
}

/** Of a file of the machine. Follows links, since the person named the path. Throws what the system says, or `ArchiveFileError`. */
export function openNamed(path: string): OpenedFile {
  return openChecked(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** A folder of the machine, and which one it was when it was listed. */
export interface Root {
  address: string;
  identity: string;
}

/**
 * Of a file inside a folder: neither it nor a folder on the way to it may be a link. `stored` is its path as the file system has it,
 * see `ArchiveFile`. Throws `ArchiveFileError`.
 */
export function openWithin(root: Root, { path, stored }: { path: string; stored?: string | undefined }): OpenedFile {
  try {
    const way = wayTo(root.address, stored ?? path, stored !== undefined);
    const opened = openChecked(way[0], constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      checkWay(root, way, opened.stats);
      return opened;
    } catch (error) {
      closeSync(opened.fd);
      throw error;
    }
  } catch (error) {
    throw fileError(error);
  }
}

function openChecked(path: PathLike, flags: number): OpenedFile {
  const fd = openSync(path, flags);
  const stats = fstatSync(fd);
  if (stats.isFile()) return { fd, stats };
  closeSync(fd);
  throw new ArchiveFileError(`is ${kindOf(stats)}, not a file`);
}

/** A file, and the folders that it lies in, from the innermost. */
type Way = [file: PathLike, ...folders: PathLike[]];

function wayTo(address: string, path: string, isStored: boolean): Way {
  const base = isStored ? Buffer.from(address).toString('latin1') : address;
  const at = (inside: string): PathLike => (isStored ? Buffer.from(join(base, inside), 'latin1') : join(base, inside));
  const way: Way = [at(path)];
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) way.push(at(folder));
  return way;
}

/**
 * Node cannot open a path folder by folder. But when none of the folders is a link, and the same file stands there once more,
 * then what was opened stands in the export, whatever was exchanged meanwhile.
 */
function checkWay({ address, identity }: Root, [place, ...folders]: Way, opened: Stats): void {
  if (placeOf(statSync(address)) !== identity) throw new ArchiveFileError('lies in a folder that was exchanged');
  for (const folder of folders) if (!lstatSync(folder).isDirectory()) throw new ArchiveFileError(isLinked);
  if (placeOf(lstatSync(place)) !== placeOf(opened)) {
    throw new ArchiveFileError('was exchanged while it was read');
  }
}

/** Which file or folder it is, under whatever name. */
export function placeOf({ dev, ino }: Stats): string {
  return `${dev} ${ino}`;
}

/** Which state of which file. */
export function versionOf(stats: Stats): string {
  return `${placeOf(stats)} ${stats.size} ${stats.mtimeMs}`;
}

const isLinked = 'is a symbolic link, or lies behind one';

/** Whether the file is as it was when it was opened. */
export function isUnchanged({ fd, stats }: OpenedFile): boolean {
  return versionOf(fstatSync(fd)) === versionOf(stats);
}

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isDirectory()) return 'a folder';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

/** What the system says, as the reason why one file cannot be read. */
export function fileError(error: unknown): ArchiveFileError {
  return error instanceof ArchiveFileError ? error : new ArchiveFileError(reasonOf(error), { cause: error });
}

export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM') return 'cannot be read: permission denied';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'is gone';
  if (code === 'ELOOP' || code === 'EMLINK') return isLinked;
  // A socket, or a device without a driver.
  if (code === 'ENXIO' || code === 'ENODEV') return 'is no file';
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
