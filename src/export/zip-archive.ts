/**
 * An export as a zip. The central directory is read by yauzl, which knows zip64 and all that can be wrong there; the content
 * is read here, because a stream for each of 100,000 small files takes longer than all the rest of an import.
 */
import { closeSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setImmediate as breathe } from 'node:timers/promises';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { type Entry, fromRandomAccessReader, RandomAccessReader, type ZipFile } from 'yauzl';
import { AppError, UsageError } from '../errors.ts';
import {
  type Archive,
  type ArchiveAddress,
  type ArchiveFile,
  ArchiveFileError,
  type ArchiveReader,
  type RejectedFile,
} from './archive.ts';
import { decodeName, isDebris, unsafePath } from './entry-path.ts';
import { openNamed, reasonOf, versionOf } from './regular-file.ts';

/** So many bytes at a time while the directory is read: its entries have 46 bytes and a name. */
const directoryBlock = 1 << 20;
const streamBlock = 1 << 18;
/** Local header without its name and extra field (APPNOTE 4.3.7). */
const localHeaderSize = 30;

/** Unpacked sizes beyond which the ratio is looked at, and the ratio that no JSON of Slack's reaches; deflate allows 1032. */
const bombBytes = 1 << 30;
const bombRatio = 100;

/** Lists a zip. Throws `UsageError` when it is none, is cut off, encrypted or made to explode. */
export async function listZip(address: string): Promise<Archive> {
  const { fd, stats } = openNamed(address);
  try {
    const { size } = stats;
    const reader = new BlockReader(fd);
    const zip = await openDirectory(reader, size, address);
    return { ...listEntries(zip, reader, size, address), identity: versionOf(stats) };
  } finally {
    closeSync(fd);
  }
}

/** Answers at once from memory: a callback of the file system for every entry takes most of the time otherwise. */
class BlockReader extends RandomAccessReader {
  /** Where the last read ended. */
  position = 0;
  readonly #fd: number;
  readonly #block = Buffer.allocUnsafe(directoryBlock);
  #start = 0;
  #length = 0;

