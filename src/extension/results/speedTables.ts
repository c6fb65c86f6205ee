import { markdownText } from '../../base/markdown.ts';
import { predictedWords, SPEED_COLUMNS, speedCells } from '../../experiment/speedTable.ts';
import type { SpeedMeasurement } from '../../experiment/speedTable.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import { spacedTable, sparsityText } from '../evaluate/structureText.ts';

/** Markdown: dense against pruned, a table for each result that was measured. */
export function speedTables(
  records: readonly EvaluationRecord[],
  speedOf: (record: EvaluationRecord) => SpeedMeasurement | undefined,
): string[] {
  return records.flatMap((record) => {
    const measurement = speedOf(record);
    const dense = measurement?.rows[0];
    if (!measurement || !dense) return [];
    const rows = measurement.rows.map((row) => [
      markdownText(row.name),
      ...speedCells(row, dense).map(({ value, against }) => (against === '' ? value : `${value} (${against})`)),
    ]);
    const { metric, sparsity } = record.result;
    const predicted = predictedWords(measurement.predicted).map((words) => `Before: ${words}.`);
    const how = [measurement.detail, ...predicted].join(' ');
    const title = `**${markdownText(metric)}, ${sparsityText(sparsity)}**: ${markdownText(how)}`;
    return [`${title}\n\n${spacedTable(['', ...SPEED_COLUMNS], rows)}`];
  });
}
