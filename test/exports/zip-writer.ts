/**
 * Writes zips by hand, also such as no program writes: what the standard allows and nobody expects, and what it forbids.
 * Section numbers are those of PKWARE's APPNOTE.TXT 6.3.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { constants, crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  /** Text is written as UTF-8; bytes as they are. A `/` at the end makes a folder. */
  name: string | Buffer;
  /** Pieces are written as they come, for more than fits into memory. Default: nothing. */
  content?: string | Buffer | Iterable<Buffer>;
  /** Default: deflate, and store for what has no content. */
  method?: 'store' | 'deflate';
  /** Says that the name is UTF-8. Slack never says so, so the default is false. */
  utf8Flag?: boolean;
  /** Sizes and checksum stand behind the content instead of before it (4.3.9). */
  dataDescriptor?: boolean;
  /** 'none' is the date 1980-00-00, which no calendar has. Default: a fixed moment, so that a zip is the same every time. */
  date?: 'none';
  /** Of a Unix file, with its type: 0o120777 is a symbolic link to what `content` says. */
  mode?: number;
  /** Marks the entry as encrypted; what is written is garbage of the right length. */
  encrypted?: boolean;
  /** Writes the zip64 field also where the numbers are small (4.5.3). They are always written for large ones. */
  zip64?: boolean;
  /** What the headers say instead of the truth. */
  claims?: { size?: number; packedSize?: number; crc32?: number; method?: number };
}

export interface ZipOptions {
  /** Writes the zip64 end records also where the numbers are small (4.3.14). */
  zip64?: boolean;
  comment?: string | Buffer;
  /** Bytes before the first entry, as in a self-extracting zip; a number is that many zeros, a hole in the file. */
  before?: Buffer | number;
  /** Offsets count from the first entry, as when somebody put `before` there afterwards. */
  offsetsFromFirstEntry?: boolean;
  /** Of deflate, 1 to 9. Default 6. */
  level?: number;
}

/** Writes a zip at `path` with these entries, in this order. */
export function writeZip(path: string, entries: Iterable<ZipEntry>, options: ZipOptions = {}): void {
  using zip = new ZipWriter(path, options);
  for (const entry of entries) zip.add(entry);
}

const max16 = 0xffff;
const max32 = 0xffff_ffff;
/** 2024-01-02 03:04:06 as DOS counts (4.4.6). */
const dosTime = (3 << 11) | (4 << 5) | 3;
const dosDate = (44 << 9) | (1 << 5) | 2;
const blockBytes = 1 << 20;
const encryptionHeaderBytes = 12;

/** One zip being written, entry after entry; only the central directory is kept in memory. Complete when it is closed. */
export class ZipWriter {
  readonly #file: BlockFile;
  readonly #options: ZipOptions;
  readonly #base: number;
  readonly #directory = new Blocks();
  #entries = 0;

  constructor(path: string, options: ZipOptions = {}) {
    this.#options = options;
    this.#file = new BlockFile(path);
    const { before = 0, offsetsFromFirstEntry = false } = options;
    if (typeof before === 'number') this.#file.skip(before);
    else this.#file.write(before);
    this.#base = offsetsFromFirstEntry ? this.#file.position : 0;
  }

  add(entry: ZipEntry): void {
    const offset = this.#file.position - this.#base;
    const { content = '' } = entry;
    const name = typeof entry.name === 'string' ? Buffer.from(entry.name) : entry.name;
    const header = new Header(name, entry, offset);
    if (typeof content === 'string' || Buffer.isBuffer(content)) this.#addWhole(header, Buffer.from(content));
    else this.#addPieces(header, content);
    this.#directory.add(header.central());
    this.#entries += 1;
  }

  #addWhole(header: Header, content: Buffer): void {
    const packed = header.isDeflated ? deflateRawSync(content, { level: this.#options.level ?? 6 }) : content;
    header.count(content, packed.length);
    this.#file.write(header.local());
    this.#file.write(header.isEncrypted ? garbage(packed.length + encryptionHeaderBytes) : packed);
    this.#file.write(header.descriptor());
  }

  /** The header is written twice: its numbers are known only afterwards, and its length does not depend on them. */
  #addPieces(header: Header, content: Iterable<Buffer>): void {
    const { position } = this.#file;
    header.needsZip64 = true;
    this.#file.write(header.local());
    if (header.isEncrypted) this.#file.write(garbage(encryptionHeaderBytes));
    for (const piece of content) {
      const packed = header.isDeflated ? this.#deflatePiece(piece) : piece;
      header.count(piece, packed.length);
      this.#file.write(packed);
    }
    if (header.isDeflated) {
      const end = deflateRawSync('');
      header.count(Buffer.alloc(0), end.length);
      this.#file.write(end);
    }
    this.#file.overwrite(position, header.local());
    this.#file.write(header.descriptor());
  }

