/** The exit codes that cron lines, systemd units and workflows rely on. Never renumber. */
export const exitCodes = {
  /** Done, also when there was nothing new. */
  ok: 0,
  /** Nothing, or not the main thing, was done. */
  failed: 1,
  /** Usage or configuration error; nothing was started. */
  usage: 2,
  /** Some channels or files failed, or the budget ended first; everything else is committed. */
  partial: 3,
  /** Slack refused the token or a scope that the command cannot do without. */
  slackRefused: 4,
  /** Another run holds the lock (EX_TEMPFAIL of sysexits.h). */
  locked: 75,
  sigint: 130,
  sigterm: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
