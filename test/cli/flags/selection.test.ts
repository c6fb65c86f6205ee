import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { printSparsity } from '../../../src/experiment/sparsity.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { selectedPlans } from '../../../src/cli/flags/selection.ts';
import type { SelectionOptions } from '../../../src/cli/flags/selection.ts';
import type { CommandContext } from '../../../src/cli/commands/commandContext.ts';
import { createTerminal } from '../../../src/cli/terminal.ts';

const FOLDER = mkdtempSync(path.join(tmpdir(), 'espalier-plans-'));
afterAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
});
const INPUTS = 'model: "m" evaluate: "t" calibrate: "c"';
const file = (name: string, text: string): string => {
  writeFileSync(path.join(FOLDER, name), `metric wanda = W * X\nmetric magnitude = W\n${text}`);
  return name;
};

/** The plans of a command line as commander has parsed it. */
async function plansOf(name: string | undefined, options: SelectionOptions): Promise<readonly EvaluationPlan[]> {
  const nowhere = { write: () => true };
  const context: Pick<CommandContext, 'folder' | 'terminal'> = {
    folder: FOLDER,
    terminal: createTerminal(nowhere, nowhere, {}),
  };
  return selectedPlans(name, options, context);
}

const pairs = (plans: readonly EvaluationPlan[]) =>
  plans.map(({ evaluations }) => evaluations.map(({ metric, sparsity }) => `${metric} ${printSparsity(sparsity)}`));

describe('without a file', () => {
  const flags = { model: 'models/tiny', text: '/data/test.txt' };

  it('paths start from the current folder, and settings are those of the table', async () => {
    expect(await plansOf(undefined, flags)).toEqual([
      {
        model: path.join(FOLDER, 'models/tiny'),
        text: '/data/test.txt',
        evaluations: [],
        settings: DEFAULT_SETTINGS,
      },
    ]);
  });

  it.each<[string[] | undefined, string[]]>([
    [undefined, ['W 50%', 'abs(W) 50%']],
    [['30%,2:4'], ['W 30%', 'W 2:4', 'abs(W) 30%', 'abs(W) 2:4']],
    [
      ['30%', '2:4'],
      ['W 30%', 'W 2:4', 'abs(W) 30%', 'abs(W) 2:4'],
    ],
  ])('sparsities %j', async (sparsity, expected) => {
    const given = { expression: ['W', 'abs(W)'], ...(sparsity && { sparsity }) };
    expect(pairs(await plansOf(undefined, { ...flags, ...given }))).toEqual([expected]);
  });

  it.each(['model', 'text'] as const)('asks for --%s by name', async (name) => {
    const rest = Object.fromEntries(Object.entries(flags).filter(([flag]) => flag !== name));
    await expect(plansOf(undefined, rest)).rejects.toThrow(`no --${name}`);
  });

  it('and for a text to calibrate on where something needs one, before anything is loaded', async () => {
    await expect(plansOf(undefined, { ...flags, expression: ['W * X'] })).rejects.toThrow('no --calibration');
  });
});

