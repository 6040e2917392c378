/** Lets a workspace live while the program copies it into one or more databases, and tells whether the copies are right. */
import type { Channel } from '../stand-in/channel.ts';
import { Random } from '../stand-in/random.ts';
import type { TestDatabase } from '../support/databases.ts';
import { type Features, Life } from './life.ts';
import { openParty, type Party, planRun, quietRun, type RunOutcome, type RunPlan, type Trouble } from './runs.ts';
import { Witness } from './witness.ts';

export interface ScenarioOptions {
  seed: number;
  /** Epoch milliseconds. */
  now: number;
  databases: readonly TestDatabase[];
  /** Runs with changes before each. */
  rounds: number;
  features: Features;
  trouble: Trouble;
  /** Some changes happen while a run is reading. */
  duringRuns: boolean;
  /** Messages more in one of the channels. */
  crowd: number;
}

export interface ScenarioResult {
  changes: number;
  runs: number;
  kills: number;
  requests: number;
  messages: number;
  /** So many runs without trouble it took until every database equalled the world. */
  quietRuns: number;
}

/**
 * An unchanged thread is read whole at least every 24 runs, ten threads at most in a run; what is found then may take
 * two more runs.
 */
function quietRunsNeeded(threads: number): number {
  return 24 + Math.ceil(threads / 10) + 3;
}

interface Watched {
  party: Party;
  witness: Witness;
}

/** Throws an error that tells the seed and the first differences. */
export async function playScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const { seed, databases } = options;
  const plans = new Random(seed + 1_000_003);
  const perRound = 30;
  const life = new Life({ ...options, changes: options.rounds * perRound });
  const watched: Watched[] = [];
  try {
    for (const database of databases) {
      const party = await openParty(life.world, life.acme.botToken, database);
      watched.push({ party, witness: new Witness(database, life.ledger) });
    }
    const story = new Story(options, life, watched);
    for (let round = 0; round < options.rounds; round += 1) {
      await story.round(planRun(plans, life.founded, options.trouble), plans.below(2 * perRound), plans);
    }
    return await story.end();
  } finally {
    for (const { party } of watched) await party.close();
  }
}

class Story {
  readonly #options: ScenarioOptions;
  readonly #life: Life;
  readonly #watched: readonly Watched[];
  readonly #result: ScenarioResult = { changes: 0, runs: 0, kills: 0, requests: 0, messages: 0, quietRuns: 0 };

  constructor(options: ScenarioOptions, life: Life, watched: readonly Watched[]) {
    this.#options = options;
    this.#life = life;
    this.#watched = watched;
  }

  async round(plan: RunPlan, changes: number, random: Random): Promise<void> {
    const later = this.#options.duringRuns ? random.below(8) : 0;
    for (let n = 0; n < changes; n += 1) this.#change();
    const at = Array.from({ length: later }, () => 3 + random.below(20));
    await this.#run(plan, at);
  }

  /** Until all is as it should be, and it stays so. */
  async end(): Promise<ScenarioResult> {
    const life = this.#life;
    for (const channel of life.acme.channels.values()) {
      if (!life.lost.has(channel) && !life.canRead(channel)) this.#invite(channel);
    }
    const readable = [...life.acme.channels.values()].filter((channel) => life.canRead(channel));
    const threads = readable.flatMap(({ store }) => store.all.filter((message) => message.thread?.root === message));
    const most = quietRunsNeeded(threads.length);
    let different: string[] = [];
    for (let n = 1; n <= most; n += 1) {
      await this.#run(quietRun(this.#life.founded), [], true);
      different = await this.#compare(readable);
      if (different.length > 0) continue;
      this.#result.quietRuns = n;
      await this.#run(quietRun(this.#life.founded), [], true);
      const after = await this.#compare(readable);
      if (after.length > 0) throw this.#failure('A run changed what was right', after);
      for (const { party } of this.#watched) {
        const gaps = await party.verify();
        if (gaps.length > 0) throw this.#failure(`verify is wrong about a whole copy on ${party.database.name}`, gaps);
      }
      this.#result.messages = this.#watched[0]?.witness.seen ?? 0;
      return this.#result;
    }
    throw this.#failure(`After ${most} runs without trouble the copy is not the original`, different);
  }

