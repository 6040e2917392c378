/** One Slack workspace, one empty database, and the program between them, run as a process. */
import { type StandIn, type StandInOptions, startStandIn } from '../stand-in/server.ts';
import type { Workspace } from '../stand-in/workspace.ts';
import { World } from '../stand-in/world.ts';
import type { TestDatabase } from './databases.ts';
import { type CliResult, runCli, startCli } from './run-cli.ts';

export interface Lab extends AsyncDisposable {
  world: World;
  acme: Workspace;
  slack: StandIn;
  database: TestDatabase;
  env: Record<string, string>;
  /** Runs the program with `--json`. */
  run(args: readonly string[], options?: LabOptions): Promise<LabRun>;
  ingest(...args: string[]): Promise<LabRun>;
  /** Runs `ingest` and ends it by SIGKILL when a request for which `at` says so arrives, before it is answered. */
  ingestKilled(at: (request: StandIn['requests'][number]) => boolean, ...args: string[]): Promise<void>;
}

interface LabOptions {
  env?: Record<string, string | undefined>;
}

export interface LabRun extends CliResult {
  /** The `--json` object. */
  out: ReturnType<typeof JSON.parse>;
  /** Calls that this run made. */
  count(method?: string, channel?: string): number;
  requests: StandIn['requests'];
}

export async function openLab(
  create: () => Promise<TestDatabase>,
  options: Omit<StandInOptions, 'world'> & { start?: number } = {},
): Promise<Lab> {
  const { start, ...standIn } = options;
  const database = await create();
  const world = new World(start === undefined ? {} : { start });
  const acme = world.workspace('T0ACME', { name: 'Acme', domain: 'acme' });
  const slack = await startStandIn({ ...standIn, world });
  const env = { SLACK_TOKEN: acme.botToken, SLACK_API_URL: slack.url, DATABASE_URL: database.url };

  async function run(args: readonly string[], more: LabOptions = {}): Promise<LabRun> {
    const before = slack.requests.length;
    const result = await runCli([...args, '--json'], { env: { ...env, ...more.env } });
    const requests = slack.requests.slice(before);
    return {
      ...result,
      out: parsed(result.stdout),
      requests,
      count: (method, channel) =>
        requests.filter(
          (entry) =>
            (method === undefined || entry.method === method) &&
            (channel === undefined || entry.params['channel'] === channel),
        ).length,
    };
  }

  return {
    world,
    acme,
    slack,
    database,
    env,
    run,
    // A killed run's session may outlive it by a moment.
    ingest: (...args) => run(['ingest', '--lock-timeout', '10s', ...args]),
    async ingestKilled(at, ...args) {
      const { process, result } = startCli(['ingest', '--lock-timeout', '10s', ...args], { env });
      let isHit = false;
      const forget = slack.onRequest(async (request) => {
        if (isHit || !at(request)) return;
        isHit = true;
        process.kill('SIGKILL');
        await result;
      });
      const { signal, stderr } = await result;
      forget();
      if (signal !== 'SIGKILL') throw new Error(`The run ended before it could be killed: ${stderr}`);
    },
    async [Symbol.asyncDispose]() {
      await slack.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

function parsed(stdout: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

/** Whether a request continues a listing of this method. */
export function isContinued(method: string): (request: StandIn['requests'][number]) => boolean {
  return (request) => request.method === method && Boolean(request.params['cursor']);
}