describe('with a file', () => {
  it.each<[string, SelectionOptions, string[][]]>([
    ['nothing to override', {}, [['wanda 50%', 'wanda 2:4', 'magnitude 50%', 'magnitude 2:4']]],
    ['another sparsity, each metric once', { sparsity: ['4:8'] }, [['wanda 4:8', 'magnitude 4:8']]],
    [
      'what is listed twice, once',
      { sparsity: ['30%', '30%'], structure: ['flap', 'flap'], metric: ['wanda'] },
      [['wanda 30%', 'flap 30%']],
    ],
  ])('%s', async (_, options, expected) => {
    const name = file('pairs.prune', `experiment e { ${INPUTS} prune: wanda, magnitude at: 50%, 2:4 }`);
    expect(pairs(await plansOf(name, options))).toEqual(expected);
  });

  it('rates in the place of those that there are', async () => {
    const name = file('rates.prune', `experiment e { ${INPUTS} prune: wanda, weights(magnitude, owl) at: 50% }`);
    const at = async (options: SelectionOptions) => pairs(await plansOf(name, options));
    expect(await at({ allocation: 'uniform' })).toEqual([['wanda 50%', 'magnitude 50%']]);
    expect(await at({ allocation: 'owl', owlMultiple: '7' })).toEqual([
      ['wanda (owl 7 0.08) 50%', 'magnitude (owl 7 0.08) 50%'],
    ]);
    expect(await at({ rates: '0.2,40%' })).toEqual([['wanda ([0.2, 0.4]) 30%', 'magnitude ([0.2, 0.4]) 30%']]);
  });

  it('paths and settings lie over the file', async () => {
    const name = file('paths.prune', `experiment e { ${INPUTS} prune: wanda at: 50% seed: 3 blocks: 4 }`);
    const options = { model: 'x "y"', text: 'sub/y', calibration: '/z', seed: '7', device: 'cpu' };
    const [made] = await plansOf(name, options);
    expect(made).toMatchObject({
      model: path.join(FOLDER, 'x "y"'),
      text: path.join(FOLDER, 'sub/y'),
      calibration: '/z',
    });
    expect(made!.settings).toEqual({ ...DEFAULT_SETTINGS, seed: 7, blocks: 4, device: 'cpu' });
  });

  it('plans that the flags made equal are joined, and what is asked twice is dropped', async () => {
    const name = file(
      'joined.prune',
      `experiment a { model: "m" evaluate: "a" calibrate: "c" prune: wanda at: 50% }
experiment b { model: "m" evaluate: "b" calibrate: "c" prune: wanda, magnitude at: 50% }`,
    );
    expect(pairs(await plansOf(name, {}))).toEqual([['wanda 50%'], ['wanda 50%', 'magnitude 50%']]);
    expect(pairs(await plansOf(name, { text: '/c' }))).toEqual([['wanda 50%', 'magnitude 50%']]);
  });
});

describe('a metric on the command line', () => {
  const metricOf = async (text: string): Promise<string[]> => {
    const plans = await plansOf(undefined, { model: 'm', text: 't', calibration: 'c', expression: [text] });
    return plans.flatMap(({ evaluations }) => evaluations.map(({ metric }) => metric));
  };

  it.each(['W*sqrt( X )', 'mul(W,X)', '(-W) ^ 0.5'])('is called as it was typed: %s', async (text) => {
    expect(await metricOf(text)).toEqual([text]);
  });

  it.each(['W } metric other = W', 'W\nblocks: 3', 'W at: 3'])('says nothing else: %j', async (text) => {
    await expect(metricOf(text)).rejects.toThrow('--expression');
  });

  it('stands by itself: two do not run into each other', async () => {
    const options = { model: 'm', text: 't', expression: ['mul(W', 'W)'] };
    await expect(plansOf(undefined, options)).rejects.toThrow('--expression');
  });
});

