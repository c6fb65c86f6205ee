import { expect, it } from 'vitest';
import { metricReportLines } from '../../../src/cli/reports/searchReport.ts';
import { searchResult } from '../../../src/cli/reports/searchResult.ts';
import { createRunRecord } from '../../../src/runs/runRecord.ts';
import type { MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { foldMetricEvent, newMetricState } from '../../../src/search/metrics/state.ts';
import { syntheticPlan, syntheticProposingPlan, syntheticSearch } from '../../support/syntheticSearch.ts';

const same = (text: string): string => text;
const out = { bold: same, dim: same, red: same, yellow: same, cyan: same };

/** What a search says, and what it comes to. */
function report(plan: MetricSearchPlan) {
  const record = createRunRecord('20260101-000000-m-000000', plan, {
    root: '/workspace',
    createdAt: new Date(0),
    versions: {},
  });
  const run = { folder: '/workspace/run', root: '/workspace', record };
  const state = newMetricState();
  const lines = metricReportLines(run, state, { out });
  const opening = lines.opening();
  const said: string[] = [];
  for (const { event, at } of syntheticSearch(plan)) {
    foldMetricEvent(state, event, at);
    said.push(...(lines.event(event).said ?? []));
  }
  return { opening, said, final: lines.final().join('\n'), result: searchResult(run, state), state };
}

it('a search in which a language model proposes says who does, what came of it, and the same reason once', () => {
  const { opening, said, final, result, state } = report(syntheticProposingPlan({ population: 20, generations: 6 }));
  expect(opening).toContain('20 % of the metrics are proposed by qwen2.5-coder:14b at http://localhost:11434/v1');
  expect(state.fallbacks.length).toBeGreaterThan(1);
  expect(said).toEqual([
    expect.stringMatching(
      /^variation makes \d+ in the place of the language model: too few of the formulas could be used$/,
    ),
  ]);
  const { llm } = state.counts;
  expect(final).toContain(
    `6 replies, 0 requests without one · formulas: ${llm!.formulasUsed} taken up, ${llm!.formulasRejected} rejected`,
  );
  expect(final).toMatch(/\d+ tokens of prompts, \d+ of replies, cost 0\.06/);
  expect(final).toMatch(/improvements: .*\bproposed \d+ \(of \d+; \d+ in full\)/);
  expect(result.operators.find(({ operator }) => operator === 'proposed')).toMatchObject({
    candidates: llm!.formulasUsed,
  });
  expect(result.counts.llm).toEqual(llm);
});

it('where nobody is set up it says that variation makes all, and without proposals nothing', () => {
  const plan = syntheticProposingPlan({ generations: 1 });
  const { opening } = report({ ...plan, llm: { ...plan.llm, provider: 'none' } });
  expect(opening).toContain(
    '20 % of the metrics are proposed by variation alone: no language model is set up (--provider)',
  );
  const none = report(syntheticPlan({ generations: 1 }));
  expect([...none.opening, none.final].join('\n')).not.toMatch(/proposed|replies/);
  expect(none.result.counts).not.toHaveProperty('llm');
});
