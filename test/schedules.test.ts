/** The schedules that people copy: crontab lines and the workflow, as they stand in the README and beside it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const workflow = readFileSync(join(root, '.github/workflows/ingest.yml'), 'utf8');

/** The commands of the crontab lines: what stands behind the five fields of time, with cron's own `\%`. */
const cronCommands = Array.from(readme.matchAll(/^```crontab\n(.*?)^```$/gms), ([, block = '']) => block)
  .flatMap((block) => block.split('\n'))
  .flatMap((line) => /^(?:[\d*/,-]+ ){5}(.+)$/.exec(line)?.[1]?.replaceAll('\\%', '%') ?? []);

/** Runs a line as cron does, with a `node` that prints and ends as it is told. */
function runLine(command: string, code: number) {
  const home = mkdtempSync(join(tmpdir(), 'slackingest-cron-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  mkdirSync(join(home, 'slackingest'));
  const node = join(home, 'node');
  writeFileSync(node, `#!/bin/sh\necho "result of $*"\necho 'error: why' >&2\nexit ${code}\n`);
  chmodSync(node, 0o755);
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', command], {
    env: { HOME: home, PATH: `${home}:/usr/bin:/bin` },
    encoding: 'utf8',
  });
  return { printed: stdout + stderr, files: readdirSync(join(home, 'slackingest')) };
}

describe.each(cronCommands)('the crontab line %s', (command) => {
  it.each([1, 2, 3, 4, 143])('prints the log after exit code %i, so that cron mails it', (code) => {
    expect(runLine(command, code).printed).toMatch(/^result of .*\nerror: why\n$/);
  });

  it.each([0, 75])('prints nothing after exit code %i', (code) => {
    expect(runLine(command, code).printed).toBe('');
  });

  it('writes no file that a full disk or another run could spoil', () => {
    expect(runLine(command, 1).files).toEqual([]);
  });
});

it('finds the crontab lines of the README', () => {
  expect(cronCommands.length).toBeGreaterThanOrEqual(2);
});

describe('the workflow', () => {
  interface Step {
    name?: string;
    uses?: string;
    with?: Record<string, unknown>;
    env?: Record<string, string>;
    run?: string;
  }
  const { permissions, concurrency, jobs } = parse(workflow);
  const steps: Step[] = jobs.ingest.steps;

  it('runs nothing that is not pinned to a commit', () => {
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/@[0-9a-f]{40}$/);
    const checkout = steps.find(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkout?.with).toMatchObject({ ref: '$' + '{{ env.SOURCE_COMMIT }}', 'persist-credentials': false });
  });

  it('shows the secrets to the step that copies, and to none that installs', () => {
    const withSecrets = steps.filter((step) => JSON.stringify(step).includes('secrets.'));
    expect(withSecrets.map(({ name }) => name)).toEqual(['Ingest']);
    expect(withSecrets[0]?.run).not.toMatch(/\b(?:npm|npx)\b/);
    expect(workflow.split('jobs:')[0]).not.toContain('secrets.');
  });

  it('may read only, runs alone and not for ever', () => {
    expect(permissions).toEqual({ contents: 'read' });
    expect(concurrency).toMatchObject({ 'cancel-in-progress': false });
    expect(jobs.ingest['timeout-minutes']).toBeLessThan(60);
  });
});

it('no text tells to install the program by its name, which is not published', () => {
  const texts = ['README.md', 'slack-app-manifest.yaml', ...filesIn('src'), ...filesIn('.github'), ...filesIn('bin')];
  const byName = /\b(?:npx|bunx|npm (?:i|install|exec|x)|pnpm (?:add|dlx)|yarn (?:add|dlx))\b[^\n]*\bslackingest\b/;
  expect(texts.filter((path) => byName.test(readFileSync(join(root, path), 'utf8')))).toEqual([]);
});

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}
