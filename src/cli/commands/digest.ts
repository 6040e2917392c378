import type { Process } from '../context.ts';
import { digestJob } from '../digest-job.ts';
import { type DigestFlags, digestOptions } from '../digest-options.ts';
import { runJobCommand } from '../job-command.ts';

/** `slackingest digest`. */
export function digestCommand(process: Process, flags: DigestFlags): Promise<number> {
  return runJobCommand(process, flags, 'digest', (context) =>
    digestJob(process, context, digestOptions(flags, context.config, context.now())),
  );
}