  constructor(fd: number) {
    super();
    this.#fd = fd;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    this.position = position + length;
    if (length > directoryBlock) {
      callback(null, readSync(this.#fd, buffer, offset, length, position));
      return;
    }
    if (position < this.#start || position + length > this.#start + this.#length) {
      this.#start = position;
      this.#length = readSync(this.#fd, this.#block, 0, directoryBlock, position);
    }
    const from = position - this.#start;
    callback(null, this.#block.copy(buffer, offset, from, Math.min(from + length, this.#length)));
  }

  override _readStreamForRange(): Readable {
    throw new Error('contents are not read through yauzl');
  }
}

function openDirectory(reader: BlockReader, size: number, address: string): Promise<ZipFile> {
  return new Promise((done, fail) => {
    // Sizes that do not fit together cost the file, when it is read, and not the whole zip.
    const options = { lazyEntries: true, decodeStrings: false, autoClose: false, validateEntrySizes: false } as const;
    try {
      fromRandomAccessReader(reader, size, options, (error, zip) => {
        if (error === null) done(zip);
        else fail(unreadable(address, error));
      });
    } catch (error) {
      fail(unreadable(address, error));
    }
  });
}

function unreadable(address: string, error: unknown): UsageError {
  const detail = error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
  const isCut = /end of central directory|unexpected EOF|out of range/i.test(detail);
  return new UsageError(
    isCut ? `${address} is no zip, or it is cut off: ${detail}` : `${address} is a damaged zip: ${detail}`,
    'Compare its size with the original, download it again, or unpack it by another program and give the folder.',
    error,
  );
}

/** What is kept of an entry: yauzl's own object is ten times as large, and there may be a million of them. */
interface ListedEntry {
  file: ArchiveFile;
  isEncrypted: boolean;
  isLink: boolean;
}

/** The reader answers at once, so the next entry is there when `readEntry` returns. */
function listEntries(zip: ZipFile, reader: BlockReader, zipSize: number, address: string): Omit<Archive, 'identity'> {
  const entries: ListedEntry[] = [];
  let failure: unknown;
  zip.on('entry', (entry: Entry) => entries.push(listedEntry(entry)));
  zip.on('error', (error: unknown) => {
    failure ??= error;
  });
  try {
    for (let n = 0; n < zip.entryCount && failure === undefined; n += 1) {
      zip.readEntry();
      if (entries.length === n) failure ??= new Error('unexpected EOF in the list of its files');
      // Programs without zip64, that of macOS among them, write the count of 65,536 files and more modulo 65,536.
      else if (n + 1 === zip.entryCount && isEntryAt(reader, zipSize)) zip.entryCount += 1;
    }
  } catch (error) {
    failure ??= error;
  }
  if (failure !== undefined) throw unreadable(address, failure);
  mendSeparators(entries);
  checkTotals(entries, zipSize, address);
  const files: ArchiveFile[] = [];
  const rejected: RejectedFile[] = [];
  for (const entry of entries) {
    const { file } = entry;
    if (file.path.endsWith('/') || isDebris(file.path)) continue;
    const reason = unsafePath(file.path) ?? unreadableEntry(entry);
    if (reason !== null) rejected.push({ path: file.path, reason });
    else files.push(file);
  }
  return { kind: 'zip', address, files, rejected };
}

/** Whether another entry follows where the last one ended (APPNOTE 4.3.12). */
function isEntryAt(reader: BlockReader, zipSize: number): boolean {
  const signature = Buffer.alloc(4);
  const { position } = reader;
  if (position + signature.length > zipSize) return false;
  reader.read(signature, 0, signature.length, position, () => undefined);
  return signature.readUInt32LE(0) === 0x02014b50;
}

function listedEntry(entry: Entry): ListedEntry {
  const file: ArchiveFile = {
    path: decodeName(entry.fileNameRaw),
    size: entry.uncompressedSize,
    offset: entry.relativeOffsetOfLocalHeader,
    compressedSize: entry.compressedSize,
    method: entry.compressionMethod,
    crc32: entry.crc32 | 0,
  };
  const isLink = ((entry.externalFileAttributes >>> 16) & fileTypeMask) === symbolicLink;
  return { file, isEncrypted: entry.isEncrypted(), isLink };
}

/** Some Windows programs write backslashes between names; where all of them do, that is what they mean. */
function mendSeparators(entries: readonly ListedEntry[]): void {
  const holds = (separator: string) => entries.some(({ file }) => file.path.includes(separator));
  if (holds('\\') && !holds('/')) for (const { file } of entries) file.path = file.path.replaceAll('\\', '/');
}

/** The upper half of the attributes is the mode of a Unix file (APPNOTE 4.4.15). */
const fileTypeMask = 0o170000;
const symbolicLink = 0o120000;

function unreadableEntry({ isLink, isEncrypted, file: { method } }: ListedEntry): string | null {
  if (isLink) return 'is a symbolic link';
  if (isEncrypted) return 'is encrypted: unpack the zip with its password and give the folder';
  if (method === 0 || method === 8) return null;
  const name = methodNames.get(method) ?? `method ${method}`;
  return `is compressed by ${name}, which is not unpacked here: unpack the zip by a program that knows it, such as 7-Zip, and give the folder`;
}

/** APPNOTE 4.4.5. Windows writes files beyond 2 GB by Deflate64. */
const methodNames: ReadonlyMap<number, string> = new Map([
  [1, 'Shrink'],
  [6, 'Implode'],
  [9, 'Deflate64'],
  [10, 'the PKWARE library'],
  [12, 'bzip2'],
  [14, 'LZMA'],
  [20, 'zstd'],
  [93, 'zstd'],
  [95, 'XZ'],
  [98, 'PPMd'],
]);

function checkTotals(entries: readonly ListedEntry[], zipSize: number, address: string): void {
  const files = entries.filter(({ file }) => !file.path.endsWith('/'));
  if (files.length > 0 && files.every(({ isEncrypted }) => isEncrypted)) {
    throw new UsageError(`${address} is protected by a password`, 'Unpack it with its password and give the folder.');
  }
  let packed = 0;
  let unpacked = 0;
  for (const { file } of files) {
    packed += file.compressedSize;
    unpacked += file.size;
  }
  if (packed > zipSize || (unpacked > bombBytes && unpacked > zipSize * bombRatio)) {
    throw new UsageError(
      `${address} says that its ${zipSize} bytes hold ${unpacked}: a zip made to explode, or a damaged one`,
      'No export of Slack is like that. Check where it comes from.',
    );
  }
}

/** Opens a zip that was listed. Stays with that file when its name is given to another one. */
export function openZipReader({ address, identity }: Omit<ArchiveAddress, 'kind'>): ArchiveReader {
  const fd = openListed(address, identity);
  // One for all files: memory outside of the heap is given back late, and 100,000 files need a lot of it.
  let buffer = Buffer.allocUnsafe(usualPackedSize);
  const bufferOf = (length: number): Buffer => {
    if (length > largestKeptBuffer) return Buffer.allocUnsafe(length);
    if (length > buffer.length) buffer = Buffer.allocUnsafe(length);
    return buffer.subarray(0, length);
  };
  return {
    read: (file) => readEntry(fd, file, bufferOf),
    chunks: (file) => entryChunks(fd, file),
    close: () => closeSync(fd),
  };
}

function openListed(address: string, identity: string): number {
  try {
    const { fd, stats } = openNamed(address);
    if (versionOf(stats) === identity) return fd;
    closeSync(fd);
  } catch (error) {
    throw changed(address, reasonOf(error), error);
  }
  throw changed(address, 'is another file than before, or was changed');
}

function changed(address: string, what: string, cause?: unknown): AppError {
  return new AppError(`${address} ${what} since the import began to read it`, {
    hint: 'Import it once more when nothing writes to it any longer; what is stored already is not stored twice.',
    cause,
  });
}

const usualPackedSize = 1 << 18;
const largestKeptBuffer = 4 << 20;

function readEntry(fd: number, file: ArchiveFile, bufferOf: (length: number) => Buffer): Buffer {
  const { size, compressedSize, method } = file;
  const { data, start } = readWithHeader(fd, file, bufferOf);
  const packed = data.subarray(start, start + compressedSize);
  if (packed.length < compressedSize) throw new ArchiveFileError('is cut off');
  const content = method === 0 ? Buffer.from(packed) : inflate(packed, size);
  if (content.length !== size) throw new ArchiveFileError(`has ${content.length} bytes, not ${size} as the zip says`);
  if ((crc32(content) | 0) !== file.crc32) throw new ArchiveFileError('is damaged (its checksum does not fit)');
  return content;
}

function inflate(packed: Buffer, size: number): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(size, 1) });
  } catch (error) {
    const isLonger = error instanceof RangeError;
    throw new ArchiveFileError(
      isLonger ? `has more than the ${size} bytes that the zip says` : 'is damaged (it cannot be unpacked)',
      {
        cause: error,
      },
    );
  }
}

