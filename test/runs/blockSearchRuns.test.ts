import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NO_LIST_COUNTS } from '../../src/search/rates/selfPruner/listAccount.ts';
import { syntheticEvoPressPlan } from '../support/syntheticEvoPress.ts';
import type { LlmSettings } from '../../src/search/llm/settings.ts';
import { packValues } from '../../src/experiment/packedValues.ts';
import type { RunEvent, SearchPlan } from '../../src/search/kinds.ts';
import { Journal } from '../../src/runs/journal.ts';
import { createRun, JOURNAL_FILE, journalOf, openRun, RUN_FILE, type RunFolder } from '../../src/runs/runFolder.ts';
import { planOf } from '../../src/runs/runRecord.ts';
import { summariseRun } from '../../src/runs/runSummary.ts';
import { sampleMaskPlan, sampleRatePlan } from '../protocol/samples.ts';
import { failureOf } from '../support/expectCoded.ts';

const root = await mkdtemp(path.join(tmpdir(), 'espalier-runs-'));
afterAll(() => rm(root, { recursive: true, force: true }));

const begin = (plan: SearchPlan) => createRun(plan, { root, createdAt: new Date(1763804575000), versions: {} });
const inside = {
  model: path.join(root, 'model'),
  text: path.join(root, 'a/text.txt'),
  test: path.join(root, 'test.txt'),
};

async function write({ folder, record: run }: RunFolder, events: readonly RunEvent[]): Promise<void> {
  const { journal } = await Journal.open(path.join(folder, JOURNAL_FILE), run, { now: () => 1763804576000 });
  await journal.append(events);
  await journal.close();
}

