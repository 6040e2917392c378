import { readFileSync } from 'node:fs';

/** The version in package.json: one folder up from dist and from src, two from build/src. */
export const appVersion = readVersion();

function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    const text = readIfPresent(new URL(path, import.meta.url));
    const parsed: unknown = text === undefined ? undefined : JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'version' in parsed && typeof parsed.version === 'string') {
      return parsed.version;
    }
  }
  return '0.0.0';
}

function readIfPresent(url: URL): string | undefined {
  try {
    return readFileSync(url, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
