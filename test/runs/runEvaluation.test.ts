import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SearchEvent, SearchPlan } from '../../src/search/kinds.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { Journal } from '../../src/runs/journal.ts';
import { evaluationOfRun } from '../../src/runs/runEvaluation.ts';
import { createRun, JOURNAL_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { failureOf } from '../support/expectCoded.ts';
import { syntheticPlan, syntheticSearch } from '../support/syntheticSearch.ts';
import { syntheticMaskPlan, syntheticMasks, syntheticRatePlan, syntheticRates } from '../support/syntheticStructure.ts';

let root: string;
beforeAll(async () => (root = await mkdtemp(path.join(tmpdir(), 'espalier-runs-'))));
afterAll(() => rm(root, { recursive: true }));

async function runWith(plan: SearchPlan, events: readonly { readonly event: SearchEvent }[]): Promise<RunFolder> {
  const run = await createRun(plan, { root, createdAt: new Date(0), versions: {} });
  const { journal } = await Journal.open(path.join(run.folder, JOURNAL_FILE), run.record, { now: () => 0 });
  await journal.append(events.map(({ event }) => event));
  await journal.close();
  return run;
}

it('of a search for metrics: the best, or a candidate, with the search’s own inputs', async () => {
  const plan = syntheticPlan({ population: 10, generations: 3 });
  const events = syntheticSearch(plan);
  const run = await runWith(plan, events);
  const finished = events.map(({ event }) => event).find((event) => event.kind === 'finished')!;
  const candidates = events.flatMap(({ event }) => (event.kind === 'candidate' ? [event] : []));
  const best = candidates.find(({ id }) => id === finished.best[0])!;
  const { model, text, calibration, settings, sparsity } = plan;
  const found = await evaluationOfRun(run);
  expect(found).toMatchObject({ model, text, calibration, settings });
  expect(found.evaluations).toMatchObject([{ expression: parsePrefix(best.expression), sparsity }]);
  const [other] = (await evaluationOfRun(run, candidates[3]!.id)).evaluations;
  expect(other).toMatchObject({ expression: parsePrefix(candidates[3]!.expression) });
  expect((await failureOf(() => evaluationOfRun(run, 99_999))).message).toMatch(/the id 99999/);
});

it('of a search for rates: the best rates, of what they were searched for', async () => {
  const plan = syntheticRatePlan({ population: 6, mutations: 2, crossovers: 2, generations: 2 });
  const run = await runWith(plan, syntheticRates(plan));
  const { evaluations } = await evaluationOfRun(run);
  expect(evaluations).toMatchObject([
    {
      metric: 'wanda-sp',
      structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'given' } },
      sparsity: plan.sparsity,
    },
  ]);
  const wanda = { metric: 'wanda', expression: parsePrefix('mul(W, sqrt(X))') };
  const weights = { ...plan, target: { kind: 'weights' as const, ...wanda } };
  const other = await runWith(weights, syntheticRates(weights));
  expect((await evaluationOfRun(other)).evaluations).toMatchObject([{ ...wanda, rates: { kind: 'given' } }]);
});

it('of a search for masks: its mask, once it has one', async () => {
  const plan = syntheticMaskPlan({ steps: 20, checkpoints: 2 });
  const events = syntheticMasks(plan);
  const finished = events.map(({ event }) => event).find((event) => event.kind === 'finished')!;
  const { evaluations } = await evaluationOfRun(await runWith(plan, events));
  expect(evaluations).toMatchObject([{ structure: { kind: 'mask', mask: finished.mask } }]);
  const half = await runWith(plan, syntheticMasks(plan, { until: 10 }));
  const failure = await failureOf(() => evaluationOfRun(half));
  expect(failure.code).toBe('settings/invalid');
  expect(failure.message).toMatch(/step 10 of 20/);
});

it('what followed the mask in the search follows what it found', async () => {
  const admm = { method: 'admm', iterations: 5, damping: 0.1 } as const;
  const reconstruct = { method: 'reconstruct', damping: 0.03 } as const;
  const metrics = { ...syntheticPlan({ population: 10, generations: 3 }), update: admm };
  const rates = syntheticRatePlan({ population: 6, mutations: 2, crossovers: 2, generations: 2 });
  const masks = { ...syntheticMaskPlan({ steps: 20, checkpoints: 2 }), update: reconstruct };
  const wanda = { kind: 'weights', metric: 'wanda', expression: parsePrefix('mul(W, sqrt(X))') } as const;
  const runs = [
    [await runWith(metrics, syntheticSearch(metrics)), admm],
    [await runWith({ ...rates, update: reconstruct }, syntheticRates(rates)), reconstruct],
    [await runWith({ ...rates, target: wanda, update: admm }, syntheticRates(rates)), admm],
    [await runWith(masks, syntheticMasks(masks)), reconstruct],
  ] as const;
  for (const [run, update] of runs) expect((await evaluationOfRun(run)).evaluations).toMatchObject([{ update }]);
  const [run] = runs[0];
  expect((await evaluationOfRun(run, 1)).evaluations).toMatchObject([{ update: admm }]);
});
