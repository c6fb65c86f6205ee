import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { ComponentsOpening } from '../../../src/search/lifecycle/events.ts';
import { evaluationWith, measurable, type Configuration } from '../../../src/search/rates/configuration.ts';
import type { EvoPressPlan } from '../../../src/search/rates/evopress/plan.ts';
import { evoPressPlan } from '../../search/rates/simulation.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';

// What EvoPress measures of a model without some of its layers, against evaluations, and against the model that really has none of them.

const BLOCKS = 4;

/** Grouped queries, biases and post-norms, attention and MLP beside each other and in sequence, residuals behind the norms, a norm for both. */
const FAMILY_NAMES: readonly FamilyName[] = [
  ...(['llama-3.1', 'opt', 'opt-350m', 'gpt-neox', 'gpt-neox, in sequence'] as const),
  ...(['gpt-2, scaled by block', 'bloom, added to the norms', 'falcon 7b'] as const),
];

/** Of three blocks: one of each kind; several; one block as a whole, and beside it a part of another. */
const DROPPED: readonly NonNullable<Configuration['dropped']>[] = [
  { attention: [0], mlp: [2] },
  { attention: [], mlp: [0, 1] },
  { attention: [0, 1], mlp: [1] },
];

describe.each(FAMILY_NAMES)('layers that %s is without', (name) => {
  let files: TemporaryFamily;
  let plan: EvoPressPlan;
  let engine: Engine;
  let opening: ComponentsOpening;
  let out: string;
  beforeAll(async () => {
    files = await temporaryFamily(name);
    plan = planOf(files, name);
    engine = createEngine({ startFresh: createEngine });
    opening = await engine.open(plan);
    out = await mkdtemp(path.join(tmpdir(), 'espalier-dropped-'));
  });
  afterAll(async () => {
    await engine.dispose();
    await files.remove();
    await rm(out, { recursive: true });
  });

  async function lossesOn(dropped: readonly Configuration['dropped'][], begin: number, end: number) {
    const candidates = dropped.map((each) => measurable(configuration(each), opening.components));
    const answers = await engine.measure({ candidates, on: { kind: 'blocks', begin, end } }, {});
    return answers.map(({ answer }) => {
      if (answer.kind !== 'loss') throw new Error(answer.detail);
      expect(answer.blocks).toBe(end - begin);
      return answer.loss;
    });
  }

  it('are measured as an evaluation of the same', async () => {
    const losses = await lossesOn(DROPPED, 0, BLOCKS);
    const evaluations = DROPPED.map((dropped) => evaluationWith(plan, configuration(dropped), opening.components));
    const { model, text, calibration, settings } = plan;
    const results = await engine.evaluate({ model, text, calibration: calibration!, evaluations, settings });
    for (const [i, { perplexity, structure, actualSparsity }] of results.entries()) {
      expect(losses[i]).toBeCloseTo(Math.log(perplexity), 6);
      const { attention, mlp } = DROPPED[i]!;
      for (const [block, { groups, channels }] of structure!.blocks.entries()) {
        expect([groups.kept === 0, channels.kept === 0]).toEqual([attention.includes(block), mlp.includes(block)]);
      }
      expect(actualSparsity).toBeCloseTo(removedShare(opening, DROPPED[i]!), 9);
    }
    expect(new Set(losses.map((loss) => loss.toFixed(4))).size).toBe(DROPPED.length);
  });

  it.each(DROPPED)(
    'are measured as the model from which they were removed, block by block of the text: %o',
    async (dropped) => {
      const folder = path.join(out, JSON.stringify(dropped).replaceAll(/\W+/g, '-'));
      const { model, text, calibration, settings } = plan;
      const evaluations = [evaluationWith(plan, configuration(dropped), opening.components)];
      const asked = { model, text, calibration: calibration!, evaluations, settings };
      const { parameters } = await engine.exportModel(asked, { folder, format: 'huggingface' });
      const weights = opening.components.reduce((sum, block) => sum + weightsOf(block).reduce((a, b) => a + b), 0);
      expect(parameters.dense - parameters.exported).toBeGreaterThanOrEqual(removedShare(opening, dropped) * weights);
      const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')) as {
        readonly espalier: { readonly blocks: readonly { readonly heads: number; readonly intermediate: number }[] };
      };
      const kept = [0, 1, 2].filter((block) => !(dropped.attention.includes(block) && dropped.mlp.includes(block)));
      expect(config.espalier.blocks.map(({ heads, intermediate }) => [heads === 0, intermediate === 0])).toEqual(
        kept.map((block) => [dropped.attention.includes(block), dropped.mlp.includes(block)]),
      );

      const removed = createEngine();
      const { denseLosses, densePerplexity } = await removed.open({ ...plan, model: folder });
      await removed.dispose();
      const [whole] = await lossesOn([dropped], 0, BLOCKS);
      expect(whole).toBeCloseTo(Math.log(densePerplexity), 4);
      for (let block = 0; block < BLOCKS; block++) {
        const [loss] = await lossesOn([dropped], block, block + 1);
        expect(loss).toBeCloseTo(denseLosses[block]!, 4);
      }
      // Another text for each, else a wrong block would go unnoticed.
      expect(new Set(denseLosses.map((loss) => loss.toFixed(3))).size).toBe(BLOCKS);
      for (const [begin, end] of [
        [1, 3],
        [2, 4],
        [0, 3],
      ] as const) {
        const [loss] = await lossesOn([dropped], begin, end);
        expect(loss).toBeCloseTo(mean(denseLosses.slice(begin, end)), 4);
      }
    },
  );

  it('are measured to the same bit, whatever was measured before or is measured beside', async () => {
    const [alone] = await lossesOn([DROPPED[0]], 1, 3);
    const all = await lossesOn(DROPPED, 0, BLOCKS);
    await lossesOn([DROPPED[2]], 3, 4);
    expect(await lossesOn(DROPPED, 0, BLOCKS)).toEqual(all);
    expect((await lossesOn([DROPPED[1], DROPPED[0]], 1, 3))[1]).toBe(alone);
    const singly = [];
    for (let block = 0; block < BLOCKS; block++) singly.push(...(await lossesOn([DROPPED[0]], block, block + 1)));
    expect(mean(singly)).toBeCloseTo(all[0]!, 9);
  });

  it('none of which are the dense model', async () => {
    for (const [begin, end] of [
      [0, 1],
      [1, 3],
      [0, BLOCKS],
    ] as const) {
      const [loss] = await lossesOn([{ attention: [], mlp: [] }], begin, end);
      expect(loss).toBeCloseTo(mean(opening.denseLosses.slice(begin, end)), 5);
    }
  });
});

