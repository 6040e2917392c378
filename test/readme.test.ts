/** What the README says about commands, flags, settings, exit codes and SQL is true of the program. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readConfigFile } from '../src/config/file.ts';
import { fileSchema, knownKeys } from '../src/config/schema.ts';
import { exitCodes } from '../src/exit-codes.ts';
import { createSqlite } from './support/databases.ts';
import { runCli } from './support/run-cli.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The content of the fenced blocks of a language. */
function blocks(language: string): string[] {
  return Array.from(readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms')), ([, text = '']) => text);
}

function section(title: string): string {
  const [, text = ''] = readme.split(`\n## ${title}\n`);
  return text.split('\n## ')[0] ?? '';
}

const helpTexts = new Map<string, Promise<string>>();

function helpOf(command: string): Promise<string> {
  const known = helpTexts.get(command) ?? runCli([command, '--help']).then(({ stdout }) => stdout);
  helpTexts.set(command, known);
  return known;
}

async function commandNames(): Promise<string[]> {
  const { stdout } = await runCli(['--help']);
  const [, list = ''] = stdout.split('\nCommands:\n');
  return Array.from(list.matchAll(/^ {2}([a-z][a-z-]*)/gm), ([, name = '']) => name).filter((name) => name !== 'help');
}

/** Every `slackingest <command> <flags>` in code, up to the end of the line or a comment, pipe or redirection. */
function invocations(): { command: string; flags: string[] }[] {
  const code = readme.match(/^```.*?^```$|`[^`\n]+`/gms) ?? [];
  return code.flatMap((text) =>
    Array.from(
      text.matchAll(/\bslackingest(?:\.js)? ((?:(?:sync-)?[a-z]+ ?)?)((?:[^\n`#|>&;]*))/g),
      ([, command = '', rest = '']) => ({
        command: command.trim(),
        flags: Array.from(rest.matchAll(/(?<=^|\s)--[a-z][a-z-]*/g), ([flag]) => flag),
      }),
    ),
  );
}

describe('the README', () => {
  it('names only commands and flags that there are', async () => {
    const commands = await commandNames();
    const named = invocations().filter(({ command }) => command !== '');
    expect(named.length).toBeGreaterThan(10);
    for (const { command, flags } of named) {
      expect(commands).toContain(command);
      const help = await helpOf(command);
      for (const flag of flags) expect(help, `${command} ${flag}`).toContain(`${flag} `);
    }
  });

  it('names flags by themselves only when a command has them', async () => {
    const helps = await Promise.all((await commandNames()).map(helpOf));
    const flags = Array.from(readme.matchAll(/`(--[a-z][a-z-]*)[^`]*`/g), ([, flag = '']) => flag);
    expect(flags.length).toBeGreaterThan(5);
    expect(flags.filter((flag) => !helps.some((help) => help.includes(`${flag} `)))).toEqual([]);
  });

  it('says of no command that it does not exist when it does', async () => {
    const [sentence = ''] = readme.match(/the commands [^;]*? do not exist yet/s) ?? [];
    const missing = Array.from(sentence.matchAll(/`([a-z-]+)`/g), ([, name = '']) => name);
    const commands = await commandNames();
    expect(missing.filter((name) => commands.includes(name))).toEqual([]);
  });

  it('names npm scripts that there are', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    const named = Array.from(readme.matchAll(/npm run (?:-s )?([a-z:]+)/g), ([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it('lists the exit codes as the program has them', () => {
    const listed = Array.from(section('Exit codes').matchAll(/^\| (\d+) \|/gm), ([, code]) => Number(code));
    expect(listed).toEqual(Object.values(exitCodes));
  });

  it('shows a config file that loads and has every key', async () => {
    const [text = ''] = blocks('yaml');
    const folder = mkdtempSync(join(tmpdir(), 'slackingest-readme-'));
    try {
      writeFileSync(join(folder, 'slackingest.yaml'), text);
      const { settings } = await readConfigFile(undefined, {}, folder, folder);
      expect(settings.workspaces.map(({ name }) => name)).toEqual(['acme', 'lab']);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const shown = [...text.matchAll(/([a-z_]+):/g)].map(([, key]) => key);
    expect(Object.values(knownKeys).flatMap((keys) => keys.filter((key) => !shown.includes(key)))).toEqual([]);
  });

  it('shows the defaults of the config file where it says nothing else', () => {
    const shown = fileSchema.parse(parse(blocks('yaml')[0] ?? ''));
    const defaults = fileSchema.parse({});
    const pick = ({ lookback, threads, lock_timeout, users_max_age, pace }: typeof defaults) => ({
      lookback,
      threads,
      lock_timeout,
      users_max_age,
      pace,
    });
    expect(pick(shown)).toEqual(pick(defaults));
  });

  it('links to an app with the manifest of this repository', () => {
    const [, link = ''] = readme.match(/\]\((https:\/\/api\.slack\.com\/apps\?[^)\s]+)\)/) ?? [];
    const manifest = readFileSync(join(root, 'slack-app-manifest.yaml'), 'utf8');
    expect(new URL(link).searchParams.get('new_app')).toBe('1');
    expect(parse(new URL(link).searchParams.get('manifest_yaml') ?? '')).toEqual(parse(manifest));
  });

  it('names only files that there are', () => {
    const files = Array.from(readme.matchAll(/\]\(([^):#]+)\)/g), ([, file = '']) => file);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) expect(() => readFileSync(join(root, file))).not.toThrow();
  });
});

describe('the list of tables in the README', () => {
  it('has all of them', async () => {
    await using database = await createSqlite();
    const { db } = await database.openMigrated();
    const tables = (await db.introspection.getTables()).map(({ name }) => name);
    const [list = ''] = section('What is stored').split('\nThese give');
    expect(tables).toContain('messages');
    expect(tables.filter((name) => !list.includes(`\`${name}\``))).toEqual([]);
  });
});
