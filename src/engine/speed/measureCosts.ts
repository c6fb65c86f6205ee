import type { ModelTimes, Time } from '../../experiment/costSchema.ts';
import type { StepHooks } from '../forward/step.ts';
import type { Device } from '../runtime/device.ts';
import { MadeUpModel } from './madeUpModel.ts';
import { type MeasuredShapes, tablesOf } from './measuredShapes.ts';
import { type Clock, type PassTimes, SpeedPass } from './speedPass.ts';

/** Rounds that count, after one that compiles: as many as this at least, and no more once so many seconds have passed, or at so many. */
const ROUNDS = { least: 7, seconds: 8, most: 25 };

export interface CostConditions {
  readonly batch: number;
  readonly length: number;
  /** Without it by the wall. */
  readonly now?: Clock;
}

export type MeasuredTimes = Pick<ModelTimes, 'kinds' | 'outside' | 'decodeBatch'>;

/**
 * Seconds of the shapes that a model's blocks can have: one model has them all as its blocks, with random weights, so that every pass meets each of them
 * under the same conditions, and with the programs of a comparison of speeds; others have blocks that are alike. The lower quartile of the
 * rounds counts: what else the machine does adds to some of them, and never takes away.
 */
export async function measureCosts(
  shapes: MeasuredShapes,
  device: Device,
  { batch, length, now }: CostConditions,
  { signal, onProgress }: StepHooks,
): Promise<MeasuredTimes> {
  const models: MadeUpModel[] = [];
  const passes: SpeedPass[] = [];
  try {
    for (const config of [shapes.mixed, ...shapes.alike]) {
      const model = new MadeUpModel(config, device);
      models.push(model);
      passes.push(await SpeedPass.open(model, batch, length, now));
    }
    const found: (readonly PassTimes[])[] = [];
    const began = performance.now();
    for (let round = 0; round < ROUNDS.most; round++) {
      const share = Math.min((performance.now() - began) / 1000 / ROUNDS.seconds, (round - 1) / ROUNDS.least);
      if (share >= 1) break;
      const detail = `costs of block shapes: ${round === 0 ? 'warming up' : `round ${round}`}`;
      onProgress?.({ stage: 'measuring', done: Math.max(0, Math.floor(100 * share)), total: 100, detail });
      const times: PassTimes[] = [];
      for (const pass of passes) times.push(await pass.run(signal));
      if (round > 0) found.push(times);
    }
    return summary(shapes, found);
  } finally {
    for (const pass of passes) pass.dispose();
    for (const model of models) model.dispose();
    // Nobody runs programs of these shapes again.
    const made = models.map(({ checkpoint }) => JSON.stringify(checkpoint.config));
    await device.release((key) => !made.some((config) => key.includes(config)));
  }
}

/** @param rounds of each the pass of the model of many sizes, and of those whose blocks are alike */
function summary(shapes: MeasuredShapes, rounds: readonly (readonly PassTimes[])[]): MeasuredTimes {
  const typical = (of: (round: readonly PassTimes[]) => Time): Time => ({
    prefill: lowerQuartile(rounds.map((round) => of(round).prefill)),
    decode: lowerQuartile(rounds.map((round) => of(round).decode)),
  });
  const [mixed, ...alike] = [shapes.mixed, ...shapes.alike].map(({ windows }, model) =>
    windows.map((_, block) => typical((round) => round[model]!.blocks[block]!)),
  );
  return {
    kinds: [...tablesOf(shapes, mixed!, alike)],
    outside: typical((round) => round[0]!.outside),
    decodeBatch: rounds[0]![0]!.decode.batch,
  };
}

function lowerQuartile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 4)]!;
}
