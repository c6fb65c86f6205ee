import { csv } from '../../base/csv.ts';
import { formatChange, formatPerplexity, perplexityDigits } from '../../experiment/format.ts';
import type { Sensitivity, SensitivityPoint } from '../../experiment/sensitivity.ts';

/** Characters of the longest bar. */
const BAR = 20;

/** A row for each part, a column for each sparsity, and a bar for what the last one adds to the loss. */
export function sensitivityLines({ metric, by, parts, dense, curves }: Sensitivity): readonly string[] {
  const digits = perplexityDigits(curves.flatMap(({ points }) => points.map(perplexityOf)));
  const last = curves.at(-1)!;
  const most = Math.max(...last.points.map(increaseOf));
  const head = [by === 'blocks' ? 'block' : 'layers', ...curves.map(({ sparsity }) => sparsity), ''];
  const rows = parts.map((part, i) => [
    part,
    ...curves.map(({ points }) => cellOf(points[i]!, dense, digits)),
    bar(increaseOf(last.points[i]!) / most),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column > 0 && column < row.length - 1 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  const alone = by === 'blocks' ? 'each block alone' : 'the layers of each type alone';
  return [
    `${metric}, ${alone}: perplexity, against the dense ${formatPerplexity(dense, digits)}`,
    line(head),
    ...rows.map(line),
    `bars: what ${last.sparsity} adds to the loss, up to ${most.toPrecision(3)} nats per token`,
  ];
}

function cellOf(point: SensitivityPoint, dense: number, digits: number): string {
  if ('failure' in point) return 'failed';
  return `${formatPerplexity(point.perplexity, digits)} ${formatChange(point.perplexity, dense).padStart(8)}`;
}

function bar(share: number): string {
  return '█'.repeat(Math.max(0, Math.round(share * BAR)));
}

function perplexityOf(point: SensitivityPoint): number | undefined {
  return 'failure' in point ? undefined : point.perplexity;
}

function increaseOf(point: SensitivityPoint): number {
  return 'failure' in point ? 0 : point.increase;
}

/** A JSON object for each evaluation. */
export function sensitivityJson(sensitivity: Sensitivity): readonly string[] {
  const { metric, expression, by, dense } = sensitivity;
  return evaluations(sensitivity).map(({ part, sparsity, point }) => {
    const found = 'failure' in point ? { error: point.failure } : point;
    return JSON.stringify({ metric, expression, by, part, sparsity, densePerplexity: dense, ...found });
  });
}

/** The same as comma-separated values, with all digits. */
export function sensitivityCsv(all: readonly Sensitivity[]): string {
  const head = ['metric', 'by', 'part', 'sparsity', 'dense perplexity', 'perplexity', 'ratio', 'loss increase'];
  return csv([
    [...head, 'fingerprint'],
    ...all.flatMap((sensitivity) =>
      evaluations(sensitivity).map(({ part, sparsity, point }) => {
        const { metric, by, dense } = sensitivity;
        const found =
          'failure' in point ? ['', '', '', ''] : [point.perplexity, point.ratio, point.increase, point.fingerprint];
        return [metric, by, part, sparsity, dense, ...found];
      }),
    ),
  ]);
}

function evaluations({ parts, curves }: Sensitivity) {
  return curves.flatMap(({ sparsity, points }) => points.map((point, i) => ({ part: parts[i]!, sparsity, point })));
}
