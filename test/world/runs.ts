/** A run of the program in every kind of trouble, drawn at random. */
import type { Fault } from '../stand-in/faults.ts';
import type { FullPage } from '../stand-in/methods/call.ts';
import type { Random } from '../stand-in/random.ts';
import { type StandIn, startStandIn } from '../stand-in/server.ts';
import type { World } from '../stand-in/world.ts';
import type { TestDatabase } from '../support/databases.ts';
import { startCli } from '../support/run-cli.ts';

export interface RunPlan {
  args: string[];
  faults: Fault[];
  /** SIGKILL just before or just after this request is answered; a run with fewer requests lives. */
  kill: { at: number; moment: 'before' | 'after' } | undefined;
  /** All cursors turn invalid at this request. */
  forgetCursorsAt: number | undefined;
  /** Pages hold so many objects at most, one number for each page in turn. */
  pages: readonly number[];
}

export interface RunOutcome {
  code: number | null;
  isKilled: boolean;
  requests: number;
  stderr: string;
  /** What is wrong whatever happened in Slack. */
  wrong: string[];
}

export interface Trouble {
  faults: boolean;
  kills: boolean;
  budgets: boolean;
  /** The command `backfill` takes turns with `ingest`. */
  backfill: boolean;
}

export function planRun(random: Random, founded: string, trouble: Trouble): RunPlan {
  return {
    args:
      trouble.backfill && random.chance(0.2)
        ? backfillArgs(random, founded, trouble)
        : ingestArgs(random, founded, trouble),
    faults:
      trouble.faults && random.chance(0.4) ? Array.from({ length: 1 + random.below(4) }, () => faultOf(random)) : [],
    kill:
      trouble.kills && random.chance(0.3)
        ? { at: 3 + random.below(25), moment: random.pick(['before', 'after']) }
        : undefined,
    forgetCursorsAt: trouble.faults && random.chance(0.15) ? 5 + random.below(20) : undefined,
    pages: random.chance(0.3) ? Array.from({ length: 7 }, () => random.pick([0, 1, 4, 12, 40, 100, 999])) : [999],
  };
}

/** Nothing troubles this run. */
export function quietRun(founded: string): RunPlan {
  const args = ['ingest', '--backfill-from', founded];
  return { args, faults: [], kill: undefined, forgetCursorsAt: undefined, pages: [999] };
}

function ingestArgs(random: Random, founded: string, trouble: Trouble): string[] {
  const args = ['ingest'];
  if (random.chance(0.4)) args.push('--backfill-from', founded);
  if (random.chance(0.5)) args.push('--lookback', random.pick(['0s', '1h', '1d', '30d', '400d']));
  if (random.chance(0.1)) args.push('--no-threads');
  return [...args, ...budgetArgs(random, trouble)];
}

function backfillArgs(random: Random, founded: string, trouble: Trouble): string[] {
  return ['backfill', '--from', founded, ...budgetArgs(random, trouble)];
}

function budgetArgs(random: Random, trouble: Trouble): string[] {
  if (!trouble.budgets || random.chance(0.5)) return [];
  return ['--max-requests', String(random.pick([4, 8, 12, 20, 40]))];
}

function faultOf(random: Random): Fault {
  const nth = 1 + random.below(20);
  // The program tries six times; then the unit fails and the next run goes on.
  const times = random.chance(0.85) ? 1 + random.below(3) : 8;
  const method = random.pick([
    'conversations.history',
    'conversations.replies',
    'conversations.list',
    'users.list',
    'any',
  ]);
  const effect = random.pick<Fault>([
    { kind: 'http', status: 500 },
    { kind: 'http', status: 503 },
    { kind: 'truncated', transfer: 'length' },
    { kind: 'truncated', transfer: 'chunked' },
    { kind: 'html' },
    { kind: 'broken-json' },
    { kind: 'reset' },
    { kind: '429' },
    { kind: 'error', error: 'fatal_error' },
    { kind: 'error', error: 'ratelimited' },
    { kind: 'error', error: 'access_denied' },
    { kind: 'error', error: 'thread_not_found' },
    { kind: 'error', error: 'invalid_cursor', when: ({ cursor }) => Boolean(cursor) },
    { kind: 'cursor-loop' },
    { kind: 'no-cursor' },
  ]);
  const only = isOfThreads(effect) ? 'conversations.replies' : isOfCursors(effect) ? 'conversations.history' : method;

  return { ...effect, nth, times, ...(only === 'any' ? {} : { method: only }) };
}

