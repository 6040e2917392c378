/** What a path inside an archive says about the file, before anybody opens it. */
import { codePage437, inCodePage } from './spellings.ts';

/** Left behind by systems and people that packed the export again; never part of what Slack wrote. */
const debrisNames = new Set(['thumbs.db', 'desktop.ini', '__macosx']);

/** Whether a file or a folder around it is debris of a file system: `__MACOSX/`, `._name`, `.DS_Store`, `.git/`. */
export function isDebris(path: string): boolean {
  return path
    .split('/')
    .some((name) => (name.startsWith('.') && !/^\.+$/.test(name)) || debrisNames.has(name.toLowerCase()));
}

/** Names longer than any file system writes. */
const longestPath = 4096;

/** Why a path cannot be one inside an export; null when it can. */
export function unsafePath(path: string): string | null {
  if (path === '') return 'has no name';
  if (path.length > longestPath) return `has a name of ${path.length} characters`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'has control characters in its name';
  if (path.includes('\\')) return 'has a backslash in its name';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'has an absolute path';
  const names = path.split('/');
  if (names.includes('..') || names.includes('.')) return 'has a path that leads out of the export';
  return names.includes('') ? 'has a path with an empty name in it' : null;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A name as it is stored, in a zip or by a file system. Slack writes UTF-8 without saying so, so the bytes decide and not the flag
 * of the zip.
 */
export function decodeName(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return inCodePage(bytes, codePage437);
  }
}
