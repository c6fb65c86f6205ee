import { printBudget } from '../../experiment/budget.ts';
import { figureText } from '../../experiment/costLimit.ts';
import { protocolText } from '../../experiment/deviations.ts';
import { rowsText } from '../../experiment/corpusRows.ts';
import { publishedBeside } from '../../language/check/publishedBeside.ts';
import { otherPerplexities } from '../../experiment/otherPerplexities.ts';
import { inputText } from '../../experiment/hubName.ts';
import {
  formatChange,
  formatCount,
  formatPerplexity,
  formatSeconds,
  formatShare,
  shortFingerprint,
} from '../../experiment/format.ts';
import { gradientsText, lengthText, offsetsText, samplesText } from '../../experiment/length.ts';
import { modelText } from '../../experiment/resultWarnings.ts';
import { predictionLines } from '../../experiment/prediction.ts';
import { recoveryLine } from '../../experiment/recoveryWords.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { isStructural, scoreText } from '../../experiment/planned.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';

/**
 * The table of one plan, written row by row as results arrive: everything that decides a column's width is known from the
 * plan, or has a bound. Numbers stand right, words left; the expression is last because it may be long.
 */
export interface EvaluationTable {
  readonly header: string;
  row(result: EvaluationResult): string;
  failedRow(evaluation: PlannedEvaluation): string;
}

export function evaluationTable(plan: EvaluationPlan): EvaluationTable {
  const name = Math.max('metric'.length, 'dense'.length, ...plan.evaluations.map(({ metric }) => metric.length));
  const wide = Math.max(8, ...plan.evaluations.map(({ sparsity }) => printSparsity(sparsity).length));
  // Zeroed weights stay in the matrices; whole components are gone, and with them parameters.
  const isWhole = plan.evaluations.some(isStructural);
  const isOfText = plan.text !== undefined;
  const cells = (
    [metric, sparsity, perplexity, dense, change, zeros, time, fingerprint, parameters]: readonly string[],
    expression: string,
  ): string =>
    [
      metric!.padEnd(name),
      sparsity!.padStart(wide),
      ...(isOfText ? [perplexity!.padStart(10), dense!.padStart(9), change!.padStart(9)] : []),
      zeros!.padStart(7),
      ...(isWhole ? [parameters!.padStart(10)] : []),
      time!.padStart(7),
      fingerprint!.padEnd(12),
      expression,
    ]
      .join('  ')
      .trimEnd();
  // Without a file a metric's name is the expression as it was typed; saying it twice helps nobody.
  const named = plan.evaluations.some((evaluation) => evaluation.metric !== scoreText(evaluation));
  return {
    header: cells(
      [
        ...[
          'metric',
          'sparsity',
          'perplexity',
          'dense',
          'change',
          isWhole ? 'removed' : 'zeros',
          'time',
          'fingerprint',
        ],
        'parameters',
      ],
      named ? 'expression' : '',
    ),
    row: (result) =>
      cells(
        [
          result.metric,
          result.sparsity === undefined ? '–' : printSparsity(result.sparsity),
          formatPerplexity(result.perplexity),
          formatPerplexity(result.densePerplexity),
          result.sparsity === undefined ? '–' : formatChange(result.perplexity, result.densePerplexity),
          formatShare(result.actualSparsity),
          formatSeconds(result.seconds),
          shortFingerprint(result.fingerprint),
          formatCount(result.structure?.parameters.pruned ?? result.provenance.parameters),
        ],
        result.expression === result.metric ? '' : result.expression,
      ),
    failedRow: ({ metric, sparsity }) => cells([metric, printSparsity(sparsity), 'failed', '', '', '', '', '', ''], ''),
  };
}

/** Where the numbers of a plan come from, in two or three lines under its table. @param results of one plan, one at least */
export function provenanceLines(results: readonly EvaluationResult[]): string[] {
  const from = results.at(-1)!.provenance;
  const kinds = new Set(results.map(({ calibrate }) => calibrate));
  // Whole components are scored on the dense model, whatever the plan says of metrics.
  const calibrate = kinds.size > 1 ? 'sequential, whole components one-shot' : [...kinds].join('');
  const text = `${from.blocks} ${from.blocks === 1 ? 'block' : 'blocks'} of ${lengthText(from.length, from.modelLength)}`;
  const byRows = (rows: Parameters<typeof rowsText>[0]): string => {
    const said = rowsText(rows);
    return said === undefined ? '' : `; ${said}`;
  };
  return [
    ...(from.protocol === undefined ? [] : [`protocol     ${protocolText(from.protocol, sharedDeviations(results))}`]),
    `model        ${inputText(from.model)}  (${from.architecture}, ${formatCount(from.parameters)} parameters${modelText(from)})`,
    ...(from.text === undefined ? [] : [`text         ${inputText(from.text)}  (${text}${byRows(from.rows?.text)})`]),
    ...(from.calibration === undefined
      ? []
      : [
          `calibration  ${inputText(from.calibration)}  (${samplesText(from)} ${offsetsText(from.offsets, from.seed)}, ${calibrate}${byRows(from.rows?.calibration)})`,
        ]),
    ...(from.gradientSamples === undefined
      ? []
      : [`gradients    ${gradientsText(from)}${byRows(from.rows?.gradients)}`]),
    ...recoveryLines(results),
    ...perWordLines(results),
    ...publishedLines(results),
    ...budgetLines(results),
    ...speedLines(results),
    `device       ${from.deviceName}  (${from.precision})`,
    ...(results.some(({ hiddenStates }) => hiddenStates)
      ? ['states       on disk, as memory had no room for them; no number depends on it']
      : []),
  ];
}

