/** The one place that tells a folder from a zip, and both from what is no export at all. */
import { closeSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import type { Archive, ArchiveAddress, ArchiveReader } from './archive.ts';
import { listFolder, openFolderReader } from './folder-archive.ts';
import { packingOf } from './packing.ts';
import { openNamed } from './regular-file.ts';
import { listZip, openZipReader } from './zip-archive.ts';

/** Lists what the path holds. Throws `UsageError` when there is nothing, or neither a folder nor a zip. */
export async function listArchive(path: string): Promise<Archive> {
  const address = resolve(path);
  try {
    const stats = statSync(address);
    if (stats.isDirectory()) return listFolder(address);
    if (!stats.isFile()) throw notAnExport(address, 'it is neither a file nor a folder');
    if (stats.size === 0) throw notAnExport(address, 'the file is empty');
    const other = otherKind(address);
    if (other !== null) throw notAnExport(address, other);
    return await listZip(address).catch((error: unknown) => {
      // Bytes may stand before a zip; without its beginning and without its end it is none.
      throw startsAsZip(address) ? error : notAnExport(address, 'it is neither a zip nor a folder');
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `${address} cannot be read: ${reasonOf(error)}`,
      'Give the zip or the folder of a Slack export.',
      error,
    );
  }
}

/** Opens what was listed. Throws `AppError` when another zip stands there by now. */
export function openReader(archive: ArchiveAddress): ArchiveReader {
  return archive.kind === 'zip' ? openZipReader(archive) : openFolderReader(archive);
}

export function notAnExport(address: string, why: string): UsageError {
  return new UsageError(
    `${address} is no Slack export: ${why}`,
    'Give the zip that Slack made, or the folder it was unpacked to: the one with users.json, channels.json and a folder for each channel.',
  );
}

function startOf(address: string): Buffer {
  const bytes = Buffer.alloc(512);
  const { fd } = openNamed(address);
  try {
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}

function startsAsZip(address: string): boolean {
  return startOf(address).toString('latin1', 0, 2) === 'PK';
}

/** What the first bytes say when they are not those of a zip; null for one that may be a zip. */
function otherKind(address: string): string | null {
  const start = startOf(address);
  const begins = (...values: number[]): boolean => values.every((value, i) => start[i] === value);
  if (begins(0x50, 0x4b)) return null;
  const packing = packingOf(start);
  if (packing !== null) return `it is ${packing.what}; ${packing.unpack} and give the folder`;
  if (begins(0xff, 0xd8, 0xff) || begins(0x89, 0x50, 0x4e, 0x47)) return 'it is a picture';
  if (begins(0x25, 0x50, 0x44, 0x46)) return 'it is a PDF';
  if (/^\s*[[{]/.test(start.toString('latin1'))) return 'it is one JSON file; give the folder that holds all of them';
  return null;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is nothing of that name';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  return error instanceof Error ? error.message : String(error);
}
