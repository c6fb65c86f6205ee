import { afterAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/engine/checkpoint/readConfig.ts';
import { Device } from '../../../../src/engine/runtime/device.ts';
import { type StepReport, Trainer, type TrainingSettings } from '../../../../tools/sample/training/trainer.ts';
import { TRAINING_TEXT } from '../../../support/tokenizers/trainingText.ts';
import { tinyLlama } from './tinyLlama.ts';

const device = new Device({ name: 'cpu', precision: 'float32', threads: 2 });
afterAll(() => device.dispose());

/** Words of a text as numbers: what is learned is which follows which. */
const ids = wordIds(TRAINING_TEXT);
const vocabulary = Math.max(...ids) + 1;
const config = parseConfig(tinyLlama(vocabulary), 'config.json');
const settings: TrainingSettings = {
  ...{ batch: 4, length: 32, steps: 60, warmup: 5, peakRate: 0.02, finalShare: 0.1 },
  ...{ beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.05, clip: 1, seed: 1 },
};

describe('training', () => {
  it('starts from a guess and learns', async () => {
    const { reports } = await train(settings);
    const mean = (part: readonly StepReport[]): number => part.reduce((sum, { loss }) => sum + loss, 0) / part.length;
    expect(Math.abs(reports[0]!.loss - Math.log(vocabulary))).toBeLessThan(0.1);
    expect(mean(reports.slice(0, 5)) - mean(reports.slice(-5))).toBeGreaterThan(1);
    expect(reports.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(reports.every(({ gradientNorm }) => gradientNorm > 0)).toBe(true);
  });

  it('the same settings give the same weights to the bit, another seed gives others', async () => {
    const short = { ...settings, steps: 6 };
    const [first, again, other] = [await train(short), await train(short), await train({ ...short, seed: 2 })];
    expect(again.weights).toEqual(first.weights);
    expect(again.reports).toEqual(first.reports);
    expect(other.weights.get('model.norm.weight')).not.toEqual(first.weights.get('model.norm.weight'));
  });

  it('changes every tensor', async () => {
    const [before, after] = [await train({ ...settings, steps: 0 }), await train({ ...settings, steps: 1, warmup: 1 })];
    expect([...after.weights.keys()]).toEqual([...before.weights.keys()]);
    for (const [name, { shape, data }] of after.weights) {
      expect(data.length).toBe(shape.reduce((a, b) => a * b));
      expect(data, name).not.toEqual(before.weights.get(name)!.data);
      expect(data.every(Number.isFinite), name).toBe(true);
    }
  });

  it('refuses a text that is shorter than a sequence', async () => {
    await expect(Trainer.create(config, device, ids.subarray(0, 32), settings)).rejects.toThrow('too few');
  });
});

async function train(
  chosen: TrainingSettings,
): Promise<{ reports: StepReport[]; weights: Awaited<ReturnType<Trainer['weights']>> }> {
  const trainer = await Trainer.create(config, device, ids, chosen);
  const reports: StepReport[] = [];
  for (let step = 0; step < chosen.steps; step++) reports.push(await trainer.advance());
  const weights = await trainer.weights();
  trainer.dispose();
  return { reports, weights };
}

function wordIds(text: string): Int32Array {
  const known = new Map<string, number>();
  const words = text.match(/\w+|[^\w\s]/g) ?? [];
  return Int32Array.from(words, (word) => known.get(word) ?? known.set(word, known.size).size - 1);
}