/** In what all of them differ from the protocol; a group of a metric's own stands in its row. */
function sharedDeviations(results: readonly EvaluationResult[]): readonly string[] {
  const [first = [], ...others] = results.map(({ provenance }) => provenance.deviations ?? []);
  return first.filter((told) => others.every((of) => of.includes(told)));
}

/** What budgets were resolved to. */
function budgetLines(results: readonly EvaluationResult[]): string[] {
  return results.flatMap(({ metric, actualSparsity, structure }) => {
    if (structure?.budget === undefined) return [];
    const { asked, figure, share } = structure.budget;
    const rate = share === undefined ? '' : ` at an overall rate of ${formatShare(share)}`;
    const came = `${formatShare(actualSparsity)} of the blocks' weights went${rate}, predicted ${figureText(asked, figure)}`;
    return [`budget       ${metric} at ${printBudget(asked)}: ${came}`];
  });
}

/** What becomes of size and speed where whole components went. */
function speedLines(results: readonly EvaluationResult[]): string[] {
  const predicted = results.flatMap(({ metric, sparsity, predicted: prediction }) =>
    sparsity === undefined ? [] : [{ name: `${metric} at ${printSparsity(sparsity)}`, prediction }],
  );
  const { model, length } = results[0]!.provenance;
  const remedy = `espalier speed ${inputText(model)} --costs --length ${length}`;
  return predictionLines(predicted, remedy).map((line) => `speed        ${line}`);
}

/** What papers published, beside what of it stands in the table. */
function publishedLines(results: readonly EvaluationResult[]): string[] {
  const bySource = new Map<string, string[]>();
  for (const result of results) {
    const published = publishedBeside(result);
    if (published === undefined) continue;
    const at = result.sparsity === undefined ? '' : ` at ${printSparsity(result.sparsity)}`;
    const told = bySource.get(published.source) ?? [];
    told.push(`${result.metric}${at} ${published.perplexity}`);
    bySource.set(published.source, told);
  }
  return [...bySource].map(([source, told]) => `published    ${told.join(', ')}  (${source})`);
}

/** What training came to, for each that was recovered, and on what. */
function recoveryLines(results: readonly EvaluationResult[]): string[] {
  const trained = results.flatMap(({ metric, sparsity, recovery, provenance }) =>
    recovery ? [{ name: sparsity ? `${metric} at ${printSparsity(sparsity)}` : metric, recovery, provenance }] : [],
  );
  const of = trained[0]?.provenance;
  if (of?.train === undefined) return [];
  const rowsOf = (rows: Parameters<typeof rowsText>[0]): string => {
    const said = rowsText(rows);
    return said === undefined ? '' : ` (${said})`;
  };
  const { train, validate, rows } = of;
  const watched =
    validate === undefined ? ', its end held out' : `; held out ${inputText(validate)}${rowsOf(rows?.validate)}`;
  return [
    `trained on   ${inputText(train)}${rowsOf(rows?.train)}${watched}`,
    ...trained.map(({ name, recovery }) => `recovery     ${name}: ${recoveryLine(recovery)}`),
  ];
}

/** The perplexities by words and bytes, which are no column: a table of tokens is what papers have. */
function perWordLines(results: readonly EvaluationResult[]): string[] {
  const first = results[0]!;
  const named = [
    { name: 'dense', result: first, perplexity: first.densePerplexity },
    ...results
      .filter(({ sparsity }) => sparsity !== undefined)
      .map((result) => ({
        name: `${result.metric} at ${printSparsity(result.sparsity!)}`,
        result,
        perplexity: result.perplexity,
      })),
  ];
  const told = named.slice(0, MOST_BY_WORD).flatMap(({ name, result, perplexity }) => {
    const others = otherPerplexities(result, perplexity);
    return others ? [`${name} ${formatPerplexity(others.word)} by word, ${formatPerplexity(others.byte)} by byte`] : [];
  });
  const more = named.length > MOST_BY_WORD ? `; ${named.length - MOST_BY_WORD} more with --json` : '';
  return told.length === 0 ? [] : [`perplexity   by token in the table; ${told.join('; ')}${more}`];
}

/** The dense model and three others: the line is to be read. */
const MOST_BY_WORD = 4;