  /** Flushed pieces without an end may follow each other: together they are one deflate stream. */
  #deflatePiece(piece: Buffer): Buffer {
    return deflateRawSync(piece, { level: this.#options.level ?? 6, finishFlush: constants.Z_SYNC_FLUSH });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  close(): void {
    const start = this.#file.position - this.#base;
    for (const block of this.#directory.all()) this.#file.write(block);
    const end = this.#file.position - this.#base;
    const comment = Buffer.from(this.#options.comment ?? '');
    if (this.#options.zip64 || this.#entries >= max16 || start >= max32 || end - start >= max32) {
      this.#file.write(zip64End(this.#entries, start, end));
    }
    const record = Buffer.alloc(22);
    record.writeUInt32LE(0x06054b50, 0);
    const entries = this.#options.zip64 ? max16 : Math.min(this.#entries, max16);
    record.writeUInt16LE(entries, 8);
    record.writeUInt16LE(entries, 10);
    record.writeUInt32LE(this.#options.zip64 ? max32 : Math.min(end - start, max32), 12);
    record.writeUInt32LE(this.#options.zip64 ? max32 : Math.min(start, max32), 16);
    record.writeUInt16LE(comment.length, 20);
    this.#file.write(record);
    this.#file.write(comment);
    this.#file.close();
  }
}

/** The zip64 end of central directory record and its locator (4.3.14, 4.3.15). */
function zip64End(entries: number, start: number, end: number): Buffer {
  const record = Buffer.alloc(56 + 20);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE((3 << 8) | 45, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(entries), 24);
  record.writeBigUInt64LE(BigInt(entries), 32);
  record.writeBigUInt64LE(BigInt(end - start), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  record.writeUInt32LE(0x07064b50, 56);
  record.writeBigUInt64LE(BigInt(end), 64);
  record.writeUInt32LE(1, 72);
  return record;
}

/** What the three places say that describe an entry: before it, behind it, and in the central directory. */
class Header {
  needsZip64: boolean;
  readonly isDeflated: boolean;
  readonly isEncrypted: boolean;
  readonly #name: Buffer;
  readonly #entry: ZipEntry;
  readonly #offset: number;
  #size = 0;
  #packedSize = 0;
  #crc32 = 0;

  constructor(name: Buffer, entry: ZipEntry, offset: number) {
    this.#name = name;
    this.#entry = entry;
    this.#offset = offset;
    this.needsZip64 = entry.zip64 ?? false;
    this.isEncrypted = entry.encrypted ?? false;
    this.isDeflated = (entry.method ?? ((entry.content ?? '') === '' ? 'store' : 'deflate')) === 'deflate';
    if (this.isEncrypted) this.#packedSize = encryptionHeaderBytes;
  }

  /** Takes note of content that was written, and of how many bytes it took. */
  count(content: Buffer, packedBytes: number): void {
    this.#size += content.length;
    this.#packedSize += packedBytes;
    this.#crc32 = crc32(content, this.#crc32);
    this.needsZip64 ||= this.#told.size >= max32 || this.#told.packedSize >= max32;
  }

  get #told(): { size: number; packedSize: number; crc32: number; method: number } {
    const method = this.isDeflated ? 8 : 0;
    return { size: this.#size, packedSize: this.#packedSize, crc32: this.#crc32, method, ...this.#entry.claims };
  }

  /** 4.3.7 */
  local(): Buffer {
    const isLater = this.#entry.dataDescriptor ?? false;
    const { size, packedSize } = this.#told;
    const extra = this.needsZip64 ? zip64Field(isLater ? [0, 0] : [size, packedSize]) : Buffer.alloc(0);
    const fixed = Buffer.alloc(30);
    fixed.writeUInt32LE(0x04034b50, 0);
    this.#writeCommon(fixed, 4, isLater);
    fixed.writeUInt16LE(extra.length, 28);
    return Buffer.concat([fixed, this.#name, extra]);
  }

  /** 4.3.9 */
  descriptor(): Buffer {
    if (!this.#entry.dataDescriptor) return Buffer.alloc(0);
    const { size, packedSize, crc32 } = this.#told;
    const record = Buffer.alloc(this.needsZip64 ? 24 : 16);
    record.writeUInt32LE(0x08074b50, 0);
    record.writeUInt32LE(crc32, 4);
    if (this.needsZip64) {
      record.writeBigUInt64LE(BigInt(packedSize), 8);
      record.writeBigUInt64LE(BigInt(size), 16);
    } else {
      record.writeUInt32LE(packedSize, 8);
      record.writeUInt32LE(size, 12);
    }
    return record;
  }

  /** 4.3.12 */
  central(): Buffer {
    const { size, packedSize } = this.#told;
    const isFar = this.needsZip64 || this.#offset >= max32;
    const sizes = this.needsZip64 ? [size, packedSize] : [];
    const extra = isFar ? zip64Field([...sizes, this.#offset]) : Buffer.alloc(0);
    const fixed = Buffer.alloc(46);
    fixed.writeUInt32LE(0x02014b50, 0);
    fixed.writeUInt16LE((3 << 8) | 30, 4);
    this.#writeCommon(fixed, 6, false);
    fixed.writeUInt16LE(extra.length, 30);
    fixed.writeUInt32LE(this.#attributes(), 38);
    fixed.writeUInt32LE(isFar ? max32 : this.#offset, 42);
    return Buffer.concat([fixed, this.#name, extra]);
  }

  /** The fields from "version needed" to "name length", which both headers have. */
  #writeCommon(into: Buffer, at: number, isLater: boolean): void {
    const { utf8Flag, dataDescriptor, date } = this.#entry;
    const { size, packedSize, crc32, method } = this.#told;
    const flags = (this.isEncrypted ? 1 : 0) | (dataDescriptor ? 8 : 0) | (utf8Flag ? 0x800 : 0);
    into.writeUInt16LE(this.needsZip64 ? 45 : 20, at);
    into.writeUInt16LE(flags, at + 2);
    into.writeUInt16LE(method, at + 4);
    into.writeUInt16LE(date === 'none' ? 0 : dosTime, at + 6);
    into.writeUInt16LE(date === 'none' ? 0 : dosDate, at + 8);
    into.writeUInt32LE(isLater ? 0 : crc32, at + 10);
    into.writeUInt32LE(this.needsZip64 ? max32 : isLater ? 0 : packedSize, at + 14);
    into.writeUInt32LE(this.needsZip64 ? max32 : isLater ? 0 : size, at + 18);
    into.writeUInt16LE(this.#name.length, at + 22);
  }

  /** The Unix mode above, the flags of DOS below, of which 0x10 is a folder (4.4.15). */
  #attributes(): number {
    const isFolder = this.#name.at(-1) === 0x2f;
    const mode = this.#entry.mode ?? (isFolder ? 0o040755 : 0o100644);
    return ((mode << 16) | (isFolder ? 0x10 : 0)) >>> 0;
  }
}

function zip64Field(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return field;
}

function garbage(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index * 167 + 13) & 0xff));
}

/** Many small buffers kept as few large ones. */
class Blocks {
  readonly #full: Buffer[] = [];
  #open: Buffer[] = [];

  add(bytes: Buffer): void {
    if (this.#open.push(bytes) < 4096) return;
    this.#full.push(Buffer.concat(this.#open));
    this.#open = [];
  }

  all(): Buffer[] {
    return [...this.#full, Buffer.concat(this.#open)];
  }
}

/** Collects what is written into blocks: a zip of many small files is a system call for each otherwise. */
class BlockFile {
  /** Where the next byte goes. */
  position = 0;
  readonly #fd: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w');
  }

  write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.position += bytes.length;
    if (this.#pendingBytes >= blockBytes) this.#flush();
  }

  /** Leaves a hole, which takes no space on most file systems. */
  skip(bytes: number): void {
    this.#flush();
    this.position += bytes;
  }

  overwrite(position: number, bytes: Buffer): void {
    this.#flush();
    writeAll(this.#fd, bytes, position);
  }

  close(): void {
    this.#flush();
    closeSync(this.#fd);
  }

  #flush(): void {
    writeAll(this.#fd, Buffer.concat(this.#pending), this.position - this.#pendingBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}

function writeAll(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}
