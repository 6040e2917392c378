import type { Environment } from '../config/env.ts';
import type { RunRow } from '../db/schema.ts';

/** Who started the command. A terminal means a person, even one whose session systemd started. */
export function detectTrigger(env: Environment, isTerminal: boolean): RunRow['trigger'] {
  if (env['GITHUB_ACTIONS'] === 'true') return 'github';
  if (isTerminal) return 'manual';
  // systemd gives every unit's processes an id (systemd.exec(5)); cron gives its jobs an environment without TERM.
  if (env['INVOCATION_ID'] !== undefined) return 'systemd';
  return env['TERM'] === undefined ? 'cron' : 'manual';
}
