/** A month in the life of a company, ingested twice: a database in which nothing is missing. */
import { sampleWorkspace } from '../stand-in/sample-workspace.ts';
import { startStandIn } from '../stand-in/server.ts';
import type { TestDatabase } from '../support/databases.ts';
import { type CliResult, runCli } from '../support/run-cli.ts';

export interface SampleLab extends AsyncDisposable {
  database: TestDatabase;
  env: Record<string, string>;
  /** Runs the program with `--json`; `out` is the object it printed, `calls` how often it called Slack. */
  run(args: readonly string[], env?: Record<string, string | undefined>): Promise<SampleRun>;
}

export interface SampleRun extends CliResult {
  out: ReturnType<typeof JSON.parse>;
  calls: number;
}

/** With `args` for both runs of `ingest`. */
export async function openSampleLab(create: () => Promise<TestDatabase>, ...args: string[]): Promise<SampleLab> {
  const database = await create();
  const { world, token } = sampleWorkspace();
  const slack = await startStandIn({ world });
  const env = { SLACK_TOKEN: token, SLACK_API_URL: slack.url, DATABASE_URL: database.url };
  const lab: SampleLab = {
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
    const { code, stderr } = await lab.run(['ingest', ...args]);
    if (code !== 0) throw new Error(`The sample workspace was not ingested: ${stderr}`);
  }
  return lab;
}
