import { printSparsity } from '../../src/experiment/sparsity.ts';
import type { WeightUpdate } from '../../src/experiment/updates.ts';
import { printPrefix } from '../../src/metric/print.ts';
import { BASELINES } from '../../src/search/metrics/baselines.ts';
import { perplexityOf, planOf, type StudyEngine } from './searches.ts';
import { ADMM, SPARSEGPT } from './updates.ts';

export interface NamedMetric {
  readonly name: string;
  /** Prefix form. */
  readonly expression: string;
}

interface MetricRow {
  readonly metric: string;
  readonly update: string;
  readonly perplexities: readonly number[];
}

export interface MetricTable {
  readonly sparsities: readonly string[];
  readonly rows: readonly MetricRow[];
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

/**
 * Every metric under every update at every sparsity, on text that no search saw.
 *
 * @param find the best of the searches, by name; asked last, so that what needs no search is known first
 */
export async function metricTableOf(
  study: StudyEngine,
  find: () => Promise<readonly NamedMetric[]>,
): Promise<MetricTable> {
  const rows: MetricRow[] = [];
  for (const name of ['magnitude', 'wanda', 'pruner-zero'])
    rows.push(...(await rowsOf(study, { name, expression: baseline(name) })));
  for (const metric of await find()) rows.push(...(await rowsOf(study, metric)));
  return { sparsities: study.options.at.map(printSparsity), rows };
}

async function rowsOf(study: StudyEngine, { name: metric, expression }: NamedMetric): Promise<MetricRow[]> {
  const rows: MetricRow[] = [];
  for (const [name, update] of UPDATED) {
    const perplexities: number[] = [];
    for (const sparsity of study.options.at)
      perplexities.push(await perplexityOf(study, { ...planOf(study, 'plain', 0), sparsity }, expression, update));
    rows.push({ metric, update: name, perplexities });
    console.error(`${metric} then ${name}: ${perplexities.map((value) => value.toFixed(2)).join(', ')}`);
  }
  return rows;
}
