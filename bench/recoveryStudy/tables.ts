import { formatPerplexity } from '../../src/experiment/format.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { printInfix } from '../../src/metric/print.ts';
import { METHODS } from '../structureStudy/methods.ts';
import type { MetricTable } from './metricTable.ts';
import type { FoundMetric } from './searches.ts';
import type { Figure, StructureCell } from './structures.ts';

/** What each seed's search under ADMM comes to against what it has to beat, all under ADMM, on text that no search saw. */
export interface UpdateVerdict {
  readonly seed: number;
  readonly admm: number;
  readonly plain: number;
  readonly wanda: number;
  readonly prunerZero: number;
}

/** What each seed's searches come to, as masks alone, on the text of the search and on one that no search saw. */
export interface ObjectiveVerdict {
  readonly seed: number;
  readonly perplexity: FoundMetric;
  readonly kl: FoundMetric;
}

export function updateTable(rows: readonly UpdateVerdict[], at: string): string {
  const won = rows.filter(({ admm, ...others }) => admm < Math.min(others.plain, others.wanda, others.prunerZero));
  return [
    `### Searched under ADMM at ${at}: perplexity under ADMM, unseen text`,
    '',
    '| seed | searched under ADMM | searched without | Wanda | Pruner-Zero |',
    '|---|---|---|---|---|',
    ...rows.map(({ seed, admm, plain, wanda, prunerZero }) =>
      line(String(seed), ...[admm, plain, wanda, prunerZero].map((value) => formatPerplexity(value))),
    ),
    '',
    `It beats all three in ${won.length} of ${rows.length} seeds.`,
  ].join('\n');
}

export function objectiveTable(rows: readonly ObjectiveVerdict[], at: string): string {
  const won = rows.filter(({ perplexity, kl }) => kl.unseen < perplexity.unseen).length;
  const mean = (of: (row: ObjectiveVerdict) => number): string =>
    formatPerplexity(Math.exp(rows.reduce((sum, row) => sum + Math.log(of(row)), 0) / rows.length));
  return [
    `### By divergence or by perplexity at ${at}: perplexity of the best, no update`,
    '',
    '| seed | by perplexity: its text | unseen | by KL: its text | unseen |',
    '|---|---|---|---|---|',
    ...rows.map(({ seed, perplexity, kl }) =>
      line(
        String(seed),
        ...[perplexity.fitness, perplexity.unseen, kl.fitness, kl.unseen].map((value) => formatPerplexity(value)),
      ),
    ),
    line(
      'mean',
      mean(({ perplexity }) => perplexity.fitness),
      mean(({ perplexity }) => perplexity.unseen),
      mean(({ kl }) => kl.fitness),
      mean(({ kl }) => kl.unseen),
    ),
    '',
    `By KL is better on unseen text in ${won} of ${rows.length} seeds.`,
  ].join('\n');
}

export function foundTable(found: readonly FoundMetric[]): string {
  return [
    '### What was found',
    '',
    '| search | seed | evaluations | formula |',
    '|---|---|---|---|',
    ...found.map(({ arm, seed, evaluations, expression }) =>
      line(arm, String(seed), evaluations.toFixed(1), `\`${printInfix(parsePrefix(expression))}\``),
    ),
  ].join('\n');
}

export function metricTable({ sparsities, rows }: MetricTable): string {
  return [
    '### Metrics × updates: perplexity on unseen text',
    '',
    line('metric', 'update', ...sparsities),
    line(...Array<string>(2 + sparsities.length).fill('---')),
    ...rows.map(({ metric, update, perplexities }) =>
      line(metric, update, ...perplexities.map((value) => formatPerplexity(value))),
    ),
  ].join('\n');
}

export function structureTable(cells: readonly StructureCell[]): string {
  const rates = [...new Set(cells.map(({ rate }) => rate))];
  const methods = [...new Set(cells.map(({ method }) => method))];
  const afters = (['none', 'reconstruct', 'lora'] as const).filter((after) =>
    cells.some(({ figures }) => figures[after] !== undefined),
  );
  const figure = (value: Figure | undefined): string =>
    typeof value === 'number' ? formatPerplexity(value) : (value ?? '–');
  return [
    '### Structures: perplexity on unseen text',
    '',
    line('method', 'then', ...rates.map((rate) => `${Math.round(100 * rate)} %`)),
    line(...Array<string>(2 + rates.length).fill('---')),
    ...methods.flatMap((method) =>
      afters.map((after) =>
        line(
          METHODS[method].title,
          { none: 'none', reconstruct: 'reconstruct', lora: 'reconstruct + LoRA' }[after],
          ...rates.map((rate) =>
            figure(cells.find((one) => one.method === method && one.rate === rate)?.figures[after]),
          ),
        ),
      ),
    ),
  ].join('\n');
}

function line(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
