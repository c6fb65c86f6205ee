import { expect, it } from 'vitest';
import { rateReportLines, rateSearchResult } from '../../../src/cli/reports/rateReport.ts';
import { createRunRecord } from '../../../src/runs/runRecord.ts';
import type { RateCandidate, RateEvent } from '../../../src/search/rates/events.ts';
import { foldRateEvent, newRateState } from '../../../src/search/rates/state.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import { syntheticRatePlan, syntheticRates } from '../../support/syntheticStructure.ts';

const plan = syntheticRatePlan({ population: 4, generations: 2 });
const context = { root: '/workspace', createdAt: new Date(0), versions: {} };
const run = {
  folder: '/workspace/run',
  root: '/workspace',
  record: createRunRecord('20260101-000000-rates-000000', plan, context),
};
const [opened] = syntheticRates(plan);
const same = (text: string): string => text;
const out = { bold: same, dim: same, red: same, yellow: same, cyan: same };

/** Configurations that ended like this, each measured on so many blocks. */
function stateOf(...settled: readonly (readonly [RateCandidate['outcome'], blocks: number])[]): RateState {
  const state = newRateState();
  const events = settled.flatMap(([outcome, blocks], id): RateEvent[] => [
    { kind: 'measured', id, rung: 0, measure: { kind: 'loss', blocks, loss: 5 }, seconds: 1 },
    { kind: 'candidate', id, generation: 0, operator: 'spread', parents: [], rates: [0.2, 0.4], outcome },
  ]);
  for (const event of [opened!.event, ...events]) foldRateEvent(state, event, 0);
  return state;
}

const { blocks } = opened!.event.kind === 'opened' ? opened!.event : { blocks: 0 };
const full = [{ kind: 'full', perplexity: 150 }, blocks] as const;
const stopped = [{ kind: 'stopped', rung: 0, blocks: blocks / 4, perplexity: 140 }, blocks / 4] as const;

it('a search for rates tells how many configurations were stopped early, and what all took', () => {
  const final = (state: RateState): string => rateReportLines(run, state, { out }).final().join('\n');
  expect(final(stateOf(full, stopped, stopped))).toContain(
    '3 configurations: 1 evaluated in full, 2 stopped early (1.5 evaluations of the whole text), 0 had been before, 0 invalid',
  );
  expect(final(stateOf(full, full))).toContain('2 configurations: 2 evaluated, 0 had been before, 0 invalid');
});

it('the best of a search for rates is none that was stopped early', () => {
  expect(rateSearchResult(run, stateOf(full, stopped)).best).toMatchObject([{ id: 0, perplexity: 150 }]);
  expect(rateSearchResult(run, stateOf(stopped)).best).toEqual([]);
});
