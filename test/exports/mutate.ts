/**
 * Damage to exports, made up from a seed: what disks, transfers, other programs and people with bad intentions do to them. The
 * same seed and index give the same mutant of the same export, and every kind of damage takes its turn as the index counts up.
 */
import type { JsonObject, JsonValue } from '../../src/model.ts';
import { Random } from '../stand-in/random.ts';
import { type ExportFile, slackJson } from './make-export.ts';

export interface ExportMutant {
  /** What was done, in a few words. */
  description: string;
  files: ExportFile[];
  /** No file system holds these names: write it as a zip. */
  isZipOnly: boolean;
}

export interface ZipMutant {
  description: string;
  bytes: Buffer;
}

/** One thing done to the files. */
export function mutateExport(files: readonly ExportFile[], seed: number, index: number): ExportMutant {
  const damage = fileDamages[index % fileDamages.length];
  const random = randomOf(seed, index);
  if (damage === undefined || files.length === 0) throw new Error('There is nothing to damage.');
  // A copy of the list: damages change it.
  const copy = [...files];
  const description = damage(copy, random);
  return { description, files: copy, isZipOnly: isForZipsOnly(copy) };
}

/** One thing done to the bytes of a zip, without a thought for what they mean or with one for its headers. */
export function mutateZip(bytes: Buffer, seed: number, index: number): ZipMutant {
  const damage = zipDamages[index % zipDamages.length];
  if (damage === undefined) throw new Error('There is nothing to damage.');
  return damage(Buffer.from(bytes), randomOf(seed, index));
}

function randomOf(seed: number, index: number): Random {
  return new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
}

type FileDamage = (files: ExportFile[], random: Random) => string;

const fileDamages: readonly FileDamage[] = [
  flipBytes,
  cutFile,
  swapValue,
  deleteFile,
  swapValue,
  duplicateElement,
  swapValue,
  deleteKey,
  addGarbage,
  swapValue,
  replaceContent,
  changeEncoding,
  renameFile,
  swapValue,
  renameFolder,
  swapContents,
  repeatPath,
  addKey,
];

function flipBytes(files: ExportFile[], random: Random): string {
  const { at, path, bytes } = pickFile(files, random);
  const flips = 1 + random.below(8);
  const first = random.below(bytes.length);
  for (let n = 0; n < flips; n += 1) flipBit(bytes, n === 0 ? first : random.below(bytes.length), random);
  files[at] = { path, content: bytes };
  return `${path}: ${flips} bits flipped, first in byte ${first}`;
}

function cutFile(files: ExportFile[], random: Random): string {
  const { at, path, bytes } = pickFile(files, random);
  const length = random.below(bytes.length);
  files[at] = { path, content: bytes.subarray(0, length) };
  return `${path}: cut to ${length} of ${bytes.length} bytes`;
}

function deleteFile(files: ExportFile[], random: Random): string {
  const { at, path } = pickFile(files, random);
  files.splice(at, 1);
  return `${path}: deleted`;
}

