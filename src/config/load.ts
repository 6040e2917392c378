/**
 * Flags, environment, config file and defaults become one Config. Flags beat the environment, the environment
 * beats the file, the file beats the defaults.
 */
import { createHash } from 'node:crypto';
import { isAbsolute, join } from 'node:path';
import { UsageError } from '../errors.ts';
import { maskSecrets } from '../secrets.ts';
import type { DiscardRule } from '../sync/discard.ts';
import { isZone } from '../time-zone.ts';
import { parseDuration } from './duration.ts';
import type { Environment } from './env.ts';
import { readVariable } from './env.ts';
import { readConfigFile } from './file.ts';
import { type LlmConfig, llmConfig } from './llm.ts';
import type { FileSettings } from './schema.ts';
import { defaultTokenVariable, defaultWorkspaceName } from './token.ts';

/** Flags as commander gives them: text as typed, absent when not given. */
export interface ConfigFlags {
  config?: string;
  database?: string;
  lookback?: string;
  /** False for `--no-threads`; commander says true when it was not given. */
  threads?: boolean;
  maxDuration?: string;
  maxRequests?: string;
  lockTimeout?: string;
  /** `--channel`, which replaces what the file includes. */
  channel?: readonly string[];
  /** `--exclude`, which adds to what the file excludes: a flag for one run must not undo a rule of privacy. */
  exclude?: readonly string[];
}

export interface WorkspaceConfig {
  readonly name: string;
  /** The environment variable that holds the token; see `resolveToken`. */
  readonly tokenEnv: string;
  /** The team the token has to belong to; null when any is right. */
  readonly teamId: string | null;
  readonly channels: { readonly include: readonly string[]; readonly exclude: readonly string[] };
  readonly discard: readonly DiscardRule[];
  readonly lookbackMs: number;
  /** After what time (milliseconds) Slack itself deletes messages; `none` when never. */
  readonly retention: 'unknown' | 'none' | number;
  /** Where digests are posted; null when nobody said. */
  readonly digestChannel: string | null;
}

export interface Config {
  /** The config file that was read; null when there is none. */
  readonly file: string | null;
  /** A database URL, perhaps with a password. */
  readonly database: string;
  readonly threads: boolean;
  /** Calls of each run that may read old history again, and as many for threads. */
  readonly auditRequests: number;
  /** Null without limit, here and in `maxRequests`. */
  readonly maxDurationMs: number | null;
  readonly maxRequests: number | null;
  readonly lockTimeoutMs: number;
  readonly usersMaxAgeMs: number;
  /** Share of Slack's published rates to use; above 1 or `off` for an API on this machine only. */
  readonly pace: number | 'off';
  readonly digest: Omit<FileSettings['digest'], 'channel'>;
  readonly scoring: FileSettings['scoring'];
  readonly deduplication: FileSettings['deduplication'];
  readonly importance: FileSettings['importance'];
  readonly llm: LlmConfig;
  /** At least one. */
  readonly workspaces: readonly WorkspaceConfig[];
  /** SHA-256 over everything above except the file's path and passwords: equal when two runs were set up alike. */
  readonly configHash: string;
}

export interface ConfigSources {
  flags: ConfigFlags;
  /** With what `.env` adds; see `withDotEnv`. */
  env: Environment;
  /** The working directory, absolute. */
  directory: string;
  /** The person's home directory; null when the system knows none. */
  home: string | null;
  /** Whether SLACK_API_URL points to this machine: only there may the pace exceed Slack's rates. */
  apiUrlIsLoopback: boolean;
}

/**
 * Reads and checks the whole configuration except the tokens, which are asked for when needed.
 * The result is frozen.
 * @throws UsageError naming the flag, variable or key that is wrong, and what is accepted
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { flags, env } = sources;
  const { path, settings } = await readConfigFile(flags.config, env, sources.directory, sources.home);
  const effective = {
    database:
      flags.database ?? readVariable(env, 'DATABASE_URL') ?? settings.database ?? defaultDatabase(env, sources.home),
    threads: settings.threads && flags.threads !== false,
    auditRequests: settings.audit_requests,
    maxDurationMs: limitFlag(flags.maxDuration, '--max-duration') ?? settings.max_duration ?? null,
    maxRequests: countFlag(flags.maxRequests, '--max-requests') ?? settings.max_requests ?? null,
    lockTimeoutMs: durationFlag(flags.lockTimeout, '--lock-timeout') ?? settings.lock_timeout,
    usersMaxAgeMs: settings.users_max_age,
    pace: choosePace(env, { pace: settings.pace, path }, sources.apiUrlIsLoopback),
    digest: digestConfig(env, settings),
    scoring: settings.scoring,
    deduplication: settings.deduplication,
    importance: settings.importance,
    llm: llmConfig(env, settings.llm),
    workspaces: mergeWorkspaces(flags, env, settings),
  };
  return deepFreeze({ file: path, ...effective, configHash: hash(effective) });
}

/**
 * The workspaces that `--workspace <name|team id>` selects by what the configuration says; all without it, null when it knows
 * none by this name or id. A lone workspace without a configured team id is returned for any team id, as the one that its
 * token has to belong to.
 */
