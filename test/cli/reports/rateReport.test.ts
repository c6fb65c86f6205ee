import { describe, expect, it } from 'vitest';
import { rateReportLines, rateSearchResult } from '../../../src/cli/reports/rateReport.ts';
import { humanRunReport, jsonRunReport } from '../../../src/cli/reports/runReport.ts';
import { createTerminal } from '../../../src/cli/terminal.ts';
import { printSparsity } from '../../../src/experiment/sparsity.ts';
import { createRunRecord } from '../../../src/runs/runRecord.ts';
import { evaluationWith } from '../../../src/search/rates/configuration.ts';
import type { RateCandidate, RateEvent } from '../../../src/search/rates/events.ts';
import { bestConfiguration, foldRateEvent, newRateState } from '../../../src/search/rates/state.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import { sampleResult } from '../../protocol/samples.ts';
import { syntheticEvoPress, syntheticEvoPressPlan } from '../../support/syntheticEvoPress.ts';
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

it('names the layers that go as a whole: of the best so far, of finalists, and of no baseline', () => {
  const state = stateOf(full);
  const dropped = { attention: [1], mlp: [0] };
  const candidate: RateEvent = {
    ...{ kind: 'candidate', id: 1, generation: 1, operator: 'switch', parents: [0], rates: [0.2, 0.4], dropped },
    outcome: { kind: 'full', perplexity: 120 },
  };
  foldRateEvent(state, candidate, 0);
  expect(rateSearchResult(run, state).best).toMatchObject([{ id: 1, rates: [0.2, 0.4], dropped }]);
  const text = rateReportLines(run, state, { out }).final().join('\n');
  expect(text).toContain('best: configuration 1, by switch: 20 40 %, without attention 2 and MLP 1');

  const result = sampleResult({ perplexity: 120 });
  const baseline = { kind: 'baseline', id: -1, name: 'uniform', rates: [0.3, 0.3], perplexity: 140 } as const;
  for (const event of [
    baseline,
    { kind: 'finalist', id: 1, name: 'configuration 1', result },
    { kind: 'finalist', id: 0, name: 'configuration 0', result },
    { kind: 'finalist', name: 'uniform', result },
    { kind: 'finished', counts: state.counts, best: [1, 0] },
  ] as const) {
    foldRateEvent(state, event, 0);
  }
  const found = JSON.parse(JSON.stringify(rateSearchResult(run, state))) as ReturnType<typeof rateSearchResult>;
  expect(found.best).toMatchObject([{ id: 1, rates: [0.2, 0.4], dropped, perplexity: 120 }, { id: 0 }]);
  expect(found.best[1]).not.toHaveProperty('dropped');
  expect(found.baselines).toMatchObject([{ name: 'uniform', rates: [0.3, 0.3] }]);
  expect(found.baselines[0]).not.toHaveProperty('dropped');
});

describe('a search that drops layers', () => {
  const dropping = syntheticEvoPressPlan({ drop: 'sublayers', generations: 2, offspring: 8, starts: 8 });
  const of = { ...run, record: createRunRecord('20260101-000000-layers-000000', dropping, context) };
  const folded = (until?: number): RateState => {
    const state = newRateState();
    for (const { event } of syntheticEvoPress(dropping, until === undefined ? {} : { until }))
      foldRateEvent(state, event, 0);
    return state;
  };

  it.each([
    ['finished', folded()],
    ['so far', folded(1)],
  ])('tells programs which go, %s', (_, state) => {
    const [best] = rateSearchResult(of, state).best;
    const { rates, dropped } = state.byId.get(best!.id!)!;
    expect(dropped).toBeDefined();
    expect(best).toMatchObject({ rates, dropped });
    expect(rateSearchResult(of, state).baselines.every((baseline) => !('dropped' in baseline))).toBe(true);
  });

  it('tells persons which go, by the numbers that blocks have in charts', () => {
    const state = folded();
    const { attention } = bestConfiguration(state)!.dropped!;
    const final = rateReportLines(of, state, { out }).final().join('\n');
    expect(final).toContain(`without attention ${attention.map((block) => block + 1).join(', ')}`);
  });

  it('has no tokens of a language model that it never asks', () => {
    const generation = syntheticEvoPress(dropping, { until: 0 }).at(-1)!.event;
    const { printed } = rateReportLines(of, folded(0), { out }).event(generation);
    expect(printed!.at(-1)).toMatch(/^ +0 .* – +[\d.]+ s/);
  });

  it('is evaluated under the sparsity that was asked for', () => {
    const components = syntheticEvoPress(dropping, { until: 0 })[0]!.event;
    if (components.kind !== 'opened') throw new Error('no opening');
    const { sparsity } = evaluationWith(dropping, bestConfiguration(folded())!, components.components);
    expect(printSparsity(sparsity)).toBe('30%');
  });

  it('says that its target is that of the baselines', () => {
    const [first] = rateReportLines(of, newRateState(), { out }).opening();
    expect(first).toContain('attention and MLP layers to drop (baselines: heads and channels by wanda-sp)');
    const levels = syntheticEvoPressPlan();
    const record = createRunRecord('20260101-000000-levels-000000', levels, context);
    expect(rateReportLines({ ...run, record }, newRateState(), { out }).opening()[0]).toContain(
      '· 30% · rates of heads and channels by wanda-sp ·',
    );
  });
});

it('a search under a protocol says so first', () => {
  const record = createRunRecord('20260101-000000-rates-000000', { ...plan, protocol: 'self-pruner' }, context);
  const printed = (report: typeof humanRunReport | typeof jsonRunReport, of: typeof run): string => {
    let text = '';
    const terminal = createTerminal({ write: (written) => (text += written) }, { write: () => true }, {});
    report(of, terminal, 'espalier').begin();
    return text;
  };
  const under = { ...run, record };
  expect(printed(humanRunReport, under)).toContain('\nprotocol self-pruner, but for what the search says itself\n');
  expect(JSON.parse(printed(jsonRunReport, under))).toMatchObject({ kind: 'run', protocol: 'self-pruner' });
  expect(printed(humanRunReport, run)).not.toContain('protocol');
  expect(printed(jsonRunReport, run)).not.toContain('protocol');
});
