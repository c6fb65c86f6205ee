import type { BackwardSeconds } from './backwardSeconds.ts';
import type { BenchContext } from './benchContext.ts';
import { SHAPES, type ShapeName } from './generatedModel.ts';
import { planOf, runInChild } from './ours.ts';
import { comparedRow, type Row } from './report.ts';

const [SAMPLES, LENGTH, ROUNDS] = [3, 2048, 2];

/** What a block takes backward, with G of its linear layers, in passes of the same samples forward. */
export function backwardRow(model: ShapeName, what: string) {
  return async ({ models, note, options: { threads, ...options } }: BenchContext): Promise<readonly Row[]> => {
    // With a head that is next to nothing.
    const shape = { ...SHAPES[model], depth: 1, vocabulary: 512, tied: true };
    const { folder, text } = await models.generate(what, shape);
    const files = { model: folder, text, calibration: text };
    const plan = planOf({ job: 'operands', ...files, length: LENGTH, blocks: 1, samples: SAMPLES }, threads);
    const rounds = options.rounds ?? ROUNDS;
    const times: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const { answer } = await runInChild({ kind: 'backward', plan });
      const { forward, backward } = answer as unknown as BackwardSeconds;
      times.push(backward / forward);
      note(
        `backward, ${what}, round ${round} of ${rounds}: ${backward.toFixed(2)} s of CPU, forward ${forward.toFixed(2)} s`,
      );
    }
    const title = `backward with G, ${what}, a sample of ${LENGTH}, in forward passes`;
    return [comparedRow(title, '×', times, undefined, { of: 'ours', bar: 3.5, stretch: 3 })];
  };
}
