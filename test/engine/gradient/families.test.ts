import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import type { PrunedLayer } from '../../../src/engine/pruning/pruner.ts';
import { DEFAULT_SETTINGS, type DeviceName } from '../../../src/experiment/settings.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { linearsOf, loadOracle, type OracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { evenSamples } from '../../support/oracle/prune.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

// Engine and float64 oracle read the same files from disk and share nothing else: G of the one against differences of the other.

const [SAMPLES, LENGTH] = [2, 12];

const MIXTURES = ['mixtral', 'qwen2-moe', 'qwen3-moe', 'olmoe'] as const;

/**
 * What is different on the way back: grouped queries, windows, head norms, layer norms before and after, narrow embeddings, branches side by side,
 * fused and turned matrices, ALiBi.
 */
const FAMILY_NAMES: readonly FamilyName[] = [
  ...(['llama-3.1', 'mistral', 'qwen3', 'opt', 'opt-350m', 'gpt-neox'] as const),
  ...([
    'phi-4',
    'gpt-2, scaled by block',
    'bloom, added to the norms',
    'falcon 7b',
    'falcon 40b',
    'falcon rw',
  ] as const),
  // Capped scores and logits, norms on both sides and over all heads, factors, norms of single heads, blocks that do not turn, neighbours.
  ...(['gemma', 'gemma2', 'gemma3', 'olmo2', 'granite', 'stablelm', 'stablelm 12b'] as const),
  ...(['smollm3, windows', 'cohere', 'cohere2'] as const),
  ...MIXTURES,
];

/** Another device can be put to the same test: ESPALIER_TEST_DEVICE=webgpu. */
const device = (process.env['ESPALIER_TEST_DEVICE'] ?? 'cpu') as DeviceName;

describe.each(FAMILY_NAMES)('%s', (name) => {
  let family: TemporaryFamily;
  const layers: { tensor: string; columns: number; gradient: Float32Array }[] = [];
  let unseen: readonly string[];
  beforeAll(async () => {
    family = await temporaryFamily(name);
    const engine = createEngine();
    const onPruned = ({ tensor, shape, gradient }: PrunedLayer): void => {
      layers.push({ tensor, columns: shape[1]!, gradient: gradient!.slice() });
    };
    const [result] = await engine.evaluate(
      {
        model: family.folder,
        text: family.textFile,
        calibration: family.calibrationFile,
        evaluations: [
          { metric: 'taylor', expression: fromPrefix('mul(W, G)'), sparsity: { kind: 'unstructured', share: 0.5 } },
        ],
        settings: {
          ...DEFAULT_SETTINGS,
          ...{ device, threads: 1, samples: SAMPLES, length: LENGTH, blocks: 1, offsets: 'even' },
        },
      },
      { onPruned },
    );
    unseen = result!.unseenExperts ?? [];
    await engine.dispose();
  });
  afterAll(() => family.remove());

  test('G of every layer is what differences of the loss say', () => {
    const oracle = loadOracle(family.folder);
    const samples = evenSamples(tokenize(family.folder, family.calibration), SAMPLES, LENGTH);
    const linears = [...Array(oracle.depth).keys()].flatMap((block) => linearsOf(oracle, block));
    // Experts that no token of the samples goes through have no gradient, and are not ranked by one.
    expect(layers.length).toBe(linears.length - 3 * unseen.length);
    for (const expert of unseen)
      expect(gradientByDifferences(oracle, `${expert}.down_proj.weight`, 0, samples)).toBe(0);
    for (const [index, { tensor, columns, gradient }] of layers.entries()) {
      const largest = gradient.reduce((a, b) => Math.max(a, b), 0);
      expect(largest).toBeGreaterThan(0);
      // One weight of each layer, in another place each time.
      const at = (index * 7919) % gradient.length;
      const expected = gradientByDifferences(oracle, tensor, at, samples);
      const error = Math.abs(gradient[at]! - expected);
      expect(error, `${tensor} [${Math.floor(at / columns)}, ${at % columns}]`).toBeLessThan(1e-4 * largest);
    }
  });
});

/** sqrt( Σ_samples (100 · (L_s(w + h) − L_s(w − h)) / 2h)² ), L_s the mean cross-entropy of a sample. */
function gradientByDifferences(
  oracle: OracleModel,
  tensor: string,
  at: number,
  samples: readonly (readonly number[])[],
): number {
  const step = 1e-5;
  const weight = oracle.tensors.get(tensor)!;
  const moved = (by: number): number[] => {
    oracle.tensors.set(tensor, { ...weight, values: weight.values.with(at, weight.values[at]! + by) });
    return samples.map((sample) => Math.log(perplexity(oracle, sample, LENGTH, 1)));
  };
  const [above, below] = [moved(step), moved(-step)];
  oracle.tensors.set(tensor, weight);
  return Math.sqrt(above.reduce((sum, loss, s) => sum + ((100 * (loss - below[s]!)) / (2 * step)) ** 2, 0));
}
