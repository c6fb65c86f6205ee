import type { ModelTimes, Time } from '../../experiment/costSchema.ts';
import type { StepHooks } from '../forward/step.ts';
import type { Device } from '../runtime/device.ts';
import { MadeUpModel } from './madeUpModel.ts';
import { type MeasuredShapes, tablesOf } from './measuredShapes.ts';
import { type Clock, type PassTimes, SpeedPass } from './speedPass.ts';

/** Passes that count, after one that reads and compiles. */
const ROUNDS = 7;

export interface CostConditions {
  readonly batch: number;
  readonly length: number;
  readonly rounds?: number;
  readonly now?: Clock;
}

export type MeasuredTimes = Pick<ModelTimes, 'kinds' | 'outside' | 'decodeBatch'>;

/**
 * Seconds of the shapes that a model's blocks can have: one model has them all as its blocks, with random weights, so that every pass meets each of them
 * under the same conditions, and with the programs of a comparison of speeds; another one has blocks that are as they are. Of each block the
 * median share of a round counts, times the median round: what else the machine does in some round meets all of its blocks.
 */
export async function measureCosts(
  shapes: MeasuredShapes,
  device: Device,
  { batch, length, rounds = ROUNDS, now }: CostConditions,
  { signal, onProgress }: StepHooks,
): Promise<MeasuredTimes> {
  const models: MadeUpModel[] = [];
  const passes: SpeedPass[] = [];
  try {
    for (const config of [shapes.mixed, shapes.dense]) {
      const model = new MadeUpModel(config, device);
      models.push(model);
      passes.push(await SpeedPass.open(model, batch, length, now));
    }
    const found: Round[] = [];
    for (let round = 0; round <= rounds; round++) {
      const detail = round === 0 ? 'warming up' : `round ${round} of ${rounds}`;
      onProgress?.({ stage: 'measuring', done: round, total: rounds + 1, detail: `costs of block shapes: ${detail}` });
      const [mixed, dense] = [await passes[0]!.run(signal), await passes[1]!.run(signal)];
      if (round > 0) found.push({ mixed, dense });
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

interface Round {
  readonly mixed: PassTimes;
  readonly dense: PassTimes;
}

function summary(shapes: MeasuredShapes, rounds: readonly Round[]): MeasuredTimes {
  const parts = rounds.map(({ mixed, dense }) => [...mixed.blocks, ...dense.blocks, mixed.outside]);
  const typical = (phase: keyof Time): readonly number[] => {
    const totals = parts.map((times) => times.reduce((sum, time) => sum + time[phase], 0));
    const whole = median(totals);
    return parts[0]!.map((_, part) => whole * median(parts.map((times, i) => times[part]![phase] / totals[i]!)));
  };
  const [prefill, decode] = [typical('prefill'), typical('decode')];
  const times = prefill.map((seconds, part): Time => ({ prefill: seconds, decode: decode[part]! }));
  const { depth } = shapes.mixed;
  return {
    kinds: [...tablesOf(shapes, times.slice(0, depth), times.slice(depth, -1))],
    outside: times.at(-1)!,
    decodeBatch: rounds[0]!.mixed.decode.batch,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}
