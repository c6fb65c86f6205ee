import type { BenchContext } from './benchContext.ts';
import { SHAPES } from './generatedModel.ts';
import { type ChildFacts, planOf, runInChild } from './ours.ts';
import { leastSquaresSlope } from './leastSquares.ts';
import type { Goal, Row } from './report.ts';
import type { Work } from './work.ts';

/** What is made larger: blocks of the text; pairs of a metric and a sparsity in one sweep; samples; layers of the model; tokens of a block. */
export type Growing = 'blocks' | 'pairs' | 'samples' | 'layers' | 'length';

interface Growth {
  readonly sizes: readonly number[];
  /** What is done at a size: all but the texts. */
  readonly at: (size: number) => Sizes;
  readonly time: Goal;
  readonly memory?: Goal;
}

interface Sizes extends Pick<Work, 'job' | 'length' | 'blocks' | 'samples'> {
  readonly pairs: number;
  readonly layers: number;
}

const LINEAR: Goal = { of: 'ours', bar: 1.05, stretch: 1 };
const PRUNED: Sizes = { job: 'wanda', length: 256, blocks: 16, samples: 16, pairs: 1, layers: 4 };

/** Sizes that take seconds, and beside which reading a small model and compiling its programs is little. */
const GROWTHS: Readonly<Record<Growing, Growth>> = {
  blocks: { sizes: [64, 128, 256, 512], at: (blocks) => ({ ...PRUNED, job: 'dense', blocks }), time: LINEAR },
  pairs: { sizes: [2, 4, 8, 16], at: (pairs) => ({ ...PRUNED, pairs }), time: LINEAR },
  samples: { sizes: [64, 128, 256, 512], at: (samples) => ({ ...PRUNED, blocks: 1, samples }), time: LINEAR },
  layers: { sizes: [8, 16, 32, 64], at: (layers) => ({ ...PRUNED, job: 'dense', blocks: 64, layers }), time: LINEAR },
  length: {
    sizes: [1024, 2048, 4096, 8192, 16_384],
    at: (length) => ({ ...PRUNED, job: 'dense', length, blocks: 1 }),
    time: { of: 'ours', bar: 2, stretch: 1.5 },
    memory: { of: 'ours', bar: 1.1, stretch: 1 },
  },
};

const ROUNDS = 2;

/**
 * Exponents: the slope of least squares of log seconds over log size. Seconds are those of the processor on one thread, the least of the rounds
 * at each size; memory is what the largest resident set has over the process once the model is open and its text tokenised.
 */
export function growthRows(growing: Growing) {
  const { sizes, at, time, memory } = GROWTHS[growing];
  return async ({ models, note, options }: BenchContext): Promise<readonly Row[]> => {
    const rounds = options.rounds ?? ROUNDS;
    const least = sizes.map(() => ({ seconds: Infinity, memory: Infinity }));
    for (let round = 1; round <= rounds; round++) {
      for (const [i, size] of sizes.entries()) {
        const found = await measure(models, at(size));
        least[i] = {
          seconds: Math.min(least[i]!.seconds, found.seconds),
          memory: Math.min(least[i]!.memory, found.memory),
        };
        const figures = `${found.seconds.toFixed(2)} s of CPU, ${found.memory.toFixed(0)} MiB`;
        note(`growth in ${growing}, round ${round} of ${rounds}: ${size}: ${figures}`);
      }
    }
    const row = (what: string, values: readonly number[], goal: Goal): Row => {
      const steps = values
        .slice(1)
        .map((_, i) => leastSquaresSlope(logs(sizes.slice(i, i + 2)), logs(values.slice(i, i + 2))));
      return {
        work: `exponent of ${what} in ${growing}, ${sizes[0]} to ${sizes.at(-1)}`,
        ours: Number(leastSquaresSlope(logs(sizes), logs(values)).toFixed(3)),
        ...{ peer: null, ratio: null, unit: '', goal },
        range: [Math.min(...steps), Math.max(...steps)],
      };
    };
    return [
      row(
        'time',
        least.map(({ seconds }) => seconds),
        time,
      ),
      ...(memory
        ? [
            row(
              'memory',
              least.map((one) => one.memory),
              memory,
            ),
          ]
        : []),
    ];
  };
}

/** Words of a text that is long enough for the most blocks. */
const WORDS = 120_000;

async function measure(models: BenchContext['models'], { pairs, layers, job, ...sizes }: Sizes) {
  const { folder, text } = await models.generate(
    `growth, ${layers} layers`,
    { ...SHAPES.growth, depth: layers },
    WORDS,
  );
  const plan = planOf({ job, model: folder, text, calibration: text, ...sizes }, 1);
  const evaluations = plan.evaluations.flatMap((evaluation) =>
    Array.from({ length: pairs }, (_, i) => ({
      ...evaluation,
      // No two alike, so that none is spared by another.
      sparsity: { kind: 'unstructured' as const, share: 0.3 + (0.4 * i) / pairs },
    })),
  );
  const { answer } = await runInChild({ kind: 'evaluate', plan: { ...plan, evaluations }, processor: true });
  const { seconds, memoryBefore, peakMemory } = answer as unknown as Evaluated & ChildFacts;
  return { seconds, memory: peakMemory - memoryBefore };
}

interface Evaluated {
  readonly seconds: number;
  readonly memoryBefore: number;
}

function logs(values: readonly number[]): readonly number[] {
  return values.map(Math.log);
}
