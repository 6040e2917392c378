/** The list of commands. Each one's code is loaded only when it runs, so that `--help` starts fast. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Process } from './context.ts';

/** Called with what a command returns: its exit code. */
export type OnExit = (code: number) => void;

const exitCodesHelp = `
Exit codes:
  0    done, also when there was nothing new
  1    failed: nothing, or not the main thing, was done
  2    usage or configuration error; nothing was started
  3    partial: something failed or the budget ended first; the rest is committed, a later run goes on
  4    Slack refused the token, or a scope the command cannot do without
  75   another run holds the lock; nothing was done
  130  stopped by SIGINT; what was read is committed
  143  stopped by SIGTERM or SIGHUP; the same

Environment: SLACK_TOKEN (or SLACK_TOKEN_FILE), DATABASE_URL; see the README for the rest.`;

export function buildProgram(process: Process, version: string, onExit: OnExit): Command {
  const program = new Command('slackingest')
    .description('Keeps a complete, queryable copy of Slack workspaces in SQLite or Postgres.')
    .version(version)
    .option(
      '--database <url>',
      'sqlite:<path> or postgres://user@host/name (default: a SQLite file in the data directory)',
    )
    .option(
      '--config <file>',
      'config file (default: ./slackingest.yaml, then the one in $XDG_CONFIG_HOME/slackingest)',
    )
    .option('--json', 'print exactly one JSON object on stdout')
    .addOption(new Option('--log-format <format>', 'of the log on stderr').choices(['text', 'json']))
    .addOption(new Option('--log-level <level>', 'what the log shows').choices(['debug', 'info', 'warn', 'error']))
    .option('--quiet', 'show errors only')
    .option('--no-migrate', 'refuse a database whose schema is behind instead of upgrading it')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', exitCodesHelp);

  reading(
    program
      .command('ingest')
      .description('The cron job: channels, new messages, replies, edits, deletions, users when stale.')
      .option(
        '--backfill-from <date>',
        'be complete from this date on (YYYY-MM-DD, UTC); may stay in a crontab for ever',
      )
      .option('--plan', 'tell what the next run asks of Slack and how long that takes; writes nothing'),
  ).action(async (_, command: Command) => {
    const { ingestCommand } = await import('./commands/ingest.ts');
    onExit(await ingestCommand(process, command.optsWithGlobals()));
  });

  reading(
    program
      .command('backfill')
      .description('A range of old history, newest first; goes on where an earlier one stopped.')
      .option('--from <date>', 'the first day of the range (YYYY-MM-DD, UTC, or full ISO 8601)')
      .option('--to <date>', 'its last day (default: up to now)'),
  ).action(async (_, command: Command) => {
    const { backfillCommand } = await import('./commands/backfill.ts');
    onExit(await backfillCommand(process, command.optsWithGlobals()));
  });

  selection(
    program
      .command('verify')
      .description('Proves that the database is whole, or lists the gaps. Writes nothing without --repair.'),
  )
    .option('--offline', 'check the database by itself; needs no token')
    .option('--max-requests <n>', 'calls to compare with Slack; a sample when they do not suffice (default: 100)')
    .option('--seed <n>', 'choose the same sample again')
    .option('--repair', 'queue the gaps for the next ingest')
    .option('--lock-timeout <duration>', 'with --repair: wait so long for another run to end (default: 0s)')
    .action(async (_, command: Command) => {
      const { verifyCommand } = await import('./commands/verify.ts');
      onExit(await verifyCommand(process, command.optsWithGlobals()));
    });

  selection(
    program
      .command('import')
      .description('A Slack workspace export: the zip, or the folder it was unpacked to; needs no token.')
      .argument('<path>', 'zip or folder'),
    'which workspace it is, where the export does not tell; of an organisation: only this one (team id or name)',
  )
    .option('--since <date>', 'only messages from this date on (YYYY-MM-DD, UTC, or full ISO 8601)')
    .option('--until <date>', 'only messages up to this date, its last day included')
    .option('--lock-timeout <duration>', 'wait so long for another run to end (default: 0s)')
    .option('--dry-run', 'read everything and report, write nothing at all')
    .action(async (path: string, _, command: Command) => {
      const { importCommand } = await import('./commands/import.ts');
      onExit(await importCommand(process, path, command.optsWithGlobals()));
    });

  selection(
    program.command('digest').description('What happened, what is coming: prints it, or posts it once with --publish.'),
  )
    .option('--format <format>', 'text, markdown, json, html or blocks (default: text)')
    .option(
      '--since <duration>',
      'the last 24h, 7d, …, or from a date on (default: since the last posted digest, else 48h)',
    )
    .option('--date <day>', 'one whole day: YYYY-MM-DD, today or yesterday')
    .option('--from <date>', 'the first day of the window (YYYY-MM-DD, or full ISO 8601)')
    .option('--to <date>', 'its last day (default: up to now)')
    .option('--tz <zone>', 'whose days and times, such as Europe/Amsterdam (default: UTC)')
    .option(
      '--upcoming <duration>',
      'how far ahead to look for planned events; 0 for none but those announced in the window (default: 7d)',
    )
    .option('--category <name>', 'only product, process, marketing, risk, org or unknown events (repeatable)', collect)
    .option('--min-confidence <n>', 'leave out events found with less confidence, 0 to 1 (default: 0.7)')
    .option('--min-importance <n>', 'leave out less important events, 0 to 100 (default: 0)')
    .option('--max-events <n>', 'so many events in each section, the most important ones (default: 10)')
    .option('--top <n>', 'so many threads, questions and late changes (default: 5)')
    .option('--explain', 'tell of the events, and of the best 100 messages, why they were chosen or not')
    .option(
      '--publish [target]',
      'post it to a channel or person, once; default target: digest.channel of the config file',
    )
    .option('--repost', 'with --publish: post again what was posted already')
    .option('--update', 'with --publish: edit the digest that was posted')
    .option('--skip-llm', 'do not ask the language model')
    .option('--rescore', 'score all messages of the window again')
    .option('--lock-timeout <duration>', 'wait so long for another digest to end (default: 0s)')
    .option('--dry-run', 'print it and change nothing at all')
    .action(async (_, command: Command) => {
      const { digestCommand } = await import('./commands/digest.ts');
      onExit(await digestCommand(process, command.optsWithGlobals()));
    });

  program
    .command('sync-users')
    .description('The directory: users, bots, user groups, channels.')
    .option('--workspace <name>', 'only this workspace (its name, domain or team id)', once)
    .option('--lock-timeout <duration>', 'wait so long for another run to end (default: 0s)')
    .action(async (_, command: Command) => {
      const { syncUsersCommand } = await import('./commands/sync-users.ts');
      onExit(await syncUsersCommand(process, command.optsWithGlobals()));
    });

  program
    .command('status')
    .description('Last runs, how fresh and complete each channel is, audits, limits, schema; needs no token.')
    .option('--workspace <name>', 'only this workspace (its name, domain or team id)', once)
    .action(async (_, command: Command) => {
      const { statusCommand } = await import('./commands/status.ts');
      onExit(await statusCommand(process, command.optsWithGlobals()));
    });

  program
    .command('migrate')
    .description('Creates the schema or brings it up to date; other commands do it by themselves.')
    .option('--status', 'show what is applied and what is not')
    .option('--dry-run', 'print the statements that would be run')
    .option('--to <name>', 'stop after this migration')
    .action(async (_, command: Command) => {
      const { migrateCommand } = await import('./commands/migrate.ts');
      onExit(await migrateCommand(process, command.optsWithGlobals()));
    });

  return program;
}

/** What the commands that read channels from Slack have in common. */
function reading(command: Command): Command {
  return selection(command)
    .option('--lookback <duration>', 'read this far back again for edits, reactions and replies (default: 7d)')
    .option('--no-threads', 'leave the replies of threads for a later run')
    .option('--max-duration <duration>', 'stop cleanly after this time (90s, 15m, 36h)')
    .option('--max-requests <n>', 'stop cleanly after so many calls to Slack')
    .option('--join', 'join the public channels that are selected and not joined yet')
    .option('--lock-timeout <duration>', 'wait so long for another run to end (default: 0s)')
    .option('--dry-run', 'call Slack, write nothing at all');
}

function selection(command: Command, workspace = 'only this workspace (its name, domain or team id)'): Command {
  return command
    .option('--workspace <name>', workspace, once)
    .option('--channel <id|name|glob>', 'only these channels (repeatable)', collect)
    .option('--exclude <id|name|glob>', 'not these channels (repeatable)', collect);
}

/** Of two, the last would win, and nobody would hear of the first. */
function once(value: string, previous: string | undefined): string {
  if (previous !== undefined)
    throw new InvalidArgumentError('It can be given once; without it, all workspaces are meant.');
  return value;
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}