export function selectWorkspaces(config: Config, wanted: string | undefined): readonly WorkspaceConfig[] | null {
  if (wanted === undefined) return config.workspaces;
  const folded = wanted.trim().toLowerCase();
  const found = config.workspaces.filter(
    ({ name, teamId }) => name.toLowerCase() === folded || teamId?.toLowerCase() === folded,
  );
  if (found.length > 0) return found;
  const [only, ...others] = config.workspaces;
  // In capitals, as ids are: in small letters it may be the name of a workspace.
  const id = /^[TE][A-Z0-9]+$/.exec(wanted.trim())?.[0];
  if (only !== undefined && others.length === 0 && only.teamId === null && id !== undefined)
    return [{ ...only, teamId: id }];
  return null;
}

/** What to say when nothing goes by what `--workspace` says. */
export function unknownWorkspace(config: Config, wanted: string): UsageError {
  const known = config.workspaces
    .map(({ name, teamId }) => (teamId === null ? name : `${name} (${teamId})`))
    .join(', ');
  return new UsageError(`--workspace: there is no workspace "${wanted}"`, `Configured: ${known}.`);
}

/** The XDG rules say that a relative XDG_DATA_HOME does not count. */
function defaultDatabase(env: Environment, home: string | null): string {
  const xdg = readVariable(env, 'XDG_DATA_HOME');
  if (home === null && (xdg === undefined || !isAbsolute(xdg))) {
    throw new UsageError(
      'there is no place for the database: no DATABASE_URL is given, and the user has no home directory',
      'Set DATABASE_URL, for example to sqlite:/var/lib/slackingest/slackingest.db.',
    );
  }
  const dataHome = xdg !== undefined && isAbsolute(xdg) ? xdg : join(home ?? '', '.local', 'share');
  return `sqlite:${join(dataHome, 'slackingest', 'slackingest.db')}`;
}

function durationFlag(text: string | undefined, name: string): number | undefined {
  return text === undefined ? undefined : parseDuration(text, name);
}

/** A duration that must leave time to work. */
function limitFlag(text: string | undefined, name: string): number | undefined {
  const ms = durationFlag(text, name);
  if (ms === 0) {
    throw new UsageError(
      `${name}: "${text}" leaves no time to do anything`,
      'Write a longer one, or leave it out to run without limit.',
    );
  }
  return ms;
}

function countFlag(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new UsageError(`${name}: "${text}" is not a whole number above 0`);
  return Number(text);
}

function choosePace(
  env: Environment,
  file: { pace: number | 'off'; path: string | null },
  apiUrlIsLoopback: boolean,
): number | 'off' {
  const text = readVariable(env, 'SLACKINGEST_PACE');
  const name = text === undefined ? `${file.path}: pace` : 'SLACKINGEST_PACE';
  const wanted = text ?? file.pace;
  const accepted = 'Write a number above 0 and at most 1.';
  const pace = wanted === 'off' ? wanted : Number(wanted);
  if (pace !== 'off' && !(Number.isFinite(pace) && pace > 0))
    throw new UsageError(`${name}: "${wanted}" is not a pace`, accepted);
  if ((pace === 'off' || pace > 1) && !apiUrlIsLoopback) {
    throw new UsageError(`${name}: "${wanted}" is faster than Slack allows`, accepted);
  }
  return pace;
}

function digestConfig(env: Environment, { digest }: FileSettings): Config['digest'] {
  const { channel: _, ...rest } = digest;
  const timezone = readVariable(env, 'TZ_DEFAULT') ?? digest.timezone;
  if (!isZone(timezone)) throw zoneError(timezone, 'digest.timezone');
  return { ...rest, timezone };
}

/** What to say of a time zone that nobody knows; `name` is the key or flag it was given as. */
export function zoneError(zone: string, name: string): UsageError {
  return new UsageError(`${name}: "${zone}" is not a time zone`, 'Write one such as Europe/Amsterdam, or UTC.');
}

function mergeWorkspaces(flags: ConfigFlags, env: Environment, settings: FileSettings): WorkspaceConfig[] {
  const digestChannel = readVariable(env, 'SLACK_DIGEST_CHANNEL_ID') ?? settings.digest.channel ?? null;
  const lookback = durationFlag(flags.lookback, '--lookback');
  const configured =
    settings.workspaces.length > 0
      ? settings.workspaces
      : [{ name: defaultWorkspaceName, token_env: defaultTokenVariable }];
  return configured.map((workspace: FileSettings['workspaces'][number]) => {
    const own = workspace.channels ?? { include: [], exclude: [] };
    const fromFile = own.include.length > 0 ? own.include : settings.channels.include;
    return {
      name: workspace.name,
      tokenEnv: workspace.token_env,
      teamId: workspace.team_id ?? null,
      channels: {
        include: flags.channel !== undefined && flags.channel.length > 0 ? [...flags.channel] : fromFile,
        exclude: [...settings.channels.exclude, ...own.exclude, ...(flags.exclude ?? [])],
      },
      discard: [...settings.discard, ...(workspace.discard ?? [])],
      lookbackMs: lookback ?? workspace.lookback ?? settings.lookback,
      retention: workspace.retention ?? settings.retention,
      digestChannel: workspace.digest_channel ?? digestChannel,
    };
  });
}

/** Keys are sorted, patterns are text, and no password goes in, not even into a hash. */
function hash(effective: Omit<Config, 'file' | 'configHash'>): string {
  const canonical = JSON.stringify(
    { ...effective, database: maskSecrets(effective.database) },
    (_key, value: unknown) => {
      if (value instanceof RegExp) return value.source;
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
    },
  );
  return createHash('sha256').update(canonical).digest('hex');
}

/** RegExps stay as they are: matching sets their lastIndex. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