/** Stand for JSON that cannot be made from a value: they are put in as text afterwards. */
const rawJson: Readonly<Record<string, () => string>> = {
  '@deep list@': () => `${'['.repeat(3000)}${']'.repeat(3000)}`,
  '@very deep list@': () => `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
  '@deep object@': () => `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`,
  '@long text@': () => JSON.stringify('x'.repeat(2_000_000)),
  '@long list@': () => `[${'0,'.repeat(100_000)}0]`,
  '@large number@': () => '123456789012345678901234567890',
  '@endless number@': () => '1e999',
  '@lone surrogate@': () => '"a\\ud83d b"',
  '@NUL@': () => '"a\\u0000b"',
};

const oddValues: readonly JsonValue[] = [
  null,
  true,
  0,
  -1,
  42,
  1.5,
  '',
  'text',
  '1700000000.1',
  '99999999999.000000',
  'U0ALICE',
  [],
  {},
  [null],
  [[]],
  [''],
  { ts: null },
  { id: {} },
  ...Object.keys(rawJson),
];

function swapValue(files: ExportFile[], random: Random): string {
  const { at, path, json } = pickJson(files, random);
  const places = placesIn(json);
  const place = random.pick(places);
  const value = random.pick(oddValues);
  place.set(value);
  files[at] = { path, content: withRawJson(slackJson(json)) };
  return `${path}: ${place.name} becomes ${JSON.stringify(value)}`;
}

function deleteKey(files: ExportFile[], random: Random): string {
  const { at, path, json } = pickJson(files, random);
  const place = random.pick(placesIn(json));
  place.remove();
  files[at] = { path, content: slackJson(json) };
  return `${path}: ${place.name} deleted`;
}

function addKey(files: ExportFile[], random: Random): string {
  const { at, path, json } = pickJson(files, random);
  const key = random.pick(['__proto__', 'constructor', 'toString', 'ts', 'channel', 'team_id', '']);
  const value = random.pick(oddValues);
  const text = withRawJson(slackJson(json));
  // Into an object somewhere, where the key may be already: then JSON has it twice, which parsers take in silence.
  const braces = [...text.matchAll(/\{\n/g)].map(({ index }) => index + 1);
  const into = braces.length === 0 ? 0 : random.pick(braces);
  const added = `${JSON.stringify(key)}: ${withRawJson(JSON.stringify(value))},`;
  files[at] = { path, content: `${text.slice(0, into)}${added}${text.slice(into)}` };
  return `${path}: key ${JSON.stringify(key)} with ${JSON.stringify(value)} added at character ${into}`;
}

function duplicateElement(files: ExportFile[], random: Random): string {
  const { at, path, json } = pickJson(files, random);
  if (!Array.isArray(json) || json.length === 0) return deleteFile(files, random);
  const from = random.below(json.length);
  const copy = structuredClone(json[from] ?? null);
  if (isObject(copy) && random.chance(0.5)) copy['text'] = 'another text';
  const target = random.chance(0.5) ? at : pickJson(files, random).at;
  const into = target === at ? json : parse(files[target]);
  if (!Array.isArray(into)) return deleteFile(files, random);
  into.splice(random.below(into.length + 1), 0, copy);
  const targetPath = files[target]?.path ?? path;
  files[target] = { path: targetPath, content: slackJson(into) };
  return `${path}: element ${from} again in ${targetPath}`;
}

const garbage: readonly Buffer[] = [
  Buffer.from('\ufeff'),
  Buffer.from(','),
  Buffer.from('// a comment\n'),
  Buffer.from('[]'),
  Buffer.from('NaN'),
  Buffer.from('\0\0\0\0'),
  Buffer.from([0xff, 0xfe, 0xfd]),
  Buffer.from([0xc3]),
  Buffer.from('<<<<<<< HEAD\n'),
  Buffer.from('{"ok": false}'),
  Buffer.from('"'),
];

function addGarbage(files: ExportFile[], random: Random): string {
  const { at, path, bytes } = pickFile(files, random);
  const piece = random.pick(garbage);
  const into = random.pick([0, bytes.length, random.below(bytes.length)]);
  files[at] = { path, content: Buffer.concat([bytes.subarray(0, into), piece, bytes.subarray(into)]) };
  return `${path}: ${JSON.stringify(piece.toString('latin1'))} put in at byte ${into}`;
}

const contents = [
  '',
  ' \n',
  'null',
  '{}',
  '[]',
  '[\n\n]',
  '[\n""\n]',
  '"text"',
  '[',
  '[[[[',
  '[null]',
  'Not found',
  '0',
];

function replaceContent(files: ExportFile[], random: Random): string {
  const { at, path } = pickFile(files, random);
  const content = random.pick(contents);
  files[at] = { path, content };
  return `${path}: holds ${JSON.stringify(content)} and nothing else`;
}

const encodings: Readonly<Record<string, (text: string) => Buffer>> = {
  'UTF-8 with a byte order mark': (text) => Buffer.from(`\ufeff${text}`),
  'CR LF': (text) => Buffer.from(text.replaceAll('\n', '\r\n')),
  'CR alone': (text) => Buffer.from(text.replaceAll('\n', '\r')),
  'UTF-16': (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'UTF-16 without a mark': (text) => Buffer.from(text, 'utf16le'),
  'Latin-1': (text) => Buffer.from(unescaped(text), 'latin1'),
  'UTF-8 without escapes': (text) => Buffer.from(unescaped(text)),
  'one line': (text) => Buffer.from(text.replace(/\n */g, '')),
};

function changeEncoding(files: ExportFile[], random: Random): string {
  const { at, path, bytes } = pickFile(files, random);
  const name = random.pick(Object.keys(encodings));
  files[at] = { path, content: encodings[name]?.(bytes.toString('utf8')) ?? bytes };
  return `${path}: written as ${name}`;
}

function unescaped(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})/g, (found, hex: string) =>
    Number.parseInt(hex, 16) < 0x80 ? found : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const oddPaths: readonly ((path: string) => string)[] = [
  (path) => `/${path}`,
  (path) => `../${path}`,
  (path) => `a/../../${path}`,
  (path) => path.replaceAll('/', '\\'),
  (path) => `C:\\export\\${path}`,
  (path) => `./${path}`,
  (path) => path.replace('/', '//'),
  (path) => path.toUpperCase(),
  (path) => `${'n'.repeat(5000)}/${path}`,
  (path) => `${'d/'.repeat(300)}${path}`,
  (path) => path.replace(/[^/]*$/, '2024-02-30.json'),
  (path) => path.replace(/[^/]*$/, '2024-13-45.json'),
  (path) => path.replace(/[^/]*$/, '0000-00-00.json'),
  (path) => path.replace(/\.json$/, ' .json'),
  (path) => path.replace(/\.json$/, ''),
  (path) => path.replace(/([^/]*)$/, '._$1'),
  (path) => `__MACOSX/${path}`,
  (path) => `.git/${path}`,
  (path) => `teams/other/${path}`,
  (path) => `deeper/${path}`,
  (path) => path.replace(/^[^/]*/, 'FC:F0123456:1'),
  (path) => path.replace(/^[^/]*\//, ''),
  (path) => `${path}\n`,
  (path) => `${path}\0`,
];

function renameFile(files: ExportFile[], random: Random): string {
  const { at, path, bytes } = pickFile(files, random);
  const name = random.pick(oddPaths)(path);
  files[at] = { path: name, content: bytes };
  return `${path}: named ${shortened(name)}`;
}

const oddFolders = [
  '..',
  '.',
  '',
  ' ',
  'con',
  'a\\b',
  '__MACOSX',
  'FC:F0123456:1',
  'teams',
  'C0WORK',
  '__proto__',
  '\u202egnp',
  'große',
  'gro\u0308ße',
  'n'.repeat(300),
];

function renameFolder(files: ExportFile[], random: Random): string {
  const folders = [
    ...new Set(files.flatMap(({ path }) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : []))),
  ];
  if (folders.length === 0) return renameFile(files, random);
  const folder = random.pick(folders);
  // A folder of that name may be there already: then two conversations are in one.
  const name = random.pick([...oddFolders, ...folders]);
  for (const [at, { path, content }] of files.entries()) {
    if (path.startsWith(`${folder}/`)) files[at] = { path: `${name}${path.slice(folder.length)}`, content };
  }
  return `${folder}/: named ${shortened(name)}/`;
}

function swapContents(files: ExportFile[], random: Random): string {
  const one = pickFile(files, random);
  const other = pickFile(files, random);
  files[one.at] = { path: one.path, content: other.bytes };
  files[other.at] = { path: other.path, content: one.bytes };
  return `${one.path} and ${other.path}: contents swapped`;
}

function repeatPath(files: ExportFile[], random: Random): string {
  const one = pickFile(files, random);
  const other = random.chance(0.5) ? one : pickFile(files, random);
  files.splice(random.below(files.length + 1), 0, { path: one.path, content: other.bytes });
  return `${one.path}: in the zip once more, with the content of ${other.path}`;
}

function isForZipsOnly(files: readonly ExportFile[]): boolean {
  const paths = new Set(files.map(({ path }) => path.toLowerCase()));
  // A file cannot be a folder too.
  const isFolder = (path: string): boolean => files.some((file) => file.path.startsWith(`${path}/`));
  return (
    paths.size < files.length ||
    files.some(
      ({ path }) =>
        /^\/|\/$|\\|\/\/|[\0\n]/.test(path) ||
        path.length > 1000 ||
        path.split('/').some((name) => name === '..' || name === '.' || Buffer.byteLength(name) > 255) ||
        isFolder(path),
    )
  );
}

function shortened(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 20)}... (${name.length} characters)` : name);
}

