import { createEngine, type Engine } from '../src/engine/engine.ts';
import { openCheckpoint } from '../src/engine/checkpoint/checkpoint.ts';
import { BlockWeights } from '../src/engine/forward/blockWeights.ts';
import { embed, type ForwardInputs } from '../src/engine/forward/embed.ts';
import { ModelPrograms } from '../src/engine/forward/modelPrograms.ts';
import { Device } from '../src/engine/runtime/device.ts';
import { Rng } from '../src/base/rng.ts';
import type { BlockComponents, ModelMask } from '../src/experiment/structureSchema.ts';
import { packBits } from '../src/experiment/components.ts';
import type { MaskSearchPlan } from '../src/search/masks/plan.ts';

export interface MaskSteps {
  /** Of each step: one mask's share of it, and the dense model on the same sequences, in turn. */
  readonly masked: readonly number[];
  readonly plain: readonly number[];
  /** Resident set after every hundredth step, MiB. */
  readonly resident: readonly number[];
}

/** Share of heads and channels that a mask keeps. */
const KEEP = 0.6;

/** Steps of a search for masks as its plan says: random masks over random sequences of the calibration text. */
export async function measureMaskSteps(plan: MaskSearchPlan, comparison: boolean): Promise<MaskSteps> {
  const { steps, batch, tokens, masks, seed } = plan.search;
  const rng = new Rng(seed);
  const engine = createEngine();
  const [masked, plain, resident]: [number[], number[], number[]] = [[], [], []];
  try {
    const { components } = await engine.open(plan);
    const ids = await engine.tokens(plan.model, plan.calibration);
    const forward = comparison ? await openPlain(plan) : undefined;
    for (let step = 0; step < steps; step++) {
      const offsets = Array.from({ length: batch }, () => rng.integer(ids.length - tokens));
      const drawn = Array.from({ length: masks }, () => randomMask(components, rng));
      if (forward) {
        const sequences = offsets.map((offset) => ids.subarray(offset, offset + tokens));
        plain.push(await seconds(() => plainLoss(forward, sequences)));
      }
      masked.push((await seconds(() => stepLosses(engine, drawn, offsets, tokens))) / masks);
      if (step % 100 === 99) resident.push(process.memoryUsage().rss / 2 ** 20);
    }
    return { masked, plain, resident };
  } finally {
    await engine.dispose();
  }
}

async function stepLosses(engine: Engine, masks: readonly ModelMask[], offsets: readonly number[], tokens: number) {
  const candidates = masks.map((mask) => ({ kind: 'mask', mask }) as const);
  const outcomes = await engine.measure({ candidates, on: { kind: 'samples', offsets, tokens } });
  if (outcomes.some(({ answer }) => answer.kind === 'invalid')) throw new Error('a loss is not finite');
}

type Plain = ForwardInputs & { readonly weights: BlockWeights };

/** The dense model with programs without masks, on a device of its own. */
async function openPlain({ model, settings: { threads }, search: { tokens } }: MaskSearchPlan): Promise<Plain> {
  const device = new Device({ name: 'cpu', precision: 'float32', threads });
  const checkpoint = await openCheckpoint(model);
  const programs = await ModelPrograms.create(checkpoint.config, device, tokens);
  return { checkpoint, device, programs, weights: new BlockWeights(checkpoint, device, true) };
}

async function plainLoss(inputs: Plain, sequences: readonly Int32Array[]): Promise<number> {
  const { weights, programs } = inputs;
  const stream = await embed(inputs, sequences);
  for (const [index, layout] of weights.layouts.entries()) {
    await stream.advance(layout, await weights.block(index), () => Promise.resolve(), '');
  }
  const head = await weights.head();
  let sum = 0;
  for (const each of stream.batches) for (const loss of await programs.losses(each, head)) sum += loss;
  stream.dispose();
  return sum;
}

function randomMask(components: readonly BlockComponents[], rng: Rng): ModelMask {
  const draw = (length: number) => packBits(Array.from({ length }, () => rng.uniform() < KEEP));
  return components.map(({ groups, channels }) => ({ groups: draw(groups), channels: draw(channels) }));
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
