/** What the flags of digest accept, and the forms in which it is printed. */
import { describe, expect, it } from 'vitest';
import { expectClearFailure } from '../support/clear-failure.ts';
import { createSqlite } from '../support/databases.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { runCli } from '../support/run-cli.ts';

const noon = Date.parse('2026-03-11T12:00:00Z');

async function filledLab(): Promise<Lab> {
  const lab = await openLab(createSqlite, { start: noon });
  const ada = lab.acme.user('ada').id;
  lab.acme
    .channel('general')
    .post({ user: ada, text: 'Wallet <v2> is live! <!channel> \u001b[31mred xoxb-1234567890-secret' });
  await lab.ingest('--backfill-from', '2026-01-01');
  return lab;
}

const plain = (lab: Lab, ...args: string[]) =>
  runCli(['digest', '--date', '2026-03-11', ...args], { env: { ...lab.env, SLACK_TOKEN: undefined } });

describe('digest', () => {
  it.each([
    [['--format', 'pdf'], '--format: "pdf" is no format'],
    [['--since', '3 days'], '--since: "3 days" is neither a duration nor a date'],
    [['--since', '0s'], '--since: "0s" leaves nothing to tell of'],
    [['--since', '24h', '--date', 'today'], '--since and --date exclude each other'],
    [['--to', '2026-01-02'], '--to needs --from'],
    [['--from', '2026-01-02', '--to', '2026-01-01'], 'is not after --from'],
    [['--from', '2999-01-01'], 'is in the future'],
    [['--date', '2026-02-30'], 'does not exist in the calendar'],
    [['--date', 'last week'], 'is not a day'],
    [['--tz', 'Mars/Olympus'], '--tz: "Mars/Olympus" is not a time zone'],
    [['--upcoming', 'soon'], '--upcoming: "soon" is not a duration'],
    [['--category', 'gossip'], '--category: "gossip" is no category'],
    [['--min-confidence', '2'], '--min-confidence: "2" is not a number from 0 to 1'],
    [['--min-importance', 'x'], '--min-importance: "x" is not a number from 0 to 100'],
    [['--max-events', '0'], '--max-events: "0" is not a whole number from 1 on'],
    [['--top', '-1'], '--top: "-1" is not a whole number from 0 on'],
    [['--repost'], '--publish was not given'],
    [['--publish', 'x', '--repost', '--update'], '--repost and --update exclude each other'],
  ])('%j is a mistake that says what is wrong', async (args, message) => {
    const { code, stderr, stdout } = await runCli(['digest', ...args], {
      env: { SLACK_API_URL: 'http://127.0.0.1:9/', SLACK_TOKEN: 'xoxb-1-a', DATABASE_URL: 'sqlite:/nowhere/none.db' },
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('needs a database that was filled, and says so', async () => {
    await using database = await createSqlite();
    const env = { SLACK_API_URL: 'http://127.0.0.1:9/', DATABASE_URL: database.url };
    const missing = await runCli(['digest'], { env });
    expectClearFailure(missing, { code: 1, says: ['there is no database', database.url, 'slackingest ingest'] });
    await database.openMigrated();
    expectClearFailure(await runCli(['digest'], { env }), { code: 1, says: ['holds no workspace yet'] });
  });

  it('prints every format as one whole document, without controls and secrets', async () => {
    await using lab = await filledLab();
    const outputs = new Map<string, string>();
    for (const format of ['text', 'markdown', 'json', 'html', 'blocks']) {
      const { code, stdout } = await plain(lab, '--format', format);
      expect(code).toBe(0);
      expect(stdout).toContain('Wallet');
      expect(stdout).not.toContain('\u001b');
      expect(stdout).not.toContain('1234567890-secret');
      outputs.set(format, stdout);
    }
    expect(JSON.parse(outputs.get('json') ?? '')).toMatchObject({ events: [{ action: 'Launch' }] });
    expect(JSON.parse(outputs.get('blocks') ?? '')[0]).toHaveProperty('blocks');
    expect(outputs.get('html')).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/i);
    expect(outputs.get('blocks')).not.toMatch(/<!channel>|@channel/);
  });

  it('prints its text also with --quiet, and one JSON object with --json', async () => {
    await using lab = await filledLab();
    expect((await plain(lab, '--quiet')).stdout).toContain('Wallet');
    const { stdout } = await plain(lab, '--json', '--format', 'html');
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'digest',
      status: 'completed',
      digest: { events: [{ action: 'Launch' }] },
    });
  });

  it('--publish without a target says how to give one, and posts nothing', async () => {
    await using lab = await filledLab();
    const { code, stderr } = await runCli(['digest', '--publish'], { env: lab.env });
    expect(code).toBe(2);
    expect(stderr).toContain('nobody said where the digest is to be posted');
    expect(lab.slack.count('chat.postMessage')).toBe(0);
  });

  it('days are those of the zone that was asked for', async () => {
    await using lab = await openLab(createSqlite, { start: Date.parse('2026-03-11T23:30:00Z') });
    lab.acme.channel('general').post({ user: lab.acme.user('ada').id, text: 'Late.' });
    await lab.ingest('--backfill-from', '2026-01-01');
    const count = async (date: string, zone: string) =>
      (await lab.run(['digest', '--date', date, '--tz', zone])).out.digest.activity.now.messages;
    expect(await count('2026-03-11', 'UTC')).toBe(1);
    expect(await count('2026-03-12', 'UTC')).toBe(0);
    expect(await count('2026-03-12', 'Europe/Amsterdam')).toBe(1);
    expect(await count('2026-03-11', 'America/New_York')).toBe(1);
  });
});
