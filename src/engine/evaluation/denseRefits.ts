import type { BlockMask } from '../../experiment/structureSchema.ts';
import type { Gram } from '../algebra/gram.ts';
import type { BlockLayout, Coupled } from '../families/family.ts';
import type { Step } from '../forward/step.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { ReusedArrays } from '../runtime/reusedArrays.ts';
import { readers } from '../structure/metricScorer.ts';
import type { Refitter } from '../structure/refitter.ts';
import { refitsOf } from '../structure/refits.ts';
import { BlockGrams, inputOf } from './blockGrams.ts';
import type { BlockVisit } from './blockVisit.ts';
import { CalibrationStream } from './calibrationStream.ts';
import type { KeptWeights } from '../pruning/keptWeights.ts';
import type { Refitted } from './removal.ts';
import type { OneShotRefits, SweepInputs } from './sweepInputs.ts';

/** H of what the output projections of one block read, by the names of these inputs. */
type Grams = ReadonlyMap<string, Gram>;

/**
 * Refits of a search's candidates, one-shot: H is that of the dense model, so candidates share it, and what is made of an output projection depends
 * on the columns that stay of it and on nothing else. H is found once, where there is room for that of all blocks; else each sweep carries the
 * calibration samples through the dense model, once for all its candidates. Refitted weights are kept as far as they have room.
 */
export class DenseRefits implements OneShotRefits {
  private readonly grams: readonly Grams[] | undefined;
  private readonly kept: KeptWeights;
  /** Where H is found again: of the sweep, and of the block that it is at. */
  private samples: CalibrationStream | undefined;
  private passing: BlockGrams | undefined;

  /** @param grams of all blocks, which become its own; undefined where they have no room */
  constructor(grams: readonly Grams[] | undefined, kept: KeptWeights) {
    this.grams = grams;
    this.kept = kept;
  }

  async open(inputs: SweepInputs): Promise<void> {
    if (!this.grams) this.samples = await CalibrationStream.open(inputs, []);
  }

  async reach({ device }: SweepInputs, { layout, block, last, where, refitArrays }: Visit, step: Step): Promise<void> {
    if (!this.samples) return;
    this.passing = await BlockGrams.open(device, readers(layout), refitArrays);
    await this.samples.observe(layout, block, !last, step, `calibrating, ${where}`, this.passing);
  }

  async refit(
    { index, layout, block, where }: Pick<BlockVisit, 'index' | 'layout' | 'block' | 'where'>,
    mask: BlockMask,
    refitter: Refitter,
    step: Step,
  ): Promise<Refitted> {
    const weights: Record<string, DeviceTensor> = {};
    for (const refit of refitsOf(layout, mask)) {
      const { layer } = refit;
      const key = `${layer.tensor} ${mask[layer.parts.of]}`;
      let found = this.kept.get(key);
      if (!found) {
        found = { weight: await refitter.refit(refit, block[layer.name]!, await this.gramOf(index, layer)), zeros: 0 };
        this.kept.set(key, found);
      }
      weights[layer.name] = found.weight;
      await step(`refitting, ${where}`);
    }
    const done = (): void => {
      this.kept.trim();
    };
    return { weights, done };
  }

  leave(): void {
    this.passing?.dispose();
    this.passing = undefined;
  }

  async close(): Promise<void> {
    this.leave();
    await this.samples?.dispose();
    this.samples = undefined;
  }

  dispose(): void {
    this.leave();
    for (const block of this.grams ?? []) for (const gram of block.values()) gram.dispose();
    this.kept.dispose();
  }

  private async gramOf(index: number, layer: Coupled): Promise<Gram> {
    return this.grams?.[index]?.get(inputOf(layer)) ?? this.passing!.of(layer);
  }
}

type Visit = Pick<BlockVisit, 'layout' | 'block' | 'last' | 'where' | 'refitArrays'>;

/** H of what all output projections of the dense model read. */
export async function denseGrams(inputs: SweepInputs, step: Step): Promise<readonly Grams[]> {
  const { weights, device } = inputs;
  const depth = weights.layouts.length;
  const found: Map<string, Gram>[] = [];
  const arrays = new ReusedArrays();
  const samples = await CalibrationStream.open(inputs, []);
  try {
    for (const [index, layout] of weights.layouts.entries()) {
      const block = await weights.block(index);
      try {
        const grams = await BlockGrams.open(device, readers(layout), arrays);
        await samples.observe(layout, block, index + 1 < depth, step, `dense, block ${index + 1} of ${depth}`, grams);
        const wholes = new Map<string, Gram>();
        found.push(wholes);
        for (const layer of readers(layout)) wholes.set(inputOf(layer), await grams.of(layer));
      } finally {
        weights.done(block);
      }
    }
    return found;
  } catch (error) {
    for (const block of found) for (const gram of block.values()) gram.dispose();
    throw error;
  } finally {
    await samples.dispose();
  }
}

/** What {@link denseGrams} keeps. */
export function denseGramBytes(layouts: readonly BlockLayout[]): number {
  return layouts.flatMap(readers).reduce((sum, { shape }) => sum + 4 * shape[1]! ** 2, 0);
}
