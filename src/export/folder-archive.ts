/** An export as a folder. Symbolic links are not followed: what they point to is not part of the export. */
import { closeSync, lstatSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { type Archive, type ArchiveFile, ArchiveFileError, type ArchiveReader, type RejectedFile } from './archive.ts';
import { isDebris, unsafePath } from './entry-path.ts';
import { fileError, isUnchanged, type OpenedFile, openWithin, placeOf, type Root, reasonOf } from './regular-file.ts';

const streamBlock = 1 << 18;
/** Deeper than any export; a chain of folders may be endless where file systems are mounted into themselves. */
const deepestFolder = 20;

/** Lists a folder with all that is in it, in the order of the names' bytes. Sizes are asked for when files are read. */
export function listFolder(address: string): Archive {
  const identity = placeOf(statSync(address));
  const files: ArchiveFile[] = [];
  const rejected: RejectedFile[] = [];
  const visit = (folder: string, depth: number): void => {
    const entries = readdirSync(join(address, folder), { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (isDebris(path)) continue;
      const reason = unsafePath(path) ?? oddKind(entry, depth);
      if (reason !== null) rejected.push({ path, reason });
      else if (entry.isDirectory()) visitSafely(path, depth + 1);
      else files.push({ path, size: sizeOf(join(address, path)), offset: 0, compressedSize: 0, method: 0, crc32: 0 });
    }
  };
  const visitSafely = (folder: string, depth: number): void => {
    try {
      visit(folder, depth);
    } catch (error) {
      rejected.push({ path: folder, reason: reasonOf(error) });
    }
  };
  visit('', 0);
  return { kind: 'folder', address, identity, files, rejected };
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
function sizeOf(path: string): number {
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
function openListed(root: Root, { path, size }: ArchiveFile): OpenedFile {
  const opened = openWithin(root, path);
  if (opened.stats.size === size) return opened;
  closeSync(opened.fd);
  throw new ArchiveFileError(`has ${opened.stats.size} bytes, and had ${size} when the export was listed: it changes`);
}

function checkUnchanged(opened: OpenedFile): void {
  if (!isUnchanged(opened)) throw new ArchiveFileError('changed while it was read');
}
