import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { METHOD_NAMES, STRUCTURAL_NAMES, WEIGHT_NAMES, type MethodName } from './methods.ts';

export interface StudyOptions {
  /** Shares, ascending as given. */
  readonly rates: readonly number[];
  readonly methods: readonly MethodName[];
  readonly out: string;
  readonly seed: number;
  readonly threads: number;
  /** Calibration samples. */
  readonly samples: number;
  /** Blocks of the fitness text; and of the text that no search sees, 0 for all. */
  readonly blocks: number;
  readonly unseenBlocks: number;
  /** Of Self-Pruner; EvoPress has as many evaluations as these make. */
  readonly population: number;
  /** Mutated, and as many crossed-over configurations of an iteration. */
  readonly offspring: number;
  readonly generations: number;
  /** Of EvoPress: offspring of a generation, and by how much a switch changes rates. */
  readonly lambda: number;
  readonly levelStep: number;
  /** Of policy gradient: steps, masks of a step, learning rate. */
  readonly steps: number;
  readonly masks: number;
  readonly learningRate: number;
  readonly centre: 'average' | 'step';
}

export const USAGE = `npm run study:structure [-- --rates 20,30,40,50] [--methods ${STRUCTURAL_NAMES.join(',')}]
  [--out FOLDER] [--seed 0] [--threads N] [--samples 16] [--blocks 64] [--unseen-blocks 0]
  [--population 30] [--offspring 10] [--generations 20] [--lambda 32] [--level-step 0.05]
  [--steps 2000] [--masks 2] [--learning-rate 0.02] [--centre average|step]

Pruning of ../shared's checkpoint by each method at each rate: perplexity on the fitness text, which searches see (the first half
of WikiText-2's test text), and on the second half, which they do not. Without --methods heads, channels and layers go as a whole; single
weights go with --methods ${WEIGHT_NAMES.join(',')}. EvoPress has the evaluations of Self-Pruner, which are
population + 2 × offspring × generations; --lambda is the offspring of its generations, --level-step what its switches change rates by. What
is found is kept in the output folder, so a study can be played in parts and goes on where it was ended; the table has all that was
asked for.`;

/** @throws RangeError that says which option is wrong */
export function studyOptions(args: readonly string[]): StudyOptions | 'help' {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ rates: text('20,30,40,50'), methods: text(STRUCTURAL_NAMES.join(',')), seed: text('0') },
      ...{ out: text(path.join('test-results', 'structure')), threads: text(String(availableParallelism())) },
      ...{ samples: text('16'), blocks: text('64'), 'unseen-blocks': text('0') },
      ...{ population: text('30'), offspring: text('10'), generations: text('20') },
      ...{ lambda: text('32'), 'level-step': text('0.05') },
      ...{ steps: text('2000'), masks: text('2'), 'learning-rate': text('0.02'), centre: text('average') },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const number = (name: Exclude<keyof typeof values, 'help' | 'out' | 'methods' | 'rates' | 'centre'>): number => {
    const value = Number(values[name]);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new RangeError(`--${name} takes a number, not ${values[name]}`);
  };
  return {
    rates: values.rates.split(',').map(shareOf),
    methods: values.methods.split(',').map(methodOf),
    out: values.out,
    ...{ seed: number('seed'), threads: number('threads'), samples: number('samples') },
    ...{ blocks: number('blocks'), unseenBlocks: number('unseen-blocks') },
    ...{ population: number('population'), offspring: number('offspring'), generations: number('generations') },
    ...{ lambda: number('lambda'), levelStep: number('level-step') },
    ...{ steps: number('steps'), masks: number('masks'), learningRate: number('learning-rate') },
    centre: centreOf(values.centre),
  };
}

function centreOf(name: string): StudyOptions['centre'] {
  if (name === 'step' || name === 'average') return name;
  throw new RangeError(`--centre takes average or step, not ${name}`);
}

function shareOf(percent: string): number {
  const share = Number(percent) / 100;
  if (share > 0 && share < 1) return share;
  throw new RangeError(`--rates takes percentages, not ${percent}`);
}

function methodOf(name: string): MethodName {
  const found = METHOD_NAMES.find((method) => method === name);
  if (found) return found;
  throw new RangeError(`--methods takes ${METHOD_NAMES.join(', ')}, not ${name}`);
}
