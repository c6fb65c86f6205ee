import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../../src/base/rng.ts';
import { parseConfig } from '../../../../src/engine/checkpoint/readConfig.ts';
import type { Parameter } from '../../../../src/engine/families/family.ts';
import { rotaryTables } from '../../../../src/engine/models/rope.ts';
import { Device } from '../../../../src/engine/runtime/device.ts';
import { DeviceTensor } from '../../../../src/engine/runtime/deviceTensor.ts';
import { addRows, lookUpRows } from '../../../../tools/sample/training/embeddingTable.ts';
import { buildTrainingGraph, trainedParameters } from '../../../../tools/sample/training/trainingGraph.ts';
import { tinyLlama } from './tinyLlama.ts';

const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
afterAll(() => device.dispose());

const BATCH = 2;
const TOKENS = 12;

describe.each([
  ['tied embeddings', tinyLlama(40)],
  ['a head of its own', { ...tinyLlama(40), tie_word_embeddings: false }],
])('the whole model backwards, %s', (_, raw) => {
  const config = parseConfig(raw, 'config.json');
  const parameters = trainedParameters(config);
  const table = 'model.embed_tokens.weight';
  const rng = new Rng(8);
  const weights = new Map(parameters.map((parameter) => [parameter.tensor, randomWeights(parameter, rng)]));
  const ids = Int32Array.from({ length: BATCH * TOKENS }, () => rng.integer(40));
  const targets = Int32Array.from({ length: BATCH * TOKENS }, () => rng.integer(40));

  const run = async (changed = weights): Promise<Record<string, DeviceTensor>> => {
    const build = (): ReturnType<typeof buildTrainingGraph> =>
      buildTrainingGraph(config, { batch: BATCH, tokens: TOKENS });
    const program = await device.program(`training test ${config.tiedEmbeddings}`, build, () => true);
    if (config.positions.kind !== 'rotary') throw new Error('LLaMA has rotary positions');
    const { shape: angles, cosines, sines } = rotaryTables(config.positions, TOKENS, config.maxPositions);
    const x = lookUpRows(changed.get(table)!, ids, config.hidden);
    return program.run({
      x: DeviceTensor.fromHost(x, [BATCH * TOKENS, config.hidden]),
      targets: DeviceTensor.fromHost(targets, [BATCH * TOKENS]),
      cosines: DeviceTensor.fromHost(cosines, angles),
      sines: DeviceTensor.fromHost(sines, angles),
      ...Object.fromEntries(
        parameters.map(({ tensor, shape }) => [tensor, DeviceTensor.fromHost(changed.get(tensor)!, shape)]),
      ),
    });
  };
  const lossOf = async (changed: typeof weights): Promise<number> => (await run(changed))['loss']!.floats()[0]!;

  it('begins near the loss of a guess', async () => {
    expect(await lossOf(new Map([...weights].map(([name, w]) => [name, w.map((v) => v * 0.01)])))).toBeCloseTo(
      Math.log(40),
      2,
    );
  });

  it.each(parameters.map(({ tensor }) => tensor))(
    '%s: the loss changes along its gradient by its length',
    async (name) => {
      const outputs = await run();
      const gradient = outputs[`d:${name}`]?.floats().slice() ?? new Float32Array(weights.get(name)!.length);
      if (name === table) addRows(gradient, ids, outputs['dx']!.floats(), config.hidden);
      const length = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
      expect(length).toBeGreaterThan(1e-3);
      const step = 0.01;
      const moved = (by: number): typeof weights =>
        new Map(weights).set(
          name,
          weights.get(name)!.map((value, i) => value + (by * gradient[i]!) / length),
        );
      const slope = ((await lossOf(moved(step))) - (await lossOf(moved(-step)))) / (2 * step);
      expect(Math.abs(slope / length - 1)).toBeLessThan(0.01);
    },
  );
});

function randomWeights({ shape }: Parameter, rng: Rng): Float32Array {
  const size = shape.reduce((a, b) => a * b);
  const scale = shape.length === 1 ? 0.3 : 1 / Math.sqrt(shape[1]!);
  return Float32Array.from({ length: size }, () => (shape.length === 1 ? 1 : 0) + scale * rng.normal());
}
