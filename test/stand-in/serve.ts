import { parseArgs } from 'node:util';
import { bulkWorkspace } from './bulk-workspace.ts';
import { sampleWorkspace } from './sample-workspace.ts';
import { type StandInOptions, startStandIn } from './server.ts';
import type { World } from './world.ts';

/**
 * The stand-in as a process of its own, for the demo and the benchmark:
 * `node build/test/stand-in/serve.js --workspace sample`. Prints one line of JSON, {url, token}, when it is ready.
 */
const { values } = parseArgs({
  options: {
    workspace: { type: 'string', default: 'sample' },
    channels: { type: 'string', default: '10' },
    messages: { type: 'string', default: '100000' },
    'reply-share': { type: 'string', default: '0.3' },
    days: { type: 'string', default: '365' },
    users: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    limits: { type: 'string', default: 'off' },
    'time-scale': { type: 'string', default: '1' },
    port: { type: 'string', default: '0' },
  },
});

const { world, token } = chosenWorkspace();
const slack = await startStandIn({ world, limits: chosenLimits(), port: Number(values.port) });
process.stdout.write(`${JSON.stringify({ url: slack.url, token })}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void slack.close());

function chosenWorkspace(): { world: World; token: string } {
  const seed = Number(values.seed);
  if (values.workspace === 'sample') return sampleWorkspace({ seed });
  if (values.workspace !== 'bulk') throw new Error(`--workspace is sample or bulk, not ${values.workspace}.`);
  return bulkWorkspace({
    seed,
    channels: Number(values.channels),
    messages: Number(values.messages),
    replyShare: Number(values['reply-share']),
    days: Number(values.days),
    users: Number(values.users),
  });
}

function chosenLimits(): NonNullable<StandInOptions['limits']> {
  const regime = values.limits;
  if (regime === 'off') return 'off';
  if (regime !== 'tiers' && regime !== 'restricted')
    throw new Error(`--limits is off, tiers or restricted, not ${regime}.`);
  return { regime, timeScale: Number(values['time-scale']) };
}
