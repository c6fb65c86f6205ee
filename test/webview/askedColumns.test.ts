import { describe, expect, it } from 'vitest';
import { askedColumns } from '../../webview-ui/panel/common/askedColumns.ts';
import type { AskedCell } from '../../webview-ui/panel/common/askedColumns.ts';
import { sampleResult } from '../protocol/samples.ts';
import { sampleTask, sevenTasks } from '../support/sampleTasks.ts';

const ARC = sampleTask({
  task: 'arc_easy',
  shots: 2,
  means: { acc: { value: 0.5, error: 0.02 } },
  dense: { acc: { value: 0.51, error: 0.02 } },
  paired: { acc: { lost: 2, won: 1, p: 1 } },
});
const GSM8K = sampleTask({
  ...{ task: 'gsm8k', shots: 5, documents: 1, means: { strict_match: { value: 1, error: null } } },
  dense: { strict_match: { value: 0, error: null } },
  paired: { strict_match: { lost: 0, won: 1, p: 1 } },
});
const asked = (...tasks: ReturnType<typeof sampleTask>[]) => sampleResult({ tasks });
const words = (cells: readonly AskedCell[]) =>
  cells.map((cell) => (cell ? `${cell.percent} ${cell.change}`.trim() : '–'));

describe('columns of finalists for what they were asked', () => {
  it.each([
    ['nothing', [{ result: sampleResult() }, {}], [], [[], []], []],
    ['one task, beyond chance', [{ result: asked(sampleTask()) }], ['PIQA'], [['61.2 −2.4†']], ['63.6']],
    [
      'two, and one that failed',
      [{}, { result: sampleResult(), test: asked(sampleTask(), ARC) }],
      ['PIQA', 'ARC-Easy (2 shots)', 'mean'],
      [
        ['–', '–', '–'],
        ['61.2 −2.4†', '50.0 −1.0', '55.6 −1.7'],
      ],
      ['63.6', '51.0', '57.3'],
    ],
    ['what is generated', [{ result: asked(GSM8K) }], ['GSM8K (5 shots)'], [['100.0 +100.0']], ['0.0']],
  ])('%s', (_, rows, titles, cells, dense) => {
    const columns = askedColumns(rows);
    expect(columns.titles).toEqual(titles);
    expect(rows.map((row) => words(columns.cells(row)))).toEqual(cells);
    expect(words(columns.dense)).toEqual(dense);
  });

  it('say the error where one points at them, and have a mean of seven', () => {
    const columns = askedColumns([{ result: asked(...sevenTasks()) }]);
    const mean = columns.cells({ result: asked(...sevenTasks()) }).at(-1);
    expect([columns.titles.length, mean]).toEqual([8, { percent: '53.0', change: '−2.0', withError: '53.0 ± 0.4' }]);
  });
});