describe('protocols and rows', () => {
  const WIKI = 'hf:Salesforce/wikitext/wikitext-2-raw-v1';

  it('a protocol names texts and settings without a file, and flags go before it', async () => {
    const [plan] = await plansOf(undefined, {
      model: 'hf:o/n',
      protocol: 'pruner-zero',
      expression: ['W', 'W * G'],
      samples: '8',
    });
    expect(plan).toMatchObject({
      ...{ model: 'hf:o/n', text: `${WIKI}:test`, gradients: `${WIKI}:train`, protocol: 'pruner-zero' },
      calibration: 'hf:allenai/c4/en/c4-train.00000-of-01024.json.gz',
      settings: { samples: 8, gradientSamples: 128, offsets: 'documents', lengthLimit: 0 },
    });
    expect(plan!.evaluations.map((evaluation) => ('group' in evaluation ? evaluation.group : undefined))).toEqual([
      'layer',
      undefined,
    ]);
    const [rows] = await plansOf(undefined, { model: 'm', protocol: 'wanda', expression: ['W'], group: 'row' });
    expect(rows!.evaluations).toMatchObject([{ group: 'row' }]);
  });

  it('texts of flags start from the current folder, and rows are said of each', async () => {
    const [plan] = await plansOf(undefined, {
      ...{ model: 'm', text: 't.json', calibration: 'hf:o/n/c.txt', gradients: 'g', expression: ['W * G'] },
      ...{ textField: 'a, "b"', textFirst: '3', calibrationJoin: 'space', gradientsRows: 'lines' },
    });
    expect(plan).toMatchObject({
      ...{ text: path.join(FOLDER, 't.json'), calibration: 'hf:o/n/c.txt', gradients: path.join(FOLDER, 'g') },
      rows: { text: { field: 'a, "b"', first: 3 }, calibration: { join: 'space' }, gradients: { rows: 'lines' } },
    });
  });

  it.each<[string, SelectionOptions]>([
    ['--text-rows', { textRows: 'line' }],
    ['--text-first', { textFirst: '-1' }],
    ['--calibration-join', { calibrationJoin: 'comma' }],
    ['--protocol', { protocol: 'wand' }],
  ])('%s is refused by its name where no row says so', async (flag, options) => {
    await expect(plansOf(undefined, { model: 'm', text: 't', ...options })).rejects.toThrow(flag);
  });

  it.each<[string, SelectionOptions, object]>([
    [
      'what the file says',
      {},
      { protocol: 'flap', settings: { length: 64 }, rows: { text: { rows: 'lines', join: 'space' } } },
    ],
    ['a flag of a setting', { length: '32' }, { settings: { length: 32 } }],
    ['a flag of rows', { textJoin: 'line' }, { rows: { text: { rows: 'lines', join: 'line' } } }],
    ['a flag of the text', { text: '/x' }, { text: '/x', rows: { text: { rows: 'wikitext' } } }],
    ['a flag of the protocol', { protocol: 'wanda' }, { protocol: 'wanda', settings: { length: 64, samples: 128 } }],
  ])('over a file: %s', async (_, options, expected) => {
    const name = file(
      'protocol.prune',
      'corpus t = "t" (rows: lines)\nexperiment e { protocol: flap model: "m" evaluate: t (join: space) length: 64 prune: wanda at: 50% }',
    );
    expect((await plansOf(name, options))[0]).toMatchObject(expected);
  });
});

describe('--update', () => {
  const flags = { model: 'm', text: 't', calibration: 'c' };

  it.each<[SelectionOptions, string[]]>([
    [{ expression: ['W'], update: 'admm' }, ['W then admm']],
    [{ expression: ['W'], update: 'admm (iterations: 3)' }, ['W then admm (iterations: 3)']],
    [{ expression: ['W then admm'], update: 'sparsegpt' }, ['W then sparsegpt']],
    [{ expression: ['sparsegpt', 'W then admm'] }, ['sparsegpt', 'W then admm']],
    [{ expression: ['sparsegpt'], update: 'sparsegpt (columns: 64)' }, ['sparsegpt (columns: 64)']],
    [{ structure: ['flap'], allocation: 'owl', update: 'reconstruct' }, ['flap (owl) then reconstruct']],
  ])('%j', async (options, expected) => {
    const plans = await plansOf(undefined, { ...flags, ...options });
    expect(plans.flatMap(({ evaluations }) => evaluations.map(({ metric }) => metric))).toEqual(expected);
    expect(plans.every(({ evaluations }) => evaluations.every(({ update }) => update !== undefined))).toBe(true);
  });

  it.each<[SelectionOptions, string]>([
    [{ expression: ['W'], update: 'reconstruct' }, '--update that fits `W`, got reconstruct'],
    [{ structure: ['flap'], update: 'admm' }, '--update that fits `flap`, got admm'],
    [{ expression: ['sparsegpt'], update: 'admm' }, '--update that fits `sparsegpt`, got admm'],
    [{ expression: ['W'], update: 'amm' }, 'one of `sparsegpt`, `admm`, `reconstruct`'],
    [{ expression: ['W'], update: 'admm (iterations: 0)' }, 'from 1 to 10000, not 0'],
    [{ update: 'admm' }, 'a metric with --update'],
  ])('%j is refused', async (options, message) => {
    await expect(plansOf(undefined, { ...flags, ...options })).rejects.toThrow(message);
  });
});
