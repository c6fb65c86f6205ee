import { describe, expect, it } from 'vitest';
import { blockOrder } from '../../../src/engine/search/blockOrder.ts';
import { fitnessDocuments } from '../../../src/engine/search/fitnessDocuments.ts';
import type { OpenedTask } from '../../../src/engine/scoring/openTasks.ts';
import { choiceLoss } from '../../../src/tasks/choiceLoss.ts';

/** Tasks of so many documents each, of two choices; ids tell task, document and choice. */
function tasksOf(counts: readonly number[]) {
  let first = 0;
  const tasks = counts.map((count, index): OpenedTask => {
    const task: OpenedTask = {
      planned: { task: `task ${index}`, shots: 0, limit: 0 },
      harness: '0.4',
      asked: Array.from({ length: count }, (_, row) => ({ file: `${index}`, row, requests: [], gold: 0, lengths: [] })),
      lengths: Array.from({ length: count }, () => [
        [1, 1],
        [1, 1],
      ]),
      ...{ first, truncated: 0, fingerprint: '', hash: '' },
    };
    first += 2 * count;
    return task;
  });
  const sequences = Array.from({ length: first }, (_, i) => ({ ids: Int32Array.of(0, i), from: 1 }));
  return { tasks, sequences };
}

describe('the documents of a fitness', () => {
  const documents = fitnessDocuments(tasksOf([40, 10, 1]));

  it('are all documents, each with the sequences of its own choices', () => {
    const found = documents.map(({ asked, sequences }) => [
      asked.file,
      asked.row,
      ...sequences.map(({ ids }) => ids[1]),
    ]);
    const begins = [0, 80, 100];
    for (const [file, row, ...choices] of found) {
      const begin = begins[Number(file)]! + 2 * Number(row);
      expect(choices).toEqual([begin, begin + 1]);
    }
    expect(new Set(found.map(String)).size).toBe(51);
  });

  it('weigh 1 in the mean, and each task’s the same together', () => {
    const weights = [0, 1, 2].map((index) =>
      documents.filter(({ asked }) => asked.file === `${index}`).reduce((sum, { weight }) => sum + weight, 0),
    );
    for (const weight of weights) expect(weight).toBeCloseTo(51 / 3, 9);
  });

  it('mix the tasks by their sizes in any few of them, and spread over each', () => {
    for (let begin = 0; begin + 10 <= 51; begin++) {
      const few = documents.slice(begin, begin + 10).filter(({ asked }) => asked.file === '1');
      expect(few.length).toBeGreaterThanOrEqual(1);
      expect(few.length).toBeLessThanOrEqual(3);
    }
    const rows = documents.slice(0, 10).flatMap(({ asked }) => (asked.file === '0' ? [asked.row] : []));
    expect(Math.min(...rows)).toBeLessThan(10);
    expect(Math.max(...rows)).toBeGreaterThanOrEqual(30);
  });

  it('of one task are in the order of blocks of a text', () => {
    expect(fitnessDocuments(tasksOf([5])).map(({ asked, weight }) => [asked.row, weight])).toEqual(
      blockOrder(5).map((row) => [row, 1]),
    );
  });
});

describe('the loss of a document', () => {
  it.each([
    ['ln n where no choice is likelier', [-5, -5, -5, -5], 2, Math.log(4)],
    ['0 where the right one is certain', [-1000, -3], 1, 0],
    ['the difference where it is hopeless', [-1000, -3], 0, 997],
    ['of sums that no exponential holds', [-100_000, -100_001], 0, Math.log(1 + Math.exp(-1))],
  ])('is %s', (_, logLikelihoods, gold, expected) => {
    expect(choiceLoss(logLikelihoods, gold)).toBeCloseTo(expected, 9);
  });
});
