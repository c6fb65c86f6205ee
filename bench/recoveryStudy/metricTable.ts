import { printSparsity } from '../../src/experiment/sparsity.ts';
import type { WeightUpdate } from '../../src/experiment/updates.ts';
import { printPrefix } from '../../src/metric/print.ts';
import { BASELINES } from '../../src/search/metrics/baselines.ts';
import { perplexityOf, planOf, type FoundMetric, type StudyEngine } from './searches.ts';
import { ADMM, SPARSEGPT } from './updates.ts';

export interface MetricTable {
  readonly sparsities: readonly string[];
  readonly rows: readonly {
    readonly metric: string;
    readonly update: string;
    readonly perplexities: readonly number[];
  }[];
}

const UPDATED: readonly (readonly [name: string, update: WeightUpdate | undefined])[] = [
  ['none', undefined],
  ['SparseGPT', SPARSEGPT],
  ['ADMM', ADMM],
];

/** Prefix form of what a paper or a search calls so. */
export function baseline(name: string): string {
  return printPrefix(BASELINES.find(({ metric }) => metric === name)!.expression);
}

/** Every metric under every update at every sparsity, on text that no search saw. @param found the best of each kind of search */
export async function metricTableOf(study: StudyEngine, found: readonly FoundMetric[]): Promise<MetricTable> {
  const metrics: readonly (readonly [name: string, expression: string])[] = [
    ...['magnitude', 'wanda', 'pruner-zero'].map((name) => [name, baseline(name)] as const),
    ...found.map(({ arm, expression }) => [arm === 'admm' ? 'evolved under ADMM' : 'evolved', expression] as const),
  ];
  const rows: { metric: string; update: string; perplexities: number[] }[] = [];
  for (const [metric, expression] of metrics) {
    for (const [name, update] of UPDATED) {
      const perplexities: number[] = [];
      for (const sparsity of study.options.at)
        perplexities.push(await perplexityOf(study, { ...planOf(study, 'plain', 0), sparsity }, expression, update));
      rows.push({ metric, update: name, perplexities });
      console.error(`${metric} then ${name}: ${perplexities.map((value) => value.toFixed(2)).join(', ')}`);
    }
  }
  return { sparsities: study.options.at.map(printSparsity), rows };
}
