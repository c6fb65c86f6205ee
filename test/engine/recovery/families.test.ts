import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { type Checkpoint, openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { readParameter } from '../../../src/engine/checkpoint/readParameter.ts';
import type { Parameter } from '../../../src/engine/families/family.ts';
import { BlockWeights } from '../../../src/engine/forward/blockWeights.ts';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import { type Adapter, freshFactors, tensorsOf, trainedVectors } from '../../../src/engine/recovery/adapter.ts';
import { TrainedWeights } from '../../../src/engine/recovery/trainedWeights.ts';
import { TrainingPass } from '../../../src/engine/recovery/trainingPass.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import type { DeviceName } from '../../../src/experiment/settings.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { loadOracle, type OracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { evenSamples } from '../../support/oracle/prune.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

// Engine and float64 oracle read the same files from disk and share nothing else: gradients of the one against differences of the other.

const [SAMPLES, LENGTH] = [3, 12];

/** Grouped queries, windows, biases, norms of both kinds and on both sides, fused and turned matrices, ALiBi, branches side by side, experts. */
const FAMILY_NAMES: readonly FamilyName[] = [
  ...([
    'llama-3.1',
    'qwen3',
    'opt',
    'gpt-neox',
    'phi-4',
    'gpt-2, scaled by block',
    'bloom, added to the norms',
  ] as const),
  ...(['falcon 7b', 'gemma2', 'olmo2', 'stablelm 12b', 'cohere', 'mixtral', 'qwen2-moe'] as const),
];

/** Another device can be put to the same test: ESPALIER_TEST_DEVICE=webgpu. */
const name = (process.env['ESPALIER_TEST_DEVICE'] ?? 'cpu') as DeviceName;
const device = new Device({ name, precision: 'float32', threads: 1 });
afterAll(() => device.dispose());

describe.each(FAMILY_NAMES)('%s', (familyName) => {
  let family: TemporaryFamily;
  let checkpoint: Checkpoint;
  let oracle: OracleModel;
  let samples: readonly (readonly number[])[];
  beforeAll(async () => {
    family = await temporaryFamily(familyName);
    checkpoint = await openCheckpoint(family.folder);
    oracle = loadOracle(family.folder);
    samples = evenSamples(tokenize(family.folder, family.calibration), SAMPLES, LENGTH);
  });
  afterAll(async () => {
    checkpoint.close();
    await family.remove();
  });

  test.each(['factors', 'vectors'] as const)('gradients of %s are what differences of the loss say', async (kind) => {
    const adapter = adapterOf(kind);
    const { loss, gradients } = await gradientsOf(adapter, { keeps: true, room: 1e12 });
    expect(loss).toBeCloseTo(lossOf(adapter), 5);
    const tensors = tensorsOf(adapter);
    const rng = new Rng(3);
    const largest = Math.max(
      ...gradients.map((gradient) => gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0)),
    );
    expect(largest).toBeGreaterThan(0);
    // One number of each, of some two dozen: of experts that no token goes through all are zero.
    const every = Math.ceil(tensors.length / 25);
    for (const [index, { place, input, values }] of tensors.entries()) {
      if (index % every > 0) continue;
      const at = rng.integer(values.length);
      const expected = differences(adapter, values, at);
      expect(Math.abs(gradients[index]![at]! - expected), `${place} ${input} [${at}]`).toBeLessThan(
        2e-4 * largest + 1e-7,
      );
    }
  });

  test.each(['factors', 'vectors'] as const)(
    'gradients of %s are the same bits block by block and when weights are read anew',
    async (kind) => {
      const adapter = adapterOf(kind);
      const whole = await gradientsOf(adapter, { keeps: true, room: 1e12 });
      for (const memory of [
        { keeps: true, room: 0 },
        { keeps: false, room: 0 },
      ]) {
        const again = await gradientsOf(adapter, memory);
        expect([again.loss, ...again.gradients.map(String)]).toEqual([whole.loss, ...whole.gradients.map(String)]);
      }
    },
  );

  function adapterOf(kind: 'factors' | 'vectors'): Adapter {
    if (kind === 'vectors')
      return trainedVectors(checkpoint.config, (parameter) => readParameter(checkpoint, parameter));
    const adapter = freshFactors(checkpoint.config, { rank: 3, alpha: 5, targets: 'all', seed: 5 });
    const rng = new Rng(6);
    // B is zero at first, and A has no gradient then.
    for (const { up } of adapter.layers) for (let i = 0; i < up.values.length; i++) up.values[i] = 0.1 * rng.normal();
    return adapter;
  }

  async function gradientsOf(adapter: Adapter, { keeps, room }: { keeps: boolean; room: number }) {
    const { config } = checkpoint;
    const base = new BlockWeights(checkpoint, device, keeps);
    const weights = new TrainedWeights(base, device, adapter);
    const programs = await ModelPrograms.create(config, device, LENGTH);
    const pass = new TrainingPass({ checkpoint, device, programs, weights, adapter, tokens: LENGTH, keeps, room });
    const sequences = samples.map((ids) => ({ ids: Int32Array.from(ids) }));
    const { loss, gradients } = await pass.run(sequences, () => Promise.resolve());
    const copies = gradients.map((gradient) => gradient.slice());
    for (const part of [pass, weights, base, programs]) part.dispose();
    return { loss, gradients: copies };
  }

  /** Mean cross-entropy of the float64 model with the adapter in its weights. */
  function lossOf({ layers, vectors }: Adapter): number {
    const stored = new Map<string, ReturnType<typeof stored_>>();
    for (const { parameter, rank, scaling, down, up } of layers) {
      const [output, input] = parameter.shape as [number, number];
      replace(parameter, (values) => {
        const merged = values.slice();
        for (let row = 0; row < output; row++) {
          for (let column = 0; column < input; column++) {
            let sum = 0;
            for (let k = 0; k < rank; k++) sum += up.values[row * rank + k]! * down.values[k * input + column]!;
            merged[row * input + column]! += scaling * sum;
          }
        }
        return merged;
      });
    }
    for (const { parameter, values } of vectors) replace(parameter, () => Float64Array.from(values));
    const losses = samples.map((sample) => Math.log(perplexity(oracle, sample, LENGTH, 1)));
    for (const [tensor, before] of stored) oracle.tensors.set(tensor, before);
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;

    function replace({ tensor }: Parameter, change: (values: Float64Array) => Float64Array): void {
      const before = stored_(tensor);
      if (!stored.has(tensor)) stored.set(tensor, before);
      oracle.tensors.set(tensor, { ...before, values: change(Float64Array.from(before.values)) });
    }
  }

  function stored_(tensor: string) {
    return oracle.tensors.get(tensor)!;
  }

  function differences(adapter: Adapter, values: Float32Array, at: number): number {
    const before = values[at]!;
    // float32 numbers: what was really moved counts, and not what was meant.
    values[at] = before + 2e-5;
    const [high, above] = [values[at], lossOf(adapter)];
    values[at] = before - 2e-5;
    const [low, below] = [values[at], lossOf(adapter)];
    values[at] = before;
    return (above - below) / (high - low);
  }
});