interface Picked {
  at: number;
  path: string;
  /** A copy. */
  bytes: Buffer;
}

/** A file that is not empty: a list as often as all day files are rare. */
function pickFile(files: readonly ExportFile[], random: Random): Picked {
  const indexes = files.flatMap(({ content }, at) => (content.length > 0 ? at : []));
  const lists = indexes.filter((at) => !files[at]?.path.includes('/'));
  const at = random.pick(lists.length > 0 && random.chance(0.25) ? lists : indexes);
  const { path, content } = files[at] ?? { path: '', content: '' };
  return { at, path, bytes: Buffer.from(content) };
}

function pickJson(files: readonly ExportFile[], random: Random): Picked & { json: JsonValue } {
  const picked = pickFile(files, random);
  return { ...picked, json: parse(files[picked.at]) };
}

function parse(file: ExportFile | undefined): JsonValue {
  try {
    return JSON.parse(String(file?.content)) as JsonValue;
  } catch {
    // It was damaged before.
    return [];
  }
}

/** A place in a JSON value that can hold another value. */
interface Place {
  name: string;
  set(value: JsonValue): void;
  remove(): void;
}

/** All of them, each level as often as the one below: what is damaged deep inside hardly anybody reads. */
function placesIn(json: JsonValue): Place[] {
  const places: Place[][] = [];
  const walk = (value: JsonValue, name: string, depth: number): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      const place = placeOf(value, key, `${name}/${key}`);
      places[depth] ??= [];
      places[depth].push(place);
      walk(Array.isArray(value) ? (value[Number(key)] ?? null) : (value[key] ?? null), place.name, depth + 1);
    }
  };
  walk(json, '', 0);
  const most = Math.max(0, ...places.map((level) => level.length));
  const whole: Place = { name: 'nothing', set: () => undefined, remove: () => undefined };
  if (most === 0) return [whole];
  return places.flatMap((level) => Array.from({ length: Math.ceil(most / level.length) }, () => level).flat());
}

