/** An export as a folder. Symbolic links are not followed: what they point to is not part of the export. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Archive, type ArchiveFile, ArchiveFileError, type ArchiveReader, type RejectedFile } from './archive.ts';
import { isDebris, unsafePath } from './entry-path.ts';

const streamBlock = 1 << 18;
/** Deeper than any export; a chain of folders may be endless where file systems are mounted into themselves. */
const deepestFolder = 20;

/** Lists a folder with all that is in it, in the order of the names' bytes. Sizes are asked for when files are read. */
export function listFolder(address: string): Archive {
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
  return { kind: 'folder', address, files, rejected };
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
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Opens a folder that was listed. */
export function openFolderReader(address: string): ArchiveReader {
  return {
    read({ path }) {
      try {
        return readFileSync(join(address, path));
      } catch (error) {
        throw new ArchiveFileError(reasonOf(error), { cause: error });
      }
    },
    async *chunks({ path }) {
      try {
        const fd = openSync(join(address, path), 'r');
        try {
          for (;;) {
            const chunk = Buffer.allocUnsafe(streamBlock);
            const got = readSync(fd, chunk, 0, streamBlock, null);
            if (got === 0) return;
            yield chunk.subarray(0, got);
          }
        } finally {
          closeSync(fd);
        }
      } catch (error) {
        throw new ArchiveFileError(reasonOf(error), { cause: error });
      }
    },
    close() {},
  };
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM') return 'cannot be read: permission denied';
  if (code === 'ENOENT') return 'is gone';
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
