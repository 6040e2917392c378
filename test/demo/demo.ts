/**
 * `npm run demo`: the real program copies a made-up workspace into a SQLite file, twice, and what it stored is shown.
 * Slack is played by the stand-in of the tests, as a process on this machine; no token and no network are needed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { cleanEnvironment, cli, exitCodeOf, startStandInProcess } from './programs.ts';
import { printStored, queriesToTry } from './stored.ts';

const file = 'slackingest-demo.db';

let running: ChildProcess | undefined;
// Ctrl-C reaches the program below as well; this one waits until it has committed its page and ended.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => running?.kill('SIGTERM'));
// `npm run demo | head` closes the output early.
process.stdout.on('error', () => undefined);
process.exitCode = await demonstrate();

async function demonstrate(): Promise<number> {
  // The made-up month ends now, so what an earlier demo copied is another month.
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  print('A stand-in of Slack serves a made-up company, Tidewater, on this machine.');
  await using slack = await startStandInProcess(['--workspace', 'sample']);

  for (const title of ['The first run copies the last 30 days.', 'The second run finds nothing new.']) {
    heading(title);
    print(`$ DATABASE_URL=sqlite:./${file} slackingest ingest\n`);
    const code = await ingest(slack.env);
    if (code !== 0) {
      print(`\nslackingest ended with exit code ${code}.`);
      return code;
    }
  }

  await printStored(file, { heading, print });
  heading(`The copy is ${resolve(file)}. Open it with any SQLite program and try:`);
  for (const { question, sql } of queriesToTry) print(`\n-- ${question}\n${sql};`);
  print('\nFor your own workspace see "Your own workspace" in README.md.');
  return 0;
}

async function ingest(env: Readonly<Record<string, string>>): Promise<number> {
  running = spawn(process.execPath, [cli, 'ingest'], {
    env: cleanEnvironment({ ...env, DATABASE_URL: `sqlite:./${file}` }),
    stdio: 'inherit',
  });
  return exitCodeOf(running);
}

function heading(text: string): void {
  print(`\n${text}\n${'─'.repeat(Math.min(text.length, 100))}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
