/** A language model asked by the command: what it adds, what it may see, and what it can never spoil. */
import { describe, expect, it } from 'vitest';
import { content, event } from '../../stand-in-llm/answers.ts';
import { openModel, type StandInModel } from '../../stand-in-llm/server.ts';
import { configFile } from '../../support/config-file.ts';
import { eachDatabase, type TestDatabase } from '../../support/databases.ts';
import { type Lab, openLab } from '../../support/lab.ts';

const noon = Date.parse('2026-03-11T12:00:00Z');
const day = ['--date', '2026-03-11'];

interface ModelLab extends AsyncDisposable {
  lab: Lab;
  model: StandInModel;
  digest(...args: string[]): ReturnType<Lab['run']>;
}

const answerWith = (events: Record<string, unknown>[]) =>
  content(JSON.stringify({ is_event: events.length > 0, overflow_note: null, events }));

const launch = event({
  action: 'Launch',
  object_name_raw: 'Wallet',
  change_type: 'launch',
  status: 'planned',
  actual_start: null,
  planned_start: '2026-03-13T09:00:00Z',
  summary: 'The wallet is launched on Friday.',
});

async function openModelLab(
  create: () => Promise<TestDatabase>,
  answer: Parameters<typeof openModel>[0],
  more: Record<string, string> = {},
): Promise<ModelLab> {
  const lab = await openLab(create, { start: noon });
  const ada = lab.acme.user('ada').id;
  lab.acme.channel('general').post({ user: ada, text: 'Something about the wallet, in words that no rule knows.' });
  lab.acme.channel('deals', { kind: 'private' }).post({ user: ada, text: 'A secret about the wallet.' });
  await lab.ingest('--backfill-from', '2026-01-01');
  const model = await openModel(answer);
  const env = {
    LLM_MODEL: 'test-model',
    LLM_BASE_URL: model.baseUrl,
    LLM_API_KEY: 'sk-test-secret',
    LLM_PRICE_INPUT: '1',
    LLM_PRICE_OUTPUT: '2',
    ...more,
  };
  return {
    lab,
    model,
    digest: (...args) => lab.run(['digest', ...day, ...args], { env }),
    async [Symbol.asyncDispose]() {
      await model[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

eachDatabase((create) => {
  describe('a language model', () => {
    it('finds what rules do not, is asked once, and costs what is on record', async () => {
      await using it = await openModelLab(create, () => answerWith([launch]));
      const first = await it.digest();
      expect(first).toMatchObject({ code: 0 });
      expect(first.out.digest.upcoming).toMatchObject([{ title: 'Launch: Wallet', start: '2026-03-13T09:00:00.000Z' }]);
      expect(it.model.requests).toHaveLength(1);
      const cost = (it.model.billed.prompt_tokens * 1 + it.model.billed.completion_tokens * 2) / 1e6;
      expect(first.out.llm).toMatchObject({ read: 1, calls: 1, cost_usd: cost });
      expect(await it.lab.database.rows('llm_calls')).toMatchObject([{ success: expect.anything(), cost_usd: cost }]);
      const second = await it.digest();
      expect(second.out.digest.upcoming).toHaveLength(1);
      expect(it.model.requests).toHaveLength(1);
      expect(`${first.stdout}${first.stderr}`).not.toContain('sk-test-secret');
    });

    it('is never sent what is said in private, unless the config file names the channel', async () => {
      await using it = await openModelLab(create, () => answerWith([]));
      await it.digest();
      expect(it.model.requests.map(({ user }) => user).join()).not.toContain('secret');
      await it.digest('--rescore', '--config', configFile('digest: { private_channels: [deals] }'));
      expect(it.model.requests.map(({ user }) => user).join()).toContain('A secret about the wallet.');
    });

    it('is not asked with --skip-llm, nor in a dry run', async () => {
      await using it = await openModelLab(create, () => answerWith([launch]));
      expect(await it.digest('--skip-llm')).toMatchObject({ code: 0 });
      expect(await it.digest('--dry-run')).toMatchObject({ code: 0 });
      expect(it.model.requests).toHaveLength(0);
    });

    it('that talks nonsense leaves the digest of the rules, ends with 3, and is given up after three runs', async () => {
      await using it = await openModelLab(create, () => content('certainly! here are your events'));
      for (let run = 1; run <= 3; run += 1) {
        const { code, out } = await it.digest();
        expect({ run, code, messages: out.digest.activity.now.messages }).toEqual({ run, code: 3, messages: 2 });
      }
      const asked = it.model.requests.length;
      expect(await it.digest()).toMatchObject({ code: 0 });
      expect(it.model.requests).toHaveLength(asked);
      const [candidate] = await it.lab.database.rows('event_candidates', { where: `status = 'llm_fail'` });
      expect(candidate).toMatchObject({ attempts: 3 });
    });

    it('whose budget is spent is not asked, and the digest says so and ends with 0', async () => {
      await using it = await openModelLab(create, () => answerWith([launch]), { LLM_DAILY_BUDGET_USD: '0.000001' });
      const { code, out } = await it.digest();
      expect(code).toBe(0);
      expect(out.llm.stopped).toBe('budget');
      expect(out.digest.notes.join(' ')).toMatch(/budget/);
      expect(it.model.requests).toHaveLength(0);
    });

    it.each([
      [{ LLM_API_KEY: '' }, 'there is no key for it'],
      [{ LLM_PRICE_INPUT: '' }, 'nobody knows what the language model "test-model" costs'],
      [{ LLM_BASE_URL: 'http://models.example/v1' }, 'would travel unencrypted'],
    ])('that is configured with %j is a mistake that is told before anything is done', async (env, message) => {
      await using it = await openModelLab(create, () => answerWith([]), env);
      const { code, stderr } = await it.digest();
      expect(code).toBe(2);
      expect(stderr).toContain(message);
      expect(it.model.requests).toHaveLength(0);
    });
  });
});