function placeOf(parent: JsonValue[] | JsonObject, key: string, name: string): Place {
  return {
    name,
    // Also at an index of a list; `defineProperty` makes a key of `__proto__` too.
    set: (value) => void Object.defineProperty(parent, key, { value, enumerable: true, configurable: true }),
    remove: () => void (Array.isArray(parent) ? parent.splice(Number(key), 1) : Reflect.deleteProperty(parent, key)),
  };
}

function withRawJson(text: string): string {
  return text.replace(/"(@[^@"\n]+@)"/g, (found, name: string) => rawJson[name]?.() ?? found);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function flipBit(bytes: Buffer, at: number, random: Random): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
}

type ZipDamage = (bytes: Buffer, random: Random) => ZipMutant;

const zipDamages: readonly ZipDamage[] = [
  flipAnywhere,
  changeDirectoryField,
  cutZip,
  changeLocalField,
  flipInDirectory,
  changeEndField,
  addBytes,
  eraseBytes,
  changeDirectoryField,
  swapOffsets,
];

function flipAnywhere(bytes: Buffer, random: Random): ZipMutant {
  const flips = 1 + random.below(16);
  for (let n = 0; n < flips; n += 1) flipBit(bytes, random.below(bytes.length), random);
  return { description: `zip: ${flips} bits flipped anywhere`, bytes };
}

function flipInDirectory(bytes: Buffer, random: Random): ZipMutant {
  const { start, end } = partsOf(bytes);
  const at = start + random.below(bytes.length - start);
  flipBit(bytes, at, random);
  return { description: `zip: a bit flipped ${at < end ? 'in the directory' : 'behind it'}, byte ${at}`, bytes };
}

function cutZip(bytes: Buffer, random: Random): ZipMutant {
  const { start } = partsOf(bytes);
  const from = random.chance(0.2) ? 1 + random.below(200) : 0;
  const to =
    from > 0 ? bytes.length : random.pick([random.below(bytes.length), start, bytes.length - 1 - random.below(40)]);
  return {
    description: `zip: only bytes ${from} to ${to} of ${bytes.length}`,
    bytes: bytes.subarray(from, Math.max(to, 0)),
  };
}

function addBytes(bytes: Buffer, random: Random): ZipMutant {
  const piece = Buffer.from(Array.from({ length: 1 + random.below(300) }, () => random.below(256)));
  const at = random.pick([0, bytes.length, random.below(bytes.length)]);
  const description = `zip: ${piece.length} bytes of garbage put in at ${at} of ${bytes.length}`;
  return { description, bytes: Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]) };
}

