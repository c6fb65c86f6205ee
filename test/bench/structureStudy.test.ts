import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { KnownLosses } from '../../bench/structureStudy/knownLosses.ts';
import { studyOptions } from '../../bench/structureStudy/studyOptions.ts';
import { studyTable } from '../../bench/structureStudy/studyTable.ts';
import type { MeasureOutcome } from '../../src/search/lifecycle/events.ts';

describe('options', () => {
  test('are read', () => {
    expect(studyOptions(['--rates', '50,20', '--methods', 'owl,wanda-sp', '--seed', '3'])).toMatchObject({
      ...{ rates: [0.5, 0.2], methods: ['owl', 'wanda-sp'], seed: 3, population: 30 },
    });
    expect(studyOptions(['--help'])).toBe('help');
  });

  test.each([
    [['--rates', '120']],
    [['--rates', 'half']],
    [['--methods', 'wanda']],
    [['--blocks', '-1']],
    [['--steps', 'many']],
    [['--colour', 'red']],
  ])('%j is refused', (args) => {
    expect(() => studyOptions(args)).toThrow(/--|takes|Unknown/);
  });
});

test('a table has a column for each rate and a row for each method, and says what is missing', () => {
  const cell = { key: '', removed: 0.2, parameters: 5, dense: { fitness: 100, unseen: 90 }, seconds: 61 };
  const table = studyTable([
    { ...cell, method: 'owl', rate: 0.5, fitness: 175.2, unseen: 171.1 },
    { ...cell, method: 'wanda-sp', rate: 0.2, fitness: 120, unseen: 118, note: 'quickly' },
  ]);
  expect(table.split('\n')).toEqual([
    '| fitness text, dense 100.0 | 20 % | 50 % |',
    '|---|---|---|',
    '| Wanda-sp | 120.0 | – |',
    '| OWL (Wanda-sp) | – | 175.2 |',
    '',
    '| text that no search saw, dense 90.00 | 20 % | 50 % |',
    '|---|---|---|',
    '| Wanda-sp | 118.0 | – |',
    '| OWL (Wanda-sp) | – | 171.1 |',
    '',
    '| removed of the blocks’ weights | 20 % | 50 % |',
    '|---|---|---|',
    '| Wanda-sp | 20.0 % | – |',
    '| OWL (Wanda-sp) | – | 20.0 % |',
    '',
    '- Wanda-sp, 20 %: quickly; 61 s',
  ]);
});

describe('measured losses', () => {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-study-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'measurements.jsonl');
  const asked: (readonly number[])[] = [];
  const ask = (configurations: readonly (readonly number[])[]): Promise<MeasureOutcome[]> => {
    asked.push(...configurations);
    return Promise.resolve(configurations.map(([loss]) => ({ kind: 'loss', blocks: 1, loss: loss! })));
  };

  test('are asked for once, by this process and by the next', async () => {
    const first = new KnownLosses(file, 'one');
    const outcomes = await first.remembered([[0.5], [0.25], [0.5]], ask);
    expect(outcomes.map((outcome) => outcome.kind === 'loss' && outcome.loss)).toEqual([0.5, 0.25, 0.5]);
    const second = new KnownLosses(file, 'one');
    expect(await second.remembered([[0.25], [0.75]], ask)).toHaveLength(2);
    expect(asked).toEqual([[0.5], [0.25], [0.75]]);
  });

  test('of another model or text do not count', async () => {
    asked.length = 0;
    await new KnownLosses(file, 'another').remembered([[0.5]], ask);
    expect(asked).toEqual([[0.5]]);
  });
});
