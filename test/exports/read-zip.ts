/**
 * Reads zips by hand, the plainest way there is: for counting and for the floor of a benchmark, sharing no code with the
 * program. Trusts the zip; `readZip` throws where a checksum or a size is wrong.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';

/** A line of the central directory. */
export interface ZippedEntry {
  /** As UTF-8, whatever the flag says; Slack writes UTF-8 without saying so. */
  name: string;
  nameBytes: Buffer;
  flags: number;
  method: number;
  crc32: number;
  packedSize: number;
  size: number;
  /** Of the local header. */
  offset: number;
  /** Unix mode; 0 when there is none. */
  mode: number;
  dosDate: number;
}

const max32 = 0xffff_ffff;

export class ZipReader {
  readonly entries: readonly ZippedEntry[];
  readonly comment: Buffer;
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    const { size } = fstatSync(this.#fd);
    const tail = this.#bytes(Math.max(0, size - 22 - 0xffff), Math.min(size, 22 + 0xffff));
    const at = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
    if (at < 0) throw new Error(`${path} is no zip.`);
    this.comment = tail.subarray(at + 22, at + 22 + tail.readUInt16LE(at + 20));
    const { start, length } = this.#directory(tail, at);
    this.entries = readDirectory(this.#bytes(start, length));
  }

  #directory(tail: Buffer, at: number): { start: number; length: number } {
    const hasLocator = at >= 20 && tail.readUInt32LE(at - 20) === 0x07064b50;
    if (!hasLocator) return { start: tail.readUInt32LE(at + 16), length: tail.readUInt32LE(at + 12) };
    const record = this.#bytes(Number(tail.readBigUInt64LE(at - 12)), 56);
    if (record.readUInt32LE(0) !== 0x06064b50) throw new Error('The zip64 end record is not where its locator says.');
    return { start: Number(record.readBigUInt64LE(48)), length: Number(record.readBigUInt64LE(40)) };
  }

  /** The unpacked content, unchecked. */
  content({ offset, packedSize, method }: ZippedEntry): Buffer {
    // Header, name and content in one read; 512 bytes are more than any name and extra field of an export.
    const expected = 30 + 512 + packedSize;
    const bytes = this.#bytes(offset, expected);
    const start = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
    const packed =
      start + packedSize <= expected
        ? bytes.subarray(start, start + packedSize)
        : this.#bytes(offset + start, packedSize);
    return method === 0 ? packed : inflateRawSync(packed);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #bytes(position: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const got = readSync(this.#fd, buffer, filled, length - filled, position + filled);
      if (got === 0) break;
      filled += got;
    }
    return buffer.subarray(0, filled);
  }
}

/** Every file of a zip with its content, folders left out. */
export function* readZip(path: string): Iterable<{ path: string; content: Buffer }> {
  const zip = new ZipReader(path);
  try {
    for (const entry of zip.entries) {
      if (entry.name.endsWith('/')) continue;
      const content = zip.content(entry);
      if (content.length !== entry.size || crc32(content) !== entry.crc32) {
        throw new Error(`${entry.name} is not what the zip says.`);
      }
      yield { path: entry.name, content };
    }
  } finally {
    zip.close();
  }
}

function readDirectory(bytes: Buffer): ZippedEntry[] {
  const entries: ZippedEntry[] = [];
  for (let at = 0; at + 46 <= bytes.length && bytes.readUInt32LE(at) === 0x02014b50; ) {
    const nameLength = bytes.readUInt16LE(at + 28);
    const extraLength = bytes.readUInt16LE(at + 30);
    const nameBytes = bytes.subarray(at + 46, at + 46 + nameLength);
    const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const small = [bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 42)] as const;
    const [size, packedSize, offset] = small.includes(max32) ? widened(small, extra) : small;
    entries.push({
      name: nameBytes.toString('utf8'),
      nameBytes,
      flags: bytes.readUInt16LE(at + 8),
      method: bytes.readUInt16LE(at + 10),
      crc32: bytes.readUInt32LE(at + 16),
      packedSize,
      size,
      offset,
      mode: bytes.readUInt32LE(at + 38) >>> 16,
      dosDate: bytes.readUInt16LE(at + 14),
    });
    at += 46 + nameLength + extraLength + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

/** The zip64 field holds, in this order, those of the three numbers that have no room in the header (APPNOTE 4.5.3). */
function widened(small: readonly [number, number, number], extra: Buffer): [number, number, number] {
  let at = 0;
  while (at + 4 <= extra.length && extra.readUInt16LE(at) !== 1) at += 4 + extra.readUInt16LE(at + 2);
  let next = at + 4;
  const [size, packedSize, offset] = small.map((value) => {
    if (value !== max32) return value;
    next += 8;
    return Number(extra.readBigUInt64LE(next - 8));
  });
  return [size ?? 0, packedSize ?? 0, offset ?? 0];
}
