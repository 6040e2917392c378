/**
 * A month in the life of a company, ingested twice: a database in which nothing is missing. One channel, the vault, holds
 * one of everything that a defect can be planted in.
 */
import type { Channel } from '../stand-in/channel.ts';
import { sampleWorkspace } from '../stand-in/sample-workspace.ts';
import { type StandIn, startStandIn } from '../stand-in/server.ts';
import type { Workspace } from '../stand-in/workspace.ts';
import type { TestDatabase } from '../support/databases.ts';
import { type CliResult, runCli } from '../support/run-cli.ts';

export interface SampleLab extends AsyncDisposable {
  workspace: Workspace;
  vault: Channel;
  /** What is in the vault, by ts. */
  planted: Planted;
  slack: StandIn;
  database: TestDatabase;
  env: Record<string, string>;
  /** Runs the program with `--json`; `out` is the object it printed, `calls` how often it called Slack. */
  run(args: readonly string[], env?: Record<string, string | undefined>): Promise<SampleRun>;
}

export interface SampleRun extends CliResult {
  out: ReturnType<typeof JSON.parse>;
  calls: number;
}

export async function openSampleLab(create: () => Promise<TestDatabase>): Promise<SampleLab> {
  const database = await create();
  const { world, workspace, token } = sampleWorkspace();
  const vault = workspace.channel('vault', { created: world.clock.seconds - 60 * 86_400 });
  const planted = fill(vault);
  const slack = await startStandIn({ world });
  const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
  const lab: SampleLab = {
    workspace,
    vault,
    planted,
    slack,
    database,
    env,
    async run(args, more = {}) {
      const before = slack.requests.length;
      const result = await runCli([...args, '--json'], { env: { ...env, ...more } });
      return { ...result, out: result.json(), calls: slack.requests.length - before };
    },
    async [Symbol.asyncDispose]() {
      await slack.close();
      await database[Symbol.asyncDispose]();
    },
  };
  for (let n = 0; n < 2; n += 1) {
    const { code, stderr } = await lab.run(['ingest', '--backfill-from', '2020-01-01']);
    if (code !== 0) throw new Error(`The sample workspace was not ingested: ${stderr}`);
  }
  return lab;
}

interface Planted {
  plain: string;
  edited: string;
  root: string;
  replies: string[];
  reacted: string;
  withFile: string;
  /** The newest top-level message. */
  last: string;
}

function fill(vault: Channel): Planted {
  const { clock } = vault.workspace.world;
  const [ada = '', bram = ''] = vault.workspace.memberIds();
  const post = (days: number, text: string, more: object = {}) =>
    vault.post({ ts: clock.daysAgo(days), user: ada, text, ...more });
  post(30, 'The first.');
  post(29, 'The second.');
  const plain = post(25, 'A plain message.');
  const edited = post(24, 'A mesage with a typo.');
  const root = post(22, 'Who comes along?');
  const replies = [21, 20, 19].map((days) =>
    vault.reply(root, { ts: clock.daysAgo(days), user: bram, text: `In ${days}.` }),
  );
  const reacted = post(18, 'Well done!');
  vault.react(reacted, 'tada', [ada, bram]);
  const withFile = post(16, 'The plan.', { files: [{ id: 'F0VAULT', name: 'plan.pdf', created: 1, mode: 'hosted' }] });
  return { plain, edited, root, replies, reacted, withFile, last: post(12, 'The last.') };
}