describe('a run that searches for rates or masks', () => {
  it.each<[string, SearchPlan]>([
    ['rates', sampleRatePlan(inside)],
    ['masks', sampleMaskPlan(inside)],
  ])('has paths that mean the same in another clone (%s)', async (_, plan) => {
    const { folder, record: run } = await begin(plan);
    expect(run.plan).toMatchObject({ model: 'model', text: 'a/text.txt', test: 'test.txt' });
    expect(planOf((await openRun(folder)).record, root)).toEqual(plan);
  });

  it.each<[string, string, boolean]>([
    ['"timeout": 120', '"timeout": 3', true],
    ['"retries": 3', '"retries": 9', true],
    ['"tokenCap": 0', '"tokenCap": 5000', true],
    ['"promptPrice": 0', '"promptPrice": 0.2', true],
    ['"workers": 1', '"workers": 4', true],
    ['"temperature": 1', '"temperature": 0', false],
    ['"reasks": 2', '"reasks": 1', false],
    ['"endpoint": ""', '"endpoint": "http://elsewhere/v1"', false],
    ['"mutate": "m"', '"mutate": "another prompt"', false],
    ['"share": 0.3', '"share": 0.4', false],
  ])('may go on with %s as %s: %s', async (before, after, allowed) => {
    const { folder } = await begin(sampleRatePlan(inside));
    const file = path.join(folder, RUN_FILE);
    const text = await readFile(file, 'utf8');
    expect(text).toContain(before);
    await writeFile(file, text.replace(before, after));
    if (allowed) await openRun(folder);
    else expect((await failureOf(() => openRun(folder))).code).toBe('runs/changed');
  });

  it.each<[Partial<LlmSettings>, string]>([
    [{ endpoint: 'https://me:secret@example.org/v1' }, 'user'],
    [{ endpoint: 'https://example.org/v1?api-key=secret' }, 'query'],
    [{ endpoint: 'secret' }, 'no URL'],
  ])('is not begun with a secret in its settings: %j', async (llm, what) => {
    const plan = sampleRatePlan();
    const error = await failureOf(() => begin({ ...plan, llm: { ...plan.llm, ...llm } }));
    expect([error.code, error.message.includes(what), error.message.includes('secret')]).toEqual([
      'settings/invalid',
      true,
      false,
    ]);
  });

  it('keeps the probabilities of a model of 13B parameters in a line, which is read in time', async () => {
    const begun = await begin(sampleMaskPlan({ ...inside, name: 'large' }));
    const { folder } = begun;
    const values = {
      groups: packValues(new Float32Array(40 * 40)),
      channels: packValues(new Float32Array(40 * 13_824)),
    };
    const probabilities = (step: number): RunEvent => ({
      kind: 'probabilities',
      step,
      values,
      ...{ baseline: 2.5, perplexity: 20 - step / 100, removed: 0.3, leftOut: 0 },
    });
    const step = (at: number): RunEvent => ({
      kind: 'step',
      step: at,
      losses: [2, null],
      baseline: null,
      seconds: 1,
    });
    await write(begun, [probabilities(0), step(0), step(1), probabilities(2)]);
    const began = performance.now();
    const read: RunEvent[] = [];
    for await (const records of journalOf(await openRun(folder)).more())
      read.push(...records.map(({ event }) => event));
    expect(read).toEqual([probabilities(0), step(0), step(1), probabilities(2)]);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(await summariseRun(folder)).toMatchObject({
      state: 'interrupted',
      generation: 1,
      best: { kind: 'masks', removed: 0.3, perplexity: 19.98 },
    });
  });

  it('is summed up with the masks that it keeps, not with the last ones', async () => {
    const begun = await begin(sampleMaskPlan({ ...inside, name: 'best' }));
    const { folder } = begun;
    // Longer than what is read off the end first.
    const long = packValues(new Float32Array(5000));
    const probabilities = (step: number, perplexity: number | null): RunEvent => ({
      kind: 'probabilities',
      step,
      values: { groups: long, channels: long },
      ...{ baseline: 2.5, perplexity, removed: step / 8, leftOut: 0 },
    });
    const error = { code: 'device/failed', operation: '', expected: '', actual: '', remedy: '' } as const;
    const failed = { kind: 'finalist', name: 'policy-gradient', error } as const;
    const best = (removed: number, perplexity: number) => ({ best: { kind: 'masks', removed, perplexity } });

    await write(begun, [probabilities(0, null)]);
    expect((await summariseRun(folder)).best).toBeUndefined();
    await write(begun, [probabilities(1, 18), probabilities(2, 17), probabilities(3, 17)]);
    expect(await summariseRun(folder)).toMatchObject(best(0.375, 17));
    await write(begun, [probabilities(4, 19), probabilities(5, null), probabilities(6, 21)]);
    expect(await summariseRun(folder)).toMatchObject(best(0.375, 17));
    await write(begun, [failed, { kind: 'finished', mask: [], steps: 6, leftOut: 0 }]);
    expect(await summariseRun(folder)).toMatchObject({ state: 'finished', ...best(0.375, 17) });
  });

  it('is summed up with its best rates', async () => {
    const begun = await begin(sampleRatePlan({ ...inside, name: 'rates' }));
    const { folder } = begun;
    const counts = {
      ...{ candidates: 2, evaluations: 2, duplicates: 0, invalid: 0, calls: 1, failedCalls: 0, listsUsed: 1 },
      ...{ listsRepaired: 1, listsRefused: 0, fallbacks: 0, promptTokens: 900, replyTokens: 100, cost: 0.5 },
    };
    const configuration = (id: number, rates: readonly number[], perplexity: number): RunEvent => ({
      ...{ kind: 'candidate', id, generation: 0, operator: 'llm-initialise', parents: [], rates, call: 0 },
      outcome: { kind: 'full', perplexity },
    });
    await write(begun, [
      configuration(0, [0.2, 0.4], 30),
      configuration(1, [0.4, 0.2], 20),
      {
        ...{ kind: 'generation', generation: 0, best: 20, mean: 24.5, worst: 30 },
        ...{ bestSoFar: { id: 1, perplexity: 20 }, counts },
      },
      { kind: 'paused' },
    ]);
    expect(await summariseRun(folder)).toMatchObject({
      state: 'paused',
      generation: 0,
      counts,
      best: { kind: 'rates', id: 1, rates: [0.4, 0.2], perplexity: 20 },
    });
    await write(begun, [{ kind: 'resumed' }, { kind: 'finished', counts, best: [0, 1] }]);
    expect(await summariseRun(folder)).toMatchObject({
      state: 'finished',
      best: { kind: 'rates', id: 0, perplexity: 30 },
    });
  });

  it('is summed up with the layers that go as a whole', async () => {
    const begun = await begin(syntheticEvoPressPlan({ drop: 'sublayers' }));
    const counts = { ...NO_LIST_COUNTS, candidates: 1, evaluations: 1, duplicates: 0, invalid: 0 };
    const dropped = { attention: [1], mlp: [0, 1] };
    const rates = [0.73, 1];
    await write(begun, [
      {
        ...{ kind: 'candidate', id: 0, generation: 0, operator: 'random', parents: [], rates, dropped },
        outcome: { kind: 'full', perplexity: 30 },
      },
      {
        ...{ kind: 'generation', generation: 0, best: 30, mean: 30, worst: 30 },
        ...{ bestSoFar: { id: 0, perplexity: 30 }, counts },
      },
    ]);
    expect(await summariseRun(begun.folder)).toMatchObject({ best: { kind: 'rates', rates, dropped } });
  });
});
