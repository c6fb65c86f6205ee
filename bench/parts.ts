import { existsSync } from 'node:fs';
import { backwardRows } from './backwardRows.ts';
import type { BenchContext } from './benchContext.ts';
import { compareWork, type ComparedWork } from './comparedWork.ts';
import { gemmRow } from './gemm.ts';
import { growthRows } from './growth.ts';
import { keystroke, maskMemory, maskStep, pruning, workerStart } from './absolute.ts';
import type { Row } from './report.ts';
import { BLOCKS, LENGTH, SAMPLES, SHARED_FILES } from './work.ts';

/** A part of the benchmark, by whose name it can be asked for alone. */
export interface Part {
  /** Whether it is done where none is named. */
  readonly byDefault: boolean;
  /** Whether it needs the reference checkpoint and its texts. */
  readonly reference: boolean;
  readonly rows: (context: BenchContext) => Promise<readonly Row[]>;
}

const REFERENCE = { model: '6m', length: LENGTH, blocks: BLOCKS, samples: SAMPLES, rounds: 5, tried: BLOCKS } as const;
const FASTER = { of: 'ratio', bar: 1.2, stretch: 1.5 } as const;
const SMALLER = { of: 'ratio', bar: 1, stretch: 2 } as const;

const COMPARED = {
  'dense-6m': {
    ...{ job: 'dense', ...REFERENCE, title: `dense perplexity, 6M, ${BLOCKS} blocks of ${LENGTH}` },
    // One and a half times the peer's memory at most.
    goals: { pass: FASTER, whole: FASTER, memory: { of: 'ratio', bar: 0.667, stretch: 1 } },
  },
  'wanda-6m': {
    ...{ job: 'wanda', ...REFERENCE },
    title: `sequential Wanda 50 %, 6M, ${SAMPLES} samples of ${LENGTH}, ${BLOCKS} blocks`,
    goals: { pass: { of: 'ratio', bar: 1.7, stretch: 2.3 }, memory: SMALLER },
  },
  'operands-6m': {
    ...{ job: 'operands', ...REFERENCE, title: `X and G operands, 6M, ${SAMPLES} samples of ${LENGTH}` },
    goals: { pass: { of: 'ratio', bar: 1.3, stretch: 2 }, memory: SMALLER },
  },
  'dense-110m': {
    ...{ job: 'dense', model: '110m', length: 512, blocks: 16, samples: 1, rounds: 3, tried: 4 },
    title: 'dense perplexity, 110M, 16 blocks of 512',
    goals: { pass: FASTER, whole: FASTER, memory: SMALLER },
  },
  'dense-tinyllama': {
    ...{ job: 'dense', model: 'tinyllama', length: 2048, blocks: 2, samples: 1, rounds: 2, tried: 1 },
    title: "dense perplexity, 6 blocks of TinyLlama's shape, 2 blocks of 2048",
    goals: { pass: FASTER, whole: FASTER },
  },
  'wanda-tinyllama': {
    ...{ job: 'wanda', model: 'tinyllama', length: 2048, blocks: 1, samples: 1, rounds: 1, tried: 1 },
    title: "sequential Wanda 50 %, 6 blocks of TinyLlama's shape, 1 sample and 1 block of 2048",
    // Random weights rank in near ties: rounding in one block turns some in the next. The peer's own runs are 3 % apart; one-shot it is ours within 1e-5.
    agreement: 5e-2,
    goals: { pass: { of: 'ratio', bar: 2, stretch: 3 } },
  },
} as const satisfies Readonly<Record<string, ComparedWork>>;

const compared = (name: keyof typeof COMPARED): Part => ({
  ...{ byDefault: true, reference: COMPARED[name].model === '6m' },
  rows: (context) => compareWork(COMPARED[name], context),
});
const alone = (rows: Part['rows'], { byDefault = true, reference = false } = {}): Part => ({
  byDefault,
  reference,
  rows,
});

/** In the order in which they are done. */
export const PARTS = {
  'dense-6m': compared('dense-6m'),
  'wanda-6m': compared('wanda-6m'),
  'operands-6m': compared('operands-6m'),
  'dense-110m': compared('dense-110m'),
  'gemm-110m': alone(gemmRow('110m', 'LLaMA of 110M', { length: LENGTH, blocks: 16, rounds: 3 })),
  'dense-tinyllama': compared('dense-tinyllama'),
  'wanda-tinyllama': compared('wanda-tinyllama'),
  'gemm-tinyllama': alone(
    gemmRow('tinyllama', "6 blocks of TinyLlama's shape", { length: 2048, blocks: 2, rounds: 2 }),
  ),
  'gemm-7b': alone(gemmRow('7b', 'a block of 7B shape', { length: 2048, blocks: 4, rounds: 2 })),
  backward: alone(({ options: { rounds = 2, threads }, note }) => backwardRows(rounds, threads, note)),
  pruning: alone(pruning),
  start: alone(workerStart),
  keystroke: alone(keystroke),
  'mask-step': alone(maskStep, { reference: true }),
  'mask-memory': alone(maskMemory),
  'growth-blocks': alone(growthRows('blocks'), { byDefault: false }),
  'growth-pairs': alone(growthRows('pairs'), { byDefault: false }),
  'growth-samples': alone(growthRows('samples'), { byDefault: false }),
  'growth-layers': alone(growthRows('layers'), { byDefault: false }),
  'growth-length': alone(growthRows('length'), { byDefault: false }),
} as const satisfies Readonly<Record<string, Part>>;
export type PartName = keyof typeof PARTS;
export const PART_NAMES = Object.keys(PARTS) as readonly PartName[];

/**
 * The parts that names, or beginnings of names up to a hyphen, stand for; those done by default where there are none.
 *
 * @returns a name that stands for no part, instead
 */
export function partsOf(names: readonly string[]): readonly PartName[] | { readonly unknown: string } {
  if (names.length === 0) return PART_NAMES.filter((part) => PARTS[part].byDefault);
  const standsFor = (name: string, part: string): boolean => part === name || part.startsWith(`${name}-`);
  const unknown = names.find((name) => !PART_NAMES.some((part) => standsFor(name, part)));
  if (unknown !== undefined) return { unknown };
  return PART_NAMES.filter((part) => names.some((name) => standsFor(name, part)));
}

/** A file that a part cannot do without and that is not there. */
export function missingFor({ reference }: Part): string | undefined {
  const { model, text, calibration } = SHARED_FILES;
  return reference ? [model, text, calibration].find((path) => !existsSync(path)) : undefined;
}