function planOf({ folder, textFile, calibrationFile }: TemporaryFamily, name: FamilyName): EvoPressPlan {
  return {
    ...evoPressPlan({ drop: 'sublayers' }),
    ...{ model: folder, text: textFile, calibration: calibrationFile },
    settings: {
      ...DEFAULT_SETTINGS,
      ...{ device: 'cpu', threads: 1, samples: 2, blocks: BLOCKS, length: FAMILIES[name].length, offsets: 'even' },
    },
  };
}

/** Rates follow from what is dropped; what is measured does not read them. */
function configuration(dropped: Configuration['dropped']): Configuration {
  return { rates: [0, 0, 0], ...(dropped && { dropped }) };
}

function weightsOf({ groups, groupWeights, channels, channelWeights }: ComponentsOpening['components'][number]) {
  return [groups * groupWeights, channels * channelWeights] as const;
}

function removedShare({ components }: ComponentsOpening, { attention, mlp }: NonNullable<Configuration['dropped']>) {
  const weights = components.map(weightsOf);
  const gone = weights.reduce(
    (sum, [ofAttention, ofMlp], i) => sum + (attention.includes(i) ? ofAttention : 0) + (mlp.includes(i) ? ofMlp : 0),
    0,
  );
  return gone / weights.reduce((sum, [ofAttention, ofMlp]) => sum + ofAttention + ofMlp, 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
