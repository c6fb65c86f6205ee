import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { KnownLosses } from '../../bench/structureStudy/knownLosses.ts';
import { evoPressSettings } from '../../bench/structureStudy/findByEvoPress.ts';
import { studyOptions } from '../../bench/structureStudy/studyOptions.ts';
import { studyTable } from '../../bench/structureStudy/studyTable.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import type { ComponentsOpening, MeasureOutcome } from '../../src/search/lifecycle/events.ts';
import { DEFAULT_RATE_BASELINES } from '../../src/search/rates/baselines.ts';
import type { Configuration } from '../../src/search/rates/configuration.ts';
import type { RateEffects } from '../../src/search/rates/effects.ts';
import type { RateSearchPlan } from '../../src/search/rates/plan.ts';
import { runRateSearch } from '../../src/search/rates/runRateSearch.ts';

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
  const asked: Configuration[] = [];
  const ask = (configurations: readonly Configuration[]): Promise<MeasureOutcome[]> => {
    asked.push(...configurations);
    return Promise.resolve(configurations.map(({ rates: [loss] }) => ({ kind: 'loss', blocks: 1, loss: loss! })));
  };
  const rung = { index: 0, begin: 0, end: 1 };
  const [a, b, c] = [{ rates: [0.5] }, { rates: [0.25] }, { rates: [0.75] }];

  test('are asked for once, by this process and by the next', async () => {
    const first = new KnownLosses(file, 'one');
    const outcomes = await first.remembered([a, b, a], rung, ask);
    expect(outcomes.map((outcome) => outcome.kind === 'loss' && outcome.loss)).toEqual([0.5, 0.25, 0.5]);
    const second = new KnownLosses(file, 'one');
    expect(await second.remembered([b, c], { ...rung, index: 1 }, ask)).toHaveLength(2);
    expect(asked).toEqual([a, b, c]);
  });

  test.each([
    ['of another model or text', 'another', a, rung],
    ['on other blocks', 'one', a, { index: 0, begin: 1, end: 2 }],
    ['with other layers dropped', 'one', { ...a, dropped: { attention: [0], mlp: [] } }, rung],
  ])('%s do not count', async (_, fingerprint, configuration, on) => {
    asked.length = 0;
    await new KnownLosses(file, fingerprint).remembered([configuration], on, ask);
    expect(asked).toEqual([configuration]);
  });
});

describe('EvoPress has the evaluations of Self-Pruner', () => {
  // So many that a search hardly comes upon a configuration twice.
  const components = Array.from({ length: 48 }, () => ({
    ...{ groups: 8, channels: 704, groupWeights: 32_768, channelWeights: 768 },
  }));
  const opening = (blocks: number): ComponentsOpening => ({
    ...{ blocks, denseLosses: Array.from({ length: blocks }, () => 3), densePerplexity: Math.exp(3) },
    ...{ fingerprint: 'problem', device: 'none', parameters: 1000, architecture: 'llama', calibrationTokens: 10_000 },
    ...{ components, owl: components.map(() => 0.5) },
  });

  test.each([
    ['off', 32, [], 430],
    ['off', 64, ['--lambda', '16'], 430],
    ['off', 32, ['--population', '20', '--offspring', '6', '--generations', '6'], 92],
    ['sublayers', 32, [], 430],
    ['sublayers', 33, ['--population', '60', '--lambda', '8'], 460],
  ] as const)('%s, %i blocks, %j', async (drop, blocks, args, budget) => {
    const options = studyOptions([...args]);
    if (options === 'help') throw new Error('these ask for no help');
    const search = evoPressSettings(options, drop, blocks);
    const plan: RateSearchPlan = {
      ...{ kind: 'rates', name: 'evopress', model: '', text: '', settings: DEFAULT_SETTINGS, search },
      sparsity: { kind: 'unstructured', share: 0.5 },
      target: { kind: 'structure', name: 'wanda-sp', score: { kind: 'method', method: 'wanda-sp' } },
      baselines: DEFAULT_RATE_BASELINES,
    };
    const effects: RateEffects = {
      // Parents keep changing.
      measure: (asked, { begin, end }) =>
        Promise.resolve(asked.map(({ id }) => ({ kind: 'loss', blocks: end - begin, loss: 4 - id / 10_000 }))),
      ask: () => Promise.reject(new Error('nobody is there to answer')),
      emit: () => Promise.resolve(),
    };
    const { counts } = await runRateSearch(plan, effects, { opening: opening(blocks) });
    expect(counts.evaluations).toBeLessThanOrEqual(budget);
    expect(counts.evaluations).toBeGreaterThan(budget - options.lambda / 2);
  });
});
