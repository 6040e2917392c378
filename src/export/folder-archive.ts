/** An export as a folder. Symbolic links are not followed: what they point to is not part of the export. */
import { closeSync, lstatSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { type Archive, type ArchiveFile, ArchiveFileError, type ArchiveReader, type RejectedFile } from './archive.ts';
import { decodeName, isDebris, unsafePath } from './entry-path.ts';
import { fileError, isUnchanged, type OpenedFile, openWithin, placeOf, type Root, reasonOf } from './regular-file.ts';

const streamBlock = 1 << 18;
/** Deeper than any export; a chain of folders may be endless where file systems are mounted into themselves. */
const deepestFolder = 20;

/** Lists a folder with all that is in it, in the order of the names' bytes. Sizes are asked for when files are read. */
export function listFolder(address: string): Archive {
  const identity = placeOf(statSync(address));
  const files: ArchiveFile[] = [];
  const rejected: RejectedFile[] = [];
  const base = Buffer.from(address);
  const visit = (folder: Listed, depth: number): void => {
    const place = Buffer.concat([base, Buffer.from(`/${folder.stored}`, 'latin1')]);
    const entries = readdirSync(place, { withFileTypes: true, encoding: 'buffer' });
    entries.sort((a, b) => a.name.compare(b.name));
    for (const entry of entries) {
      const listed = listedIn(folder, entry.name);
      const { path, stored } = listed;
      // The entry of a folder in a zip of Windows, unpacked as a file.
      const isFolderEntry = entry.isFile() && path.endsWith('/');
      if (isFolderEntry || isDebris(path)) continue;
      const reason = unsafePath(path) ?? oddKind(entry, depth);
      if (reason !== null) rejected.push({ path, reason });
      else if (entry.isDirectory()) visitSafely(listed, depth + 1);
      else {
        const size = sizeOf(Buffer.concat([base, Buffer.from(`/${stored}`, 'latin1')]));
        const isPlain = Buffer.from(path).equals(Buffer.from(stored, 'latin1'));
        const named = isPlain ? { path } : { path, stored };
        files.push({ ...named, size, offset: 0, compressedSize: 0, method: 0, crc32: 0 });
      }
    }
  };
  const visitSafely = (folder: Listed, depth: number): void => {
    try {
      visit(folder, depth);
    } catch (error) {
      rejected.push({ path: folder.path, reason: reasonOf(error) });
    }
  };
  visit({ path: '', stored: '' }, 0);
  return { kind: 'folder', address, identity, files, rejected };
}

/** What a path is and how the file system has it, see `ArchiveFile`. */
interface Listed {
  path: string;
  stored: string;
}

/** Programs that unpack zips of Windows may leave its separators in the names. No name of Slack's has a backslash. */
function listedIn(folder: Listed, name: Buffer): Listed {
  const within = (around: string, inside: string) => (around === '' ? inside : `${around}/${inside}`);
  return {
    path: within(folder.path, decodeName(name).replaceAll('\\', '/')),
    stored: within(folder.stored, name.toString('latin1')),
  };
}

function oddKind(
  entry: { isSymbolicLink(): boolean; isFile(): boolean; isDirectory(): boolean },
  depth: number,
): string | null {
  if (entry.isSymbolicLink()) return 'is a symbolic link';
  if (!entry.isFile() && !entry.isDirectory()) return 'is neither a file nor a folder';
  return entry.isDirectory() && depth >= deepestFolder ? 'is nested too deeply' : null;
}

/** A file that vanished meanwhile is found out when it is read. */
function sizeOf(path: Buffer): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Opens a folder that was listed. */
export function openFolderReader(root: Root): ArchiveReader {
  return {
    read: (file) => withFile(root, file, (opened) => readFileSync(opened.fd)),
    async *chunks(file) {
      const opened = openListed(root, file);
      try {
        for (let left = file.size; left > 0; ) {
          // Signals must get their turn.
          await breathe();
          const chunk = Buffer.allocUnsafe(Math.min(streamBlock, left));
          const got = readSync(opened.fd, chunk, 0, chunk.length, null);
          if (got === 0) break;
          left -= got;
          yield chunk.subarray(0, got);
        }
        checkUnchanged(opened);
      } catch (error) {
        throw fileError(error);
      } finally {
        closeSync(opened.fd);
      }
    },
    close() {},
  };
}

function withFile(root: Root, file: ArchiveFile, read: (opened: OpenedFile) => Buffer): Buffer {
  const opened = openListed(root, file);
  try {
    const content = read(opened);
    checkUnchanged(opened);
    return content;
  } catch (error) {
    throw fileError(error);
  } finally {
    closeSync(opened.fd);
  }
}

/** A file that is another than the one that was listed may be of any size, and half of what it will be. */
function openListed(root: Root, file: ArchiveFile): OpenedFile {
  const { size } = file;
  const opened = openWithin(root, file);
  if (opened.stats.size === size) return opened;
  closeSync(opened.fd);
  throw new ArchiveFileError(`has ${opened.stats.size} bytes, and had ${size} when the export was listed: it changes`);
}

function checkUnchanged(opened: OpenedFile): void {
  if (!isUnchanged(opened)) throw new ArchiveFileError('changed while it was read');
}
