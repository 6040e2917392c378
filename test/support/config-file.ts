import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A config file with this content, removed when the test ends; returns its path. */
export function configFile(yaml: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'slackingest-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'slackingest.yaml');
  writeFileSync(path, yaml);
  return path;
}