  #invite(channel: Channel): void {
    channel.join();
    this.#life.ledger.observe(channel);
    this.#life.log.push(`${channel.id} #${channel.name} got the app for the end`);
  }

  #change(): void {
    this.#life.change();
    this.#result.changes += 1;
  }

  async #run(plan: RunPlan, changesAt: readonly number[], isQuiet = false): Promise<void> {
    const life = this.#life;
    const before = this.#unreadable();
    const left = [...changesAt];
    // Of the first database only, so that the order of the changes is the seed's.
    const during = (request: number): void => {
      const index = left.indexOf(request);
      if (index === -1) return;
      left.splice(index, 1);
      this.#change();
    };
    if (!isQuiet) life.log.push(`run ${this.#result.runs + 1}: ${describePlan(plan)}`);
    const outcomes = await Promise.all(
      this.#watched.map(({ party }, n) => party.run(plan, n === 0 ? during : () => undefined)),
    );
    const ended = this.#count(outcomes);
    if (!isQuiet) life.log.push(`  ended: ${ended}`);
    for (const _ of left) this.#change();
    const unreadable = new Set([...this.#unreadable()].filter((channel) => before.has(channel)));
    for (const [n, { party, witness }] of this.#watched.entries()) {
      const wrong = [
        ...(outcomes[n]?.wrong ?? []),
        ...(await witness.look(unreadable)),
        ...(await party.verify('--offline')),
      ];
      if (wrong.length > 0) throw this.#failure(`After run ${this.#result.runs} on ${party.database.name}`, wrong);
    }
  }

  #unreadable(): Set<Channel> {
    return new Set(this.#life.ledger.channels.filter((channel) => !this.#life.canRead(channel)));
  }

  #count(outcomes: readonly RunOutcome[]): string {
    this.#result.runs += 1;
    this.#result.kills += outcomes.filter(({ isKilled }) => isKilled).length;
    this.#result.requests += outcomes.reduce((sum, { requests }) => sum + requests, 0);
    return outcomes.map(({ isKilled, code, requests }) => `${isKilled ? 'killed' : code} after ${requests}`).join(', ');
  }

  async #compare(readable: readonly Channel[]): Promise<string[]> {
    const different: string[] = [];
    for (const { party, witness } of this.#watched) {
      const wrong = await witness.compare(readable);
      different.push(...wrong.map((line) => `${party.database.name}: ${line}`));
    }
    return different;
  }

  #failure(what: string, wrong: readonly string[]): Error {
    const { seed, now } = this.#options;
    const concerned = wrong.slice(0, 3);
    const stamps = concerned.flatMap((line) => line.match(/\b\d{10}\.\d{6}\b/g) ?? []);
    const channels = this.#life.ledger.channels.filter(({ id }) => concerned.some((line) => line.includes(id)));
    const ids = channels.flatMap((channel) => this.#life.ledger.idsOf(channel));
    const story = this.#life.log.filter(
      (line) =>
        /^(run| {2}ended)/.test(line) ||
        stamps.some((ts) => line.includes(ts)) ||
        // What happened to the channel as a whole, and what may have happened to all.
        (/ {2}|expired|hidden/.test(line) && (/expired|hidden/.test(line) || ids.some((id) => line.startsWith(id)))),
    );
    return new Error(
      [
        `Seed ${seed} (now ${now}): ${what}, ${wrong.length} differences:`,
        ...wrong.slice(0, 12).map((line) => `  ${line.length > 600 ? `${line.slice(0, 600)}…` : line}`),
        'What happened to them, and the runs:',
        ...story.slice(-80).map((line) => `  ${line}`),
      ].join('\n'),
    );
  }
}

function describePlan({ args, faults, kill, forgetCursorsAt, pages }: RunPlan): string {
  return [
    args.join(' '),
    ...faults.map(
      ({ kind, method, nth, times, ...rest }) =>
        `${kind} ${'error' in rest ? rest.error : ''} ${method ?? 'any'} ${nth}x${times}`,
    ),
    ...(kill === undefined ? [] : [`killed ${kill.moment} ${kill.at}`]),
    ...(forgetCursorsAt === undefined ? [] : [`cursors forgotten at ${forgetCursorsAt}`]),
    ...(pages.length === 1 ? [] : [`pages of ${pages.join()}`]),
  ].join('; ');
}
