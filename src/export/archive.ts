/**
 * The files of an export, wherever they lie: in a folder or in a zip. Nothing is ever unpacked to disk, so no name can lead
 * out of anywhere; what tries to is reported all the same.
 */

/**
 * Plain data, so that a thread can be handed the work on a file; and flat, because there may be a million of them. Where the
 * content lies in a zip is 0 for a file in a folder.
 */
export interface ArchiveFile {
  /** Names with `/` between them, from the top of the archive. */
  path: string;
  /** In a folder, what the file system calls it, when that is not the path in UTF-8: its bytes, each as one character. */
  stored?: string | undefined;
  /** Bytes, as the archive says. */
  size: number;
  /** Of the local header in the zip. */
  offset: number;
  compressedSize: number;
  /** 0 stored, 8 deflated. */
  method: number;
  /** As a signed number of 32 bits. */
  crc32: number;
}

/** Something that is no readable file. */
export interface RejectedFile {
  path: string;
  reason: string;
}

/** Where an archive lies: enough to open a reader, in another thread too. */
export interface ArchiveAddress {
  kind: 'folder' | 'zip';
  /** As the person gave it, made absolute. */
  address: string;
  /** Which folder, or which state of which zip, was found there when it was listed: something else is not read. */
  identity: string;
}

/** What lies in a folder or a zip. Holds nothing open. */
export interface Archive extends ArchiveAddress {
  files: readonly ArchiveFile[];
  rejected: readonly RejectedFile[];
}

/** Reads files of one archive. Close it. */
export interface ArchiveReader {
  /**
   * The whole content. Throws `ArchiveFileError` when it cannot be read as it was written: damaged, longer than
   * promised, gone.
   */
  read(file: ArchiveFile): Buffer;
  /** The same in pieces, for a file too large for memory. */
  chunks(file: ArchiveFile): AsyncIterable<Buffer>;
  close(): void;
}

/** Why one file of an archive cannot be read; the rest can. The message is the reason, without the path. */
export class ArchiveFileError extends Error {
  override readonly name = 'ArchiveFileError';
}