/** Header and content in one read: names are shorter than this, and a second read mends where they are not. */
const expectedNames = 512;

function readWithHeader(
  fd: number,
  place: ArchiveFile,
  bufferOf: (length: number) => Buffer,
): { data: Buffer; start: number } {
  let data = readInto(fd, place.offset, bufferOf(localHeaderSize + expectedNames + place.compressedSize));
  const start = contentStart(data);
  if (start + place.compressedSize > data.length && start > localHeaderSize + expectedNames) {
    data = readInto(fd, place.offset, bufferOf(start + place.compressedSize));
  }
  return { data, start };
}

function contentStart(header: Buffer): number {
  if (header.length < localHeaderSize || header.readUInt32LE(0) !== 0x04034b50) {
    throw new ArchiveFileError('is not where the zip says');
  }
  return localHeaderSize + header.readUInt16LE(26) + header.readUInt16LE(28);
}

function readUpTo(fd: number, position: number, length: number): Buffer {
  return readInto(fd, position, Buffer.allocUnsafe(length));
}

function readInto(fd: number, position: number, buffer: Buffer): Buffer {
  let filled = 0;
  while (filled < buffer.length) {
    const got = readSync(fd, buffer, filled, buffer.length - filled, position + filled);
    if (got === 0) break;
    filled += got;
  }
  return buffer.subarray(0, filled);
}

async function* entryChunks(fd: number, file: ArchiveFile): AsyncIterable<Buffer> {
  const { size, compressedSize, method } = file;
  if (size > compressedSize * bombRatio)
    throw new ArchiveFileError(`says that its ${compressedSize} bytes unpack to ${size}, as no JSON does`);
  let checksum = 0;
  let length = 0;
  for await (const chunk of method === 0 ? packedChunks(fd, file) : inflatedChunks(fd, file)) {
    length += chunk.length;
    if (length > size) throw new ArchiveFileError(`has more than the ${size} bytes that the zip says`);
    checksum = crc32(chunk, checksum);
    yield chunk;
  }
  if (length < size) throw new ArchiveFileError(`has ${length} bytes, not ${size} as the zip says`);
  if ((checksum | 0) !== file.crc32) throw new ArchiveFileError('is damaged (its checksum does not fit)');
}

async function* packedChunks(fd: number, place: ArchiveFile): AsyncIterable<Buffer> {
  const start = place.offset + contentStart(readUpTo(fd, place.offset, localHeaderSize));
  for (let done = 0; done < place.compressedSize; ) {
    // Signals must get their turn.
    await breathe();
    const chunk = readUpTo(fd, start + done, Math.min(streamBlock, place.compressedSize - done));
    if (chunk.length === 0) throw new ArchiveFileError('is cut off');
    done += chunk.length;
    yield chunk;
  }
}

async function* inflatedChunks(fd: number, place: ArchiveFile): AsyncIterable<Buffer> {
  const inflated = createInflateRaw();
  const feed = (async () => {
    for await (const chunk of packedChunks(fd, place)) {
      if (!inflated.write(chunk)) await new Promise((ready) => inflated.once('drain', ready));
      if (inflated.destroyed) return;
    }
    inflated.end();
  })().catch((error: unknown) => void inflated.destroy(error instanceof Error ? error : undefined));
  try {
    for await (const chunk of inflated) yield chunk;
  } catch (error) {
    if (error instanceof ArchiveFileError) throw error;
    throw new ArchiveFileError('is damaged (it cannot be unpacked)', { cause: error });
  } finally {
    // Whoever stops early must not leave the feeding waiting for a drain that never comes.
    inflated.destroy();
    inflated.emit('drain');
    await feed;
  }
}
