/** Files that other programs packed or wrote, by the bytes with which they begin. */

interface Form {
  what: string;
  unpack: string;
  at?: number;
  begins: number[];
}

/** https://en.wikipedia.org/wiki/List_of_file_signatures */
const forms: readonly Form[] = [
  { what: 'a zip by itself', unpack: 'unpack it', begins: [0x50, 0x4b, 0x03, 0x04] },
  { what: 'packed by gzip', unpack: 'unpack it (gunzip, tar xzf)', begins: [0x1f, 0x8b] },
  { what: 'packed by bzip2', unpack: 'unpack it (bunzip2, tar xjf)', begins: [0x42, 0x5a, 0x68] },
  { what: 'packed by xz', unpack: 'unpack it (unxz, tar xJf)', begins: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { what: 'packed by zstd', unpack: 'unpack it (unzstd)', begins: [0x28, 0xb5, 0x2f, 0xfd] },
  { what: 'a 7z archive', unpack: 'unpack it', begins: [0x37, 0x7a, 0xbc, 0xaf] },
  { what: 'a rar archive', unpack: 'unpack it', begins: [0x52, 0x61, 0x72, 0x21] },
  { what: 'a tar archive', unpack: 'unpack it', at: 257, begins: [0x75, 0x73, 0x74, 0x61, 0x72] },
  {
    what: 'an SQLite database, such as slackdump makes',
    unpack: 'have it converted to an export (slackdump convert)',
    begins: [...Buffer.from('SQLite format 3\0', 'latin1')],
  },
];

/** What such a file is, and what to do with it; null for every other one. */
export function packingOf(start: Buffer): { what: string; unpack: string } | null {
  return forms.find(({ at = 0, begins }) => begins.every((value, i) => start[at + i] === value)) ?? null;
}