function isOfThreads(effect: Fault): boolean {
  return effect.kind === 'error' && effect.error === 'thread_not_found';
}

function isOfCursors(effect: Fault): boolean {
  return effect.kind === 'cursor-loop' || effect.kind === 'no-cursor';
}

/** One database, and a Slack of its own that serves the common world. */
export interface Party {
  database: TestDatabase;
  /** `during` is called at each request, with its number in this run. */
  run(plan: RunPlan, during: (request: number) => void): Promise<RunOutcome>;
  /** Gaps that `verify` finds, one line each, but for those that are only still to be read. */
  verify(...args: string[]): Promise<string[]>;
  /** Ends its Slack; the database is the caller's. */
  close(): Promise<void>;
}

export async function openParty(world: World, token: string, database: TestDatabase): Promise<Party> {
  let plan: RunPlan | undefined;
  const slack = await startStandIn({ world, thinPages: (page) => thin(plan, page) });
  const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
  return {
    database,
    run: (next, during) => {
      plan = next;
      return runOnce(slack, env, next, during);
    },
    async verify(...args) {
      plan = undefined;
      const { stdout, stderr } = await startCli(['verify', '--json', '--max-requests', '5000', ...args], { env })
        .result;
      return gapsIn(stdout, stderr);
    },
    close: () => slack.close(),
  };
}

/** What a later run reads anyway. */
const toBeRead = new Set(['thread_pending', 'not_read', 'never_read', 'channel_failed']);

function gapsIn(stdout: string, stderr: string): string[] {
  if (stdout === '') return [stderr];
  const { gaps = [], status }: { gaps?: { kind: string; message: string }[]; status: string } = JSON.parse(stdout);
  if (status === 'failed') return [stderr];
  return gaps.filter(({ kind }) => !toBeRead.has(kind)).map((gap) => `verify: ${JSON.stringify(gap)}`);
}

function thin(plan: RunPlan | undefined, { depth, limit }: FullPage): number {
  const { pages = [] } = plan ?? {};
  return Math.min(limit, pages[depth % pages.length] ?? limit);
}

async function runOnce(
  slack: StandIn,
  env: Record<string, string>,
  plan: RunPlan,
  during: (request: number) => void,
): Promise<RunOutcome> {
  const from = slack.requests.length;
  for (const fault of plan.faults) slack.faults.add(fault);
  const started = startCli([...plan.args, '--json', '--lock-timeout', '20s'], { env });
  const kill = async ({ n }: { n: number }): Promise<void> => {
    if (n - from !== plan.kill?.at) return;
    started.process.kill('SIGKILL');
    await started.result;
  };
  const ends = [
    slack.onRequest(({ n }) => {
      if (n - from === plan.forgetCursorsAt) slack.expireCursors();
      during(n - from);
    }),
    plan.kill?.moment === 'after' ? slack.onResponse(kill) : slack.onRequest(kill),
  ];
  const { code, signal, stdout, stderr } = await started.result;
  for (const end of ends) end();
  slack.faults.clear();
  const isKilled = signal === 'SIGKILL';
  const wrong = isKilled ? [] : complaints(code, stdout, stderr);
  return { code, isKilled, requests: slack.requests.length - from, stderr, wrong };
}

/** A run may be partial or fail for Slack's sake, never for its own. */
function complaints(code: number | null, stdout: string, stderr: string): string[] {
  if (code === null || ![0, 1, 3].includes(code) || stdout === '') return [`exit code ${code}: ${stderr}`];
  const { errors = [] }: { errors?: { code: string; message: string }[] } = JSON.parse(stdout);
  return errors
    .filter((error) => ['internal_error', 'database_error', 'error', 'locked'].includes(error.code))
    .map((error) => `${error.code}: ${error.message}`);
}
