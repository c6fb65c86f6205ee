import type { BenchContext } from './benchContext.ts';
import type { GemmShare } from './gemmShare.ts';
import { SHAPES, type ShapeName } from './generatedModel.ts';
import { planOf, runInChild } from './ours.ts';
import { median, type Row } from './report.ts';

/** How much of the rate that the runtime multiplies a model's own matrices with is left when all of it is evaluated. */
export function gemmRow(
  model: ShapeName,
  what: string,
  { length, blocks, rounds: usual }: { readonly length: number; readonly blocks: number; readonly rounds: number },
) {
  return async ({
    models,
    note,
    options: { threads, processor, ...options },
  }: BenchContext): Promise<readonly Row[]> => {
    const files = await models.files(model);
    const plan = planOf({ job: 'dense', ...files, length, blocks, samples: 1 }, threads);
    const rounds = options.rounds ?? usual;
    const measured: GemmShare[] = [];
    for (let round = 1; round <= rounds; round++) {
      const { answer } = await runInChild({ kind: 'gemm', plan, shape: SHAPES[model], processor });
      measured.push(answer as unknown as GemmShare);
      const { rate, gemm } = measured.at(-1)!;
      note(`GEMM rate, ${what}, round ${round} of ${rounds}: ${rate.toFixed(0)} of ${gemm.toFixed(0)} GFLOP/s`);
    }
    const shares = measured.map(({ rate, gemm }) => rate / gemm);
    return [
      {
        work: `dense perplexity, ${what}, ${blocks} blocks of ${length}: share of the GEMM rate of its own shapes`,
        ours: Math.round(median(measured.map(({ rate }) => rate))),
        peer: Math.round(median(measured.map(({ gemm }) => gemm))),
        ratio: Number(median(shares).toPrecision(3)),
        unit: processor ? 'GFLOP/s of CPU' : 'GFLOP/s',
        goal: { of: 'ratio', bar: 0.8, stretch: 0.9 },
        range: [Math.min(...shares), Math.max(...shares)],
      },
    ];
  };
}
