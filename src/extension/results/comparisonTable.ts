import { byPerplexity } from '../../experiment/byPerplexity.ts';
import { markdownCode, markdownText } from '../../base/markdown.ts';
import { rowsText } from '../../experiment/corpusRows.ts';
import type { RowsSettings } from '../../experiment/corpusRows.ts';
import { protocolText } from '../../experiment/deviations.ts';
import { gradientsText, samplesText } from '../../experiment/length.ts';
import { formatChange, formatGap, formatPerplexity, perplexityDigits } from '../../experiment/format.ts';
import type { Provenance } from '../../experiment/resultSchema.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
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
  const rows = [...bySparsity].flatMap(([removed, group]) => {
    const digits = perplexityDigits(group.map(({ result }) => result.perplexity));
    const best = Math.min(...group.map(({ result }) => result.perplexity ?? Infinity));
    const sorted = [...group].sort(({ result: a }, { result: b }) =>
      order === 'metric' ? (a.metric < b.metric ? -1 : 1) : byPerplexity(a, b),
    );
    return sorted.map(({ result: { metric, expression, perplexity, densePerplexity } }) => [
      markdownCode(metric),
      formatPerplexity(perplexity, digits),
      formatChange(perplexity, densePerplexity),
      perplexity === undefined ? '–' : perplexity === best ? 'best' : formatGap(perplexity, best),
      removed,
      markdownCode(expression),
    ]);
  });
  return [aligned(HEAD, rows), ...conditions(records)].join('\n\n');
}

/** What is told first is seen first: a narrow editor cuts the formulas. */
const HEAD = ['metric', 'perplexity', 'to dense', 'to the best', 'sparsity', 'formula'];
const NUMBERS: readonly number[] = [1, 2, 3];

function aligned(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (NUMBERS.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (NUMBERS.includes(i) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** What they were evaluated on: said once where it is the same for all. */
function conditions(records: readonly EvaluationRecord[]): string[] {
  const all = (value: (record: EvaluationRecord) => string): string => [...new Set(records.map(value))].join(', ');
  return [
    'Lower is better.',
    [
      ...protocolLine(records),
      `- text: ${all(({ text = '–', result }) => `${markdownCode(text)}${byRows(result.provenance.rows?.text)}`)}`,
      `- checkpoint: ${all(({ model }) => markdownCode(model))}, dense ${all(({ result }) => formatPerplexity(result.densePerplexity))}`,
      `- calibration: ${all(({ result }) => calibrationText(result.provenance))}`,
      `- device: ${all(({ result }) => markdownCode(result.provenance.device))}`,
      `- evaluated: ${all(({ savedAt }) => savedAt.slice(0, 10))}`,
    ].join('\n'),
  ];
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
