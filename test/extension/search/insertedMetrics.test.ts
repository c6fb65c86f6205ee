import { describe, expect, it } from 'vitest';
import { insertedMetrics, metricText } from '../../../src/extension/search/insertedMetrics.ts';
import { runAsCsv } from '../../../src/extension/search/exportRun.ts';
import type { SearchOpening } from '../../../src/search/lifecycle/events.ts';
import type { MetricCandidate } from '../../../src/search/metrics/events.ts';
import { compile } from '../../../src/language/check/compile.ts';
import { foldMetricEvent, newMetricState } from '../../../src/search/metrics/state.ts';
import { syntheticPlan, syntheticSearch } from '../../support/syntheticSearch.ts';

const RUN = '20261122-100000-quick-abc123';
const candidate: MetricCandidate = {
  id: 12,
  generation: 3,
  operator: 'crossover',
  parents: [1, 2],
  expression: 'mul(abs(mul(W, W)), mms(G))',
  size: 7,
  depth: 4,
  outcome: { kind: 'full', perplexity: 151.634 },
};
const opening: SearchOpening = {
  ...{ blocks: 1, denseLosses: [Math.log(143.3045)], densePerplexity: 143.3045, fingerprint: 'f' },
  ...{ device: 'cpu', parameters: 1, architecture: 'LlamaForCausalLM' },
};
const origin = { runId: RUN, plan: syntheticPlan(), opening };

describe('a candidate in a file', () => {
  const text = `metric wanda = W * sqrt(X)\n\n${metricText('evolved_12', candidate, origin, '\n')}\n`;

  it('says where it comes from', () => {
    expect(metricText('evolved_12', candidate, origin, '\n')).toMatchInlineSnapshot(`
      "/// Perplexity 151.6 (dense 143.3) at 60 %, as ranked in the search metrics_for_tiny
      /// (run 20261122-100000-quick-abc123, candidate 12).
      metric evolved_12 = abs(W * W) * mms(G)"
    `);
  });

  it('holds nothing that the name of its search could add to the file', () => {
    const name = 'a\nmetric evil = W\r\n/// b\u2028metric worse = W';
    const hostile = metricText('evolved_12', candidate, { ...origin, plan: { ...origin.plan, name } }, '\n');
    expect(hostile.split(/[\n\r\u2028]/)).toHaveLength(3);
    expect(compile(hostile).declarations.map((declaration) => declaration.name)).toEqual(['evolved_12']);
  });

  it('is read back by the language as the same metric', () => {
    const { declarations, diagnostics } = compile(text);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(declarations.map(({ name }) => name)).toEqual(['wanda', 'evolved_12']);
  });

  it.each([
    ['as it was written', text, { 12: 'evolved_12' }],
    ['with CRLF', text.replaceAll('\n', '\r\n'), { 12: 'evolved_12' }],
    [
      'renamed, with another comment below',
      text.replace('metric evolved_12', '/// Mine.\nmetric mine'),
      { 12: 'mine' },
    ],
    ['of another run', text.replace(RUN, 'another'), {}],
    ['without its comment', text.replaceAll('///', '//'), {}],
  ])('is found again %s', (_, written, expected) => {
    expect(insertedMetrics(written, RUN)).toEqual(expected);
  });
});

it('a run exports as one line a candidate, with all digits', () => {
  const state = newMetricState();
  for (const { event, at } of syntheticSearch(syntheticPlan({ population: 10, generations: 3 })))
    foldMetricEvent(state, event, at);
  const lines = runAsCsv(state).trimEnd().split('\r\n');
  expect(lines).toHaveLength(31);
  expect(lines[0]).toBe(
    'id,generation,formula,perplexity,size,depth,operator,parents,request,improves,outcome,blocks,same as,reason',
  );
  const full = state.candidates.find(({ outcome }) => outcome.kind === 'full')!;
  expect(lines[full.id + 1]).toContain(String(full.outcome.kind === 'full' && full.outcome.perplexity));
  // A formula with a comma is one cell.
  const quoted = lines.find((line) => line.includes('"'));
  expect(quoted).toMatch(/^\d+,\d+,"[^"]*, [^"]*",/);
});
