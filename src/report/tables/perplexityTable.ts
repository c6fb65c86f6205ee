import { formatPerplexity, perplexityDigits } from '../../experiment/format.ts';
import { hasPerplexity } from '../../experiment/resultSchema.ts';
import { code, column, NONE, text } from '../document.ts';
import type { Cell, Line, Table } from '../document.ts';
import { methodKeys } from '../references/cited.ts';
import { readRemovalText } from '../repeat/removalText.ts';
import type { ReportedEvaluation } from '../reported.ts';
import { groupedBy, seedOf, spreadOf } from '../seeds.ts';
import type { Spread } from '../seeds.ts';
import { marked } from './marks.ts';
import { citing, conditionNotes, onWhat, shortName, sparsityOrder, sparsityTitle } from './methods.ts';

/**
 * Perplexities, a row for each way to prune and a column for each sparsity; of several seeds the mean and standard deviation.
 *
 * @param evaluations under one condition (see `conditionOf`), of single weights or of whole components alike
 * @param second whether the second of each column is underlined
 */
export function perplexityTable(
  evaluations: readonly ReportedEvaluation[],
  { id, second }: { readonly id: string; readonly second: boolean },
): Table | undefined {
  const measured = evaluations.filter(({ result }) => hasPerplexity(result));
  const pruned = measured.filter(({ result }) => result.expression !== 'dense');
  const [first] = measured;
  if (first === undefined) return undefined;
  const sparsities = groupedBy(
    [...pruned].sort((a, b) => sparsityOrder(a) - sparsityOrder(b)),
    sparsityTitle,
  );
  const methods = groupedBy(pruned, rowOf);
  const columns = sparsities.map((of) => columnOf(methods, of, second));
  const dense = spreadOf([first.result.densePerplexity!]);
  const denseDigits = perplexityDigits([dense.mean, ...pruned.map(({ result }) => result.perplexity)]);
  const denseRow = [
    { line: [text('dense')] },
    perplexityCell(dense, denseDigits),
    ...sparsities.slice(1).map(() => NONE),
  ];
  const rows = methods.map((method, i) => [methodCell(method[0]!), ...columns.map((cells) => cells[i]!)]);
  return {
    id,
    caption: [text('Perplexity '), ...onWhat(first), text(', lower is better.')],
    columns: [
      column('method'),
      ...(sparsities.length === 0
        ? [column('perplexity', 'right')]
        : sparsities.map(([of]) => column(sparsityTitle(of!), 'right'))),
    ],
    rows: [denseRow, ...rows],
    headRows: 1,
    notes: [...seedNotes(methods, sparsities), ...conditionNotes(measured)],
  };
}

/** Equal where two remove the same, whatever the sparsity and the seed. */
function rowOf({ result }: ReportedEvaluation): string {
  // Rates that are given, and masks, are found for one sparsity each: those of one name belong together.
  const isFound = /, rates |^mask /.test(result.expression);
  return JSON.stringify([result.metric, isFound ? '' : result.expression]);
}

function methodCell(evaluation: ReportedEvaluation): Cell {
  const { metric } = evaluation.result;
  return { line: [code(shortName(metric)), ...citing(methodKeys(readRemovalText(evaluation.result)))], exact: metric };
}

function columnOf(
  methods: readonly (readonly ReportedEvaluation[])[],
  at: readonly ReportedEvaluation[],
  second: boolean,
): readonly Cell[] {
  const spreads = methods.map((method) => {
    const values = method.filter((one) => at.includes(one)).map(({ result }) => result.perplexity!);
    return values.length === 0 ? undefined : spreadOf(values);
  });
  const means = spreads.map((spread) => spread?.mean);
  const digits = perplexityDigits(means);
  const cells = spreads.map((spread) => (spread ? perplexityCell(spread, digits) : NONE));
  return marked(cells, means, { second });
}

/** A mean has the digits that its spread leaves any sense to. */
export function perplexityCell({ mean, deviation }: Spread, digits: number): Cell {
  const printed = formatPerplexity(mean, digits);
  if (deviation === undefined) return { line: [{ kind: 'number', text: printed }], exact: String(mean) };
  const decimals = /\.(\d+)$/.exec(printed)?.[1]?.length ?? 0;
  const spread = deviation === 0 ? '0' : deviation.toFixed(Math.max(decimals, 1));
  return { line: [{ kind: 'number', text: printed, spread }], exact: `${mean} ± ${deviation}` };
}

/** Says which seeds there were, where there were several. */
function seedNotes(
  methods: readonly (readonly ReportedEvaluation[])[],
  sparsities: readonly (readonly ReportedEvaluation[])[],
): readonly Line[] {
  const cells = methods.flatMap((method) => sparsities.map((at) => method.filter((one) => at.includes(one))));
  const several = cells.filter((cell) => cell.length > 1);
  const sets = new Set(several.map((cell) => seedsText(cell)));
  if (several.length === 0) return [];
  const how = 'Mean and standard deviation over calibration seeds';
  if (sets.size === 1) return [[text(`${how} ${[...sets].join('')}; where no deviation stands, of one seed.`)]];
  const told = several.map(
    (cell) => `${shortName(cell[0]!.result.metric)} at ${sparsityTitle(cell[0]!)}: ${seedsText(cell)}`,
  );
  return [[text(`${how}. ${told.join('; ')}.`)]];
}

function seedsText(evaluations: readonly ReportedEvaluation[]): string {
  const seeds = evaluations.map(seedOf).sort((a, b) => a - b);
  return `${seeds.join(', ')} (n = ${seeds.length})`;
}
