import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withDotEnv } from '../../src/config/env.ts';
import type { Config, ConfigSources } from '../../src/config/load.ts';
import { loadConfig, selectWorkspaces, unknownWorkspace } from '../../src/config/load.ts';
import { UsageError } from '../../src/errors.ts';

let directory: string;
let home: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slackingest-config-'));
  home = join(directory, 'home');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const absolute = join(directory, path);
  mkdirSync(dirname(absolute), { recursive: true });
  writeFileSync(absolute, text);
  return absolute;
}

function load(sources: Partial<ConfigSources> = {}): Promise<Config> {
  return loadConfig({ flags: {}, env: {}, directory, home, apiUrlIsLoopback: false, ...sources });
}

function loadYaml(text: string, sources: Partial<ConfigSources> = {}): Promise<Config> {
  write('slackingest.yaml', text);
  return load(sources);
}

describe('loadConfig', () => {
  it('has a default for everything', async () => {
    expect(await load()).toEqual({
      file: null,
      database: `sqlite:${home}/.local/share/slackingest/slackingest.db`,
      threads: true,
      auditRequests: 10,
      maxDurationMs: null,
      maxRequests: null,
      lockTimeoutMs: 0,
      usersMaxAgeMs: 86_400_000,
      pace: 1,
      workspaces: [
        {
          name: 'default',
          tokenEnv: 'SLACK_TOKEN',
          teamId: null,
          channels: { include: [], exclude: [] },
          discard: [],
          lookbackMs: 604_800_000,
          retention: 'unknown',
          digestChannel: null,
        },
      ],
      digest: expect.objectContaining({ timezone: 'UTC', max_events: 10, min_confidence: 0.7, private_channels: [] }),
      scoring: expect.objectContaining({ threshold: 0, trusted_bots: [], channels: [] }),
      deduplication: { date_window_hours: 48, title_similarity: 0.8, message_lookback_days: 7 },
      importance: expect.objectContaining({ category: {} }),
      llm: {
        temperature: 1,
        timeout_seconds: 120,
        daily_budget_usd: 10,
        max_events_per_msg: 5,
        cache_ttl_days: 21,
        max_candidates: 50,
        prices: {},
      },
      configHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('lets flags beat the environment, the environment the file, the file the defaults', async () => {
    const yaml = 'database: sqlite:file.db\nlookback: 1d\nlock_timeout: 5m\n';
    const env = { DATABASE_URL: 'sqlite:env.db' };
    expect((await loadYaml(yaml)).database).toBe('sqlite:file.db');
    expect((await load({ env })).database).toBe('sqlite:env.db');
    expect((await load({ env, flags: { database: 'sqlite:flag.db' } })).database).toBe('sqlite:flag.db');
    expect((await load({ flags: { lookback: '2h' } })).workspaces[0]?.lookbackMs).toBe(7_200_000);
    expect((await load()).lockTimeoutMs).toBe(300_000);
  });

  it('takes the digest and its language model from the file, the environment beating it', async () => {
    const yaml =
      'digest: { channel: daily, timezone: Europe/Berlin }\nllm: { model: a, temperature: 0.5, prices: { a: { input: 1, output: 2 } } }\n';
    expect(await loadYaml(yaml)).toMatchObject({
      digest: { timezone: 'Europe/Berlin' },
      workspaces: [{ digestChannel: 'daily' }],
      llm: { model: 'a', temperature: 0.5 },
    });
    const env = {
      SLACK_DIGEST_CHANNEL_ID: 'C1',
      TZ_DEFAULT: 'Asia/Kolkata',
      LLM_MODEL: 'b',
      OPENAI_BASE_URL: 'https://models.example/v1',
      LLM_TEMPERATURE: '0',
      LLM_DAILY_BUDGET_USD: '0.5',
      LLM_DAILY_BUDGET_TOKENS: '1000',
      LLM_PRICE_INPUT: '0.1',
      LLM_PRICE_OUTPUT: '0.2',
    };
    expect(await load({ env })).toMatchObject({
      digest: { timezone: 'Asia/Kolkata' },
      workspaces: [{ digestChannel: 'C1' }],
      llm: {
        model: 'b',
        base_url: 'https://models.example/v1',
        temperature: 0,
        daily_budget_usd: 0.5,
        daily_budget_tokens: 1000,
        prices: { a: { input: 1, output: 2 }, b: { input: 0.1, output: 0.2 } },
      },
    });
  });

  it.each([
    [{ LLM_TEMPERATURE: 'hot' }, 'LLM_TEMPERATURE: "hot" is not a number from 0 to 2'],
    [{ LLM_CACHE_TTL_DAYS: '1.5' }, 'LLM_CACHE_TTL_DAYS: "1.5" is not a whole number'],
    [{ TZ_DEFAULT: 'Mars/Olympus' }, 'digest.timezone: "Mars/Olympus" is not a time zone'],
  ])('refuses %j', async (env, message) => {
    await expect(load({ env })).rejects.toThrow(message);
  });

  it('takes no time at all for an answer where it makes sense', async () => {
    expect(await load({ flags: { lookback: '0s', lockTimeout: '0' } })).toMatchObject({ lockTimeoutMs: 0 });
    expect((await loadYaml('users_max_age: 0s')).usersMaxAgeMs).toBe(0);
  });

  it('is frozen to its leaves', async () => {
    const config = await loadYaml('channels: {include: [a]}');
    expect(Object.isFrozen(config.workspaces[0]?.channels.include)).toBe(true);
  });

  it.each([
    ['--lookback', { lookback: 'x' }],
    ['--max-duration', { maxDuration: '5' }],
    ['--max-duration', { maxDuration: '0s' }],
    ['--max-duration', { maxDuration: '0' }],
    ['--lock-timeout', { lockTimeout: '-1s' }],
    ['--max-requests', { maxRequests: '0' }],
    ['--max-requests', { maxRequests: '1e3' }],
  ])('names the flag %s when its value is wrong', async (name, flags) => {
    await expect(load({ flags })).rejects.toThrow(UsageError);
    await expect(load({ flags })).rejects.toThrow(name);
  });

  describe('the config file', () => {
    it('is the first of flag, variable, directory and config home', async () => {
      const xdg = write('xdg/slackingest/config.yaml', 'lookback: 4d');
      const env = { XDG_CONFIG_HOME: join(directory, 'xdg') };
      expect((await load({ env })).file).toBe(xdg);
      const local = write('slackingest.yaml', 'lookback: 3d');
      expect((await load({ env })).file).toBe(local);
      const named = write('named.yaml', 'lookback: 2d');
      expect((await load({ env: { ...env, SLACKINGEST_CONFIG: 'named.yaml' } })).file).toBe(named);
      const flag = write('flag.yaml', 'lookback: 1d');
      expect((await load({ env: { ...env, SLACKINGEST_CONFIG: 'named.yaml' }, flags: { config: flag } })).file).toBe(
        flag,
      );
    });

    it('falls back to ~/.config', async () => {
      const path = write('home/.config/slackingest/config.yaml', '');
      expect((await load()).file).toBe(path);
    });

    it('must exist when it was named', async () => {
      await expect(load({ flags: { config: 'missing.yaml' } })).rejects.toThrow(/--config.*missing\.yaml/);
      await expect(load({ env: { SLACKINGEST_CONFIG: 'missing.yaml' } })).rejects.toThrow(
        /SLACKINGEST_CONFIG.*missing\.yaml/,
      );
    });

    it('may be empty or hold comments only', async () => {
      expect((await loadYaml('# nothing yet\n')).threads).toBe(true);
    });

    it.each([
      ['lokback: 1d', 'unknown key "lokback", did you mean "lookback"?'],
      ['max-duration: 1h', 'unknown key "max-duration", did you mean "max_duration"?'],
      ['zebra: 1', 'unknown key "zebra"'],
      ['channels: {exclud: []}', 'unknown key "channels.exclud", did you mean "exclude"?'],
      [
        'workspaces: [{name: a, token_env: A, teamid: T1}]',
        'unknown key "workspaces[0].teamid", did you mean "team_id"?',
      ],
      [
        'discard: [{field: subtype, op: eq, value: x, notes: y}]',
        'unknown key "discard[0].notes", did you mean "note"?',
      ],
      ['__proto__: {a: 1}', 'unknown key "__proto__"'],
      ['lookback: 7 days', 'lookback: "7 days" is not a duration; write 90s, 15m, 36h or 7d'],
      ['lookback: 7', 'lookback: must be a duration such as 90s, 15m, 36h or 7d'],
      ['threads: "no"', 'threads: must be true or false'],
      ['max_requests: 0', 'max_requests: must be more than 0'],
      ['max_requests: many', 'max_requests: must be a number'],
      ['audit_requests: -1', 'audit_requests: must be at least 0'],
      ['audit_requests: 1.5', 'audit_requests: must be a whole number'],
      ['digest: { min_confidence: 7 }', 'digest.min_confidence: must be at most 1'],
      ['digest: { channel: "" }', 'digest.channel: must not be empty'],
      ['llm: { prices: { m: { input: 1 } } }', 'llm.prices.m.output: is missing'],
      ['max_duration: 0m', 'max_duration: must be longer than 0'],
      ['pace: fast', 'pace: must be a number above 0'],
      ['pace: 2', 'pace: "2" is faster than Slack allows'],
      ['channels: [a]', 'channels: must be a list of keys with their values'],
      ['- a', 'the whole must be a list of keys with their values'],
      ['workspaces: [{name: a}]', 'workspaces[0].token_env: is missing'],
      ['workspaces: [{name: a, token_env: A}, {name: A, token_env: B}]', 'two workspaces are called "A"'],
      [
        'workspaces: [{name: a, token_env: A, team_id: T1A}, {name: b, token_env: B, team_id: T1A}]',
        'the workspaces "a" and "b" have the same team_id',
      ],
      ['workspaces: [{name: a, token_env: "A B"}]', 'must be the name of an environment variable'],
      ['workspaces: [{name: a, token_env: A, team_id: acme}]', 'must be a team id'],
      ['discard: [{field: a..b, op: exists}]', 'discard[0].field: is no path'],
      ['discard: [{field: a, op: like, value: x}]', 'must be one of eq, in, exists'],
      ['discard: [{field: a, op: exists, value: x}]', 'unknown key "discard[0].value"'],
      ['discard: [{field: a, op: eq}]', 'discard[0].value: must be'],
      ['discard: [{field: a, op: in, value: []}]', 'discard[0].value: '],
      ['discard: [{field: a, op: regex, value: "("}]', 'discard[0].value: Invalid regular expression'],
      ['discard: [{field: a, op: regex, value: "(a+)+b"}]', 'discard[0].value: repeats a group'],
      ['discard: [{field: a, op: regex, value: "((x|a*)y){2,}"}]', 'discard[0].value: repeats a group'],
      [`discard: [{field: a, op: regex, value: ${'a'.repeat(501)}}]`, 'longer than 500'],
      ['a: [', ':1:'],
      ['threads: true\nthreads: false', ':2:1: Map keys must be unique'],
      ['lookback: !js/eval x', 'Unresolved tag'],
    ])('refuses %s', async (yaml, message) => {
      await expect(loadYaml(yaml)).rejects.toThrow(UsageError);
      await expect(loadYaml(yaml)).rejects.toThrow(message);
      await expect(loadYaml(yaml)).rejects.toThrow('slackingest.yaml');
    });

    it('tells all that is wrong at once', async () => {
      await expect(loadYaml('lookback: x\nthreds: true')).rejects.toThrow(/lookback.*threds/s);
    });

    it.each([
      ['workspaces: [{name: a, token_env: xoxb-12345-abc}]', 'workspaces[0].token_env holds a Slack token'],
      ['slack_token: xoxp-12345-abc', 'slack_token holds a Slack token'],
      ['discard: [{field: text, op: eq, value: [deep, {x: xapp-1-abc}]}]', 'holds a Slack token'],
    ])('refuses a token without quoting it: %s', async (yaml, message) => {
      await expect(loadYaml(yaml)).rejects.toThrow(message);
      await expect(loadYaml(yaml)).rejects.not.toThrow('12345');
    });

    it.each(['postgres://u:secret@h/db', 'postgres://h/db?password=secret', 'postgres://h/db?sslpassword=secret'])(
      'refuses a database password without quoting it: %s',
      async (url) => {
        await expect(loadYaml(`database: ${url}`)).rejects.toThrow('database holds a password');
        await expect(loadYaml(`database: ${url}`)).rejects.not.toThrow('secret');
      },
    );

    it('takes a database url without a password', async () => {
      expect((await loadYaml('database: postgres://u@h:5432/db?sslmode=require')).database).toContain('u@h:5432');
    });

    it('may discard messages that begin like a token', async () => {
      expect(
        (await loadYaml('discard: [{field: text, op: starts_with, value: xoxb-}]')).workspaces[0]?.discard,
      ).toHaveLength(1);
    });
  });

  it('compiles discard rules', async () => {
    const rules = `
discard:
  - {field: bot_profile.name, op: regex, value: '^CI (\\d|[+*])+$|x{3}', note: noise}
  - {field: subtype, op: in, value: [channel_join, 1, true, null]}
  - {field: bot_id, op: not_exists}
`;
    expect((await loadYaml(rules)).workspaces[0]?.discard).toEqual([
      {
        field: 'bot_profile.name',
        label: 'noise',
        test: { op: 'regex', pattern: /^CI (\d|[+*])+$|x{3}/u },
      },
      {
        field: 'subtype',
        label: 'subtype in ["channel_join",1,true,null]',
        test: { op: 'in', values: ['channel_join', 1, true, null] },
      },
      { field: 'bot_id', label: 'bot_id not_exists', test: { op: 'not_exists' } },
    ]);
  });

  it('merges general settings, workspace settings and flags', async () => {
    const yaml = `
lookback: 3d
channels: {include: [general], exclude: [hr-*]}
discard: [{field: a, op: exists}]
workspaces:
  - {name: acme, token_env: ACME_TOKEN, team_id: T0ACME, lookback: 1d, channels: {include: [random], exclude: [x]}, discard: [{field: b, op: exists}]}
  - {name: globex, token_env: GLOBEX_TOKEN}
`;
    const [acme, globex] = (await loadYaml(yaml)).workspaces;
    expect(acme).toMatchObject({
      tokenEnv: 'ACME_TOKEN',
      teamId: 'T0ACME',
      lookbackMs: 86_400_000,
      channels: { include: ['random'], exclude: ['hr-*', 'x'] },
      discard: [{ field: 'a' }, { field: 'b' }],
    });
    expect(globex).toMatchObject({
      teamId: null,
      lookbackMs: 259_200_000,
      channels: { include: ['general'], exclude: ['hr-*'] },
    });
    const [flagged] = (await load({ flags: { channel: ['dev'], exclude: ['y'], lookback: '5d' } })).workspaces;
    expect(flagged).toMatchObject({
      lookbackMs: 432_000_000,
      channels: { include: ['dev'], exclude: ['hr-*', 'x', 'y'] },
    });
  });

  it('reads threads from the file and only --no-threads from the flags', async () => {
    expect((await load({ flags: { threads: false } })).threads).toBe(false);
    expect((await loadYaml('threads: false', { flags: { threads: true } })).threads).toBe(false);
  });

  describe('pace', () => {
    it.each([
      ['0.5', 0.5],
      ['1', 1],
    ])('takes %s anywhere', async (text, pace) => {
      expect((await load({ env: { SLACKINGEST_PACE: text } })).pace).toBe(pace);
    });

    it.each([
      ['off', 'off'],
      ['20', 20],
    ])('takes %s on loopback only', async (text, pace) => {
      const env = { SLACKINGEST_PACE: text };
      expect((await load({ env, apiUrlIsLoopback: true })).pace).toBe(pace);
      await expect(load({ env })).rejects.toThrow(/SLACKINGEST_PACE.*faster/);
    });

    it.each(['0', '-1', 'fast', 'NaN', 'Infinity'])('refuses %s', async (text) => {
      await expect(load({ env: { SLACKINGEST_PACE: text }, apiUrlIsLoopback: true })).rejects.toThrow(UsageError);
    });
  });

  it('puts the database into an absolute XDG_DATA_HOME only', async () => {
    expect((await load({ env: { XDG_DATA_HOME: '/data' } })).database).toBe('sqlite:/data/slackingest/slackingest.db');
    expect((await load({ env: { XDG_DATA_HOME: 'data' } })).database).toContain(home);
  });

  describe('configHash', () => {
    it('depends on settings, not on how or where they were written', async () => {
      const written = (await loadYaml('lookback: 24h\nthreads: true')).configHash;
      expect((await loadYaml('threads: true\nlookback: 1d # same')).configHash).toBe(written);
      expect((await loadYaml('lookback: 2d')).configHash).not.toBe(written);
    });

    it('tells discard patterns apart and ignores passwords', async () => {
      const rule = async (pattern: string) =>
        (await loadYaml(`discard: [{field: a, op: regex, value: ${pattern}}]`)).configHash;
      expect(await rule('x')).not.toBe(await rule('y'));
      const database = async (password: string) =>
        (await load({ env: { DATABASE_URL: `postgres://u:${password}@h/db` } })).configHash;
      expect(await database('one')).toBe(await database('two'));
    });
  });
});

describe('selectWorkspaces', () => {
  const yaml = 'workspaces: [{name: acme, token_env: A, team_id: T0ACME}, {name: globex, token_env: B}]';

  it('selects by name or team id, in any case', async () => {
    const config = await loadYaml(yaml);
    expect(selectWorkspaces(config, undefined)).toHaveLength(2);
    expect(selectWorkspaces(config, 'Globex')?.map(({ name }) => name)).toEqual(['globex']);
    expect(selectWorkspaces(config, 't0acme')?.map(({ name }) => name)).toEqual(['acme']);
  });

  it('lists the known ones for an unknown name', async () => {
    const config = await loadYaml(yaml);
    expect(selectWorkspaces(config, 'initech')).toBeNull();
    expect(unknownWorkspace(config, 'initech')).toMatchObject({ hint: 'Configured: acme (T0ACME), globex.' });
  });

  it('takes any team id for a lone workspace whose team is not configured', async () => {
    const config = await load();
    expect(selectWorkspaces(config, 'T0123')).toMatchObject([{ name: 'default', teamId: 'T0123' }]);
    expect(selectWorkspaces(config, 'acme')).toBeNull();
  });
});

describe('withDotEnv', () => {
  it('adds what the environment lacks and overrides nothing, not even an empty value', async () => {
    write('.env', '# comment\nSLACK_TOKEN="xoxb-1"\nDATABASE_URL=sqlite:dot.db\nEMPTY=x\n');
    const env = { DATABASE_URL: 'sqlite:env.db', EMPTY: '' };
    expect(withDotEnv(env, directory)).toEqual({ SLACK_TOKEN: 'xoxb-1', DATABASE_URL: 'sqlite:env.db', EMPTY: '' });
  });

  it('does without the file, and without a directory of that name', async () => {
    expect(withDotEnv({ A: '1' }, directory)).toEqual({ A: '1' });
    mkdirSync(join(directory, '.env'));
    expect(withDotEnv({ A: '1' }, directory)).toEqual({ A: '1' });
  });
});
