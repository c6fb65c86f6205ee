import { byPerplexity } from '../../tasks/byPerplexity.ts';
import { markdownCode, markdownText } from '../../base/markdown.ts';
import { markdownTable } from '../../base/markdownTable.ts';
import { rowsText } from '../../experiment/corpusRows.ts';
import type { RowsSettings } from '../../experiment/corpusRows.ts';
import { protocolText } from '../../experiment/deviations.ts';
import { gradientsText, samplesText } from '../../experiment/length.ts';
import { formatChange, formatGap, formatPerplexity, perplexityDigits } from '../../experiment/format.ts';
import type { Provenance } from '../../experiment/resultSchema.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import { MARK_MEANS } from '../../tasks/taskWords.ts';
import { askedRows, taskCells } from '../evaluate/taskText.ts';
import { removedText } from '../evaluate/structureText.ts';
import { metricName } from '../evaluate/updateText.ts';

export type ComparisonOrder = 'perplexity' | 'metric';

/** The results that a comparison is of: of each metric and sparsity the newest since it was asked for. @param records oldest first */
export function compared(
  records: readonly EvaluationRecord[],
  names: readonly string[],
  since: string,
): readonly EvaluationRecord[] {
  const newest = new Map<string, EvaluationRecord>();
  for (const record of records) {
    const { metric } = record.result;
    if (record.savedAt >= since && names.includes(metricName(metric)))
      newest.set(`${removedText(record.result)} ${metric}`, record);
  }
  return [...newest.values()];
}

/** Markdown, its columns in line so that it reads as it is: what was compared, best first of each sparsity, and on what. */
export function comparisonTable(records: readonly EvaluationRecord[], order: ComparisonOrder): string {
  const bySparsity = new Map<string, EvaluationRecord[]>();
  for (const record of records) {
    const removed = removedText(record.result);
    const group = bySparsity.get(removed) ?? [];
    bySparsity.set(removed, group);
    group.push(record);
  }
  const isOfText = records.some(({ result }) => result.perplexity !== undefined);
  const tasks = taskCells(records.map(({ result }) => result));
  const cellsOf = (record: EvaluationRecord): readonly string[] => tasks?.rows[records.indexOf(record)] ?? [];
  const rows = [...bySparsity].flatMap(([removed, group]) => {
    const digits = perplexityDigits(group.map(({ result }) => result.perplexity));
    const best = Math.min(...group.map(({ result }) => result.perplexity ?? Infinity));
    const sorted = [...group].sort(({ result: a }, { result: b }) =>
      order === 'metric' ? (a.metric < b.metric ? -1 : 1) : byPerplexity(a, b),
    );
    return sorted.map((record) => {
      const { metric, expression, perplexity, densePerplexity } = record.result;
      const ofText = [
        formatPerplexity(perplexity, digits),
        formatChange(perplexity, densePerplexity),
        perplexity === undefined ? '–' : perplexity === best ? 'best' : formatGap(perplexity, best),
      ];
      const numbers = [...(isOfText ? ofText : []), ...cellsOf(record)];
      return [markdownCode(metric), ...numbers, removed, markdownCode(expression)];
    });
  });
  // What is told first is seen first: a narrow editor cuts the formulas.
  const numbers = [...(isOfText ? OF_TEXT : []), ...(tasks?.titles ?? []).map(markdownText)];
  const head = ['metric', ...numbers, 'sparsity', 'formula'].map((title, i) => ({
    title,
    isNumber: i > 0 && i <= numbers.length,
  }));
  const table = markdownTable(head, rows);
  const marks = tasks?.isMarked === true ? [MARK_MEANS] : [];
  return [table, ...marks, ...conditions(records)].join('\n\n');
}

const OF_TEXT = ['perplexity', 'to dense', 'to the best'];

/** What they were evaluated on: said once where it is the same for all. */
function conditions(records: readonly EvaluationRecord[]): string[] {
  const all = (value: (record: EvaluationRecord) => string): string => [...new Set(records.map(value))].join(', ');
  const isOfText = records.some(({ result }) => result.perplexity !== undefined);
  const isAsked = records.some(({ result }) => result.tasks !== undefined);
  return [
    !isAsked
      ? 'Lower is better.'
      : isOfText
        ? 'Lower perplexities and higher accuracies are better.'
        : 'Higher is better.',
    [
      ...protocolLine(records),
      ...(isOfText
        ? [`- text: ${all(({ text = '–', result }) => `${markdownCode(text)}${byRows(result.provenance.rows?.text)}`)}`]
        : []),
      ...askedLines(records),
      `- checkpoint: ${all(({ model }) => markdownCode(model))}${isOfText ? `, dense ${all(({ result }) => formatPerplexity(result.densePerplexity))}` : ''}`,
      `- calibration: ${all(({ result }) => calibrationText(result.provenance))}`,
      `- device: ${all(({ result }) => markdownCode(result.provenance.device))}`,
      `- evaluated: ${all(({ savedAt }) => savedAt.slice(0, 10))}`,
    ].join('\n'),
  ];
}

/** Which documents, and how they were asked: equal prompts have equal fingerprints. */
function askedLines(records: readonly EvaluationRecord[]): string[] {
  const told = records.flatMap(({ result }) => askedRows(result).map(([name, how]) => `- ${name}: ${how}`));
  return [...new Set(told)];
}

function protocolLine(records: readonly EvaluationRecord[]): string[] {
  const told = records.map(({ result: { provenance } }) =>
    provenance.protocol === undefined ? 'none' : protocolText(provenance.protocol, provenance.deviations ?? []),
  );
  const all = [...new Set(told)];
  return all.every((one) => one === 'none') ? [] : [`- protocol: ${all.map(markdownText).join('; ')}`];
}

function byRows(rows: RowsSettings | undefined): string {
  const said = rowsText(rows);
  return said === undefined ? '' : ` (${markdownText(said)})`;
}

function calibrationText(provenance: Provenance): string {
  const { calibration } = provenance;
  return calibration === undefined
    ? 'none'
    : `${markdownCode(calibration)}, ${samplesText(provenance)}${gradientsNote(provenance)}`;
}

function gradientsNote(provenance: Provenance): string {
  return provenance.gradientSamples === undefined ? '' : `; gradients on ${markdownText(gradientsText(provenance))}`;
}