function eraseBytes(bytes: Buffer, random: Random): ZipMutant {
  const from = random.below(bytes.length);
  const to = Math.min(bytes.length, from + 1 + random.below(5000));
  bytes.fill(0, from, to);
  return { description: `zip: bytes ${from} to ${to} of ${bytes.length} are zeros`, bytes };
}

interface Field {
  name: string;
  at: number;
  length: 2 | 4;
}

/** Offsets within the headers: APPNOTE 4.3.12, 4.3.7 and 4.3.16. */
const directoryFields: readonly Field[] = [
  { name: 'version', at: 6, length: 2 },
  { name: 'flags', at: 8, length: 2 },
  { name: 'method', at: 10, length: 2 },
  { name: 'date', at: 14, length: 2 },
  { name: 'checksum', at: 16, length: 4 },
  { name: 'packed size', at: 20, length: 4 },
  { name: 'size', at: 24, length: 4 },
  { name: 'length of the name', at: 28, length: 2 },
  { name: 'length of the extra field', at: 30, length: 2 },
  { name: 'length of the comment', at: 32, length: 2 },
  { name: 'attributes', at: 38, length: 4 },
  { name: 'offset', at: 42, length: 4 },
];
const localFields: readonly Field[] = [
  { name: 'signature', at: 0, length: 4 },
  { name: 'flags', at: 6, length: 2 },
  { name: 'method', at: 8, length: 2 },
  { name: 'size', at: 22, length: 4 },
  { name: 'length of the name', at: 26, length: 2 },
  { name: 'length of the extra field', at: 28, length: 2 },
];
const endFields: readonly Field[] = [
  { name: 'disk', at: 4, length: 2 },
  { name: 'entries on this disk', at: 8, length: 2 },
  { name: 'entries', at: 10, length: 2 },
  { name: 'size of the directory', at: 12, length: 4 },
  { name: 'offset of the directory', at: 16, length: 4 },
  { name: 'length of the comment', at: 20, length: 2 },
];

function changeDirectoryField(bytes: Buffer, random: Random): ZipMutant {
  const { headers } = partsOf(bytes);
  const n = random.below(headers.length);
  return change(bytes, headers[n] ?? 0, random.pick(directoryFields), `entry ${n}`, random);
}

function changeLocalField(bytes: Buffer, random: Random): ZipMutant {
  const { headers } = partsOf(bytes);
  const n = random.below(headers.length);
  const at = bytes.readUInt32LE((headers[n] ?? 0) + 42);
  return change(bytes, at, random.pick(localFields), `header before the content of entry ${n}`, random);
}

function changeEndField(bytes: Buffer, random: Random): ZipMutant {
  return change(bytes, partsOf(bytes).end, random.pick(endFields), 'end record', random);
}

function change(bytes: Buffer, header: number, field: Field, where: string, random: Random): ZipMutant {
  const largest = field.length === 2 ? 0xffff : 0xffff_ffff;
  const at = header + field.at;
  const old = bytes.readUIntLE(at, field.length);
  const value = random.pick([0, 1, largest, largest - 1, old + 1, Math.max(0, old - 1), random.below(largest)]);
  bytes.writeUIntLE(value > largest ? 0 : value, at, field.length);
  return { description: `zip, ${where}: ${field.name} is ${value} instead of ${old}`, bytes };
}

function swapOffsets(bytes: Buffer, random: Random): ZipMutant {
  const { headers } = partsOf(bytes);
  const [a, b] = [random.below(headers.length), random.below(headers.length)];
  const [atA, atB] = [(headers[a] ?? 0) + 42, (headers[b] ?? 0) + 42];
  const offset = bytes.readUInt32LE(atA);
  bytes.writeUInt32LE(bytes.readUInt32LE(atB), atA);
  bytes.writeUInt32LE(offset, atB);
  return { description: `zip: entries ${a} and ${b} point to each other's content`, bytes };
}

/** Where things are in a zip without zip64 and without a comment that looks like one. */
function partsOf(bytes: Buffer): { start: number; end: number; headers: number[] } {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const start = bytes.readUInt32LE(end + 16);
  const headers: number[] = [];
  for (let at = start; at + 46 <= end && bytes.readUInt32LE(at) === 0x02014b50; ) {
    headers.push(at);
    at += 46 + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return { start, end, headers };
}
