import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseSparsity } from '../../src/experiment/sparsity.ts';
import type { WeightSparsity } from '../../src/experiment/sparsitySchema.ts';
import { parseExpression } from '../../src/language/check/compile.ts';
import type { Expression } from '../../src/metric/expression.ts';
import type { MethodName } from '../structureStudy/methods.ts';

export const USAGE = `npm run study:recovery [-- --parts update,objective,metrics,structures] [--out FOLDER] and

  --seeds 3          seeds of the searches without and with an update
  --kl-seeds 5       seeds of the searches by perplexity and by divergence
  --population 50    --generations 20   --finalists 5   of each search (metrics and rates; finalists of metrics)
  --search-at 60%    sparsity of the searches
  --at 50%,60%,70%,2:4   sparsities of the table of metrics
  --evolved FORMULA      takes this for the best of the searches without an update, which then are not played for the table
  --rates 0.2,0.3,0.5    of the table of structures
  --blocks 32        of the fitness text     --unseen 64   blocks of the text that no search sees (0: all)
  --samples 16       for calibration         --threads 0
  --steps 1000       of policy gradient      --lora 0     steps of LoRA after each reconstruction; 0 leaves the column out
  --methods wanda-sp,owl,flap,self-pruner,evopress,policy-gradient   of the table of structures

update: metrics evolved without an update and under ADMM, all judged under ADMM on text that no search saw.
objective: metrics evolved by perplexity and by divergence, judged as masks alone on that text.
metrics: {magnitude, Wanda, Pruner-Zero, evolved, evolved under ADMM} × {none, SparseGPT, ADMM}.
structures: {Wanda-sp, OWL, FLAP, Self-Pruner, EvoPress, policy gradient} × {none, reconstruct, reconstruct + LoRA}.

Whatever is measured is kept in the folder (results.jsonl, measurements.jsonl): a study that was ended goes on from there. Tables go to
standard output and to recovery.md, all numbers to recovery.json.`;

/** Of the table of structures, in the order of its rows. */
export const STRUCTURE_METHODS = [
  'wanda-sp',
  'owl',
  'flap',
  'self-pruner',
  'evopress',
  'policy-gradient',
] as const satisfies readonly MethodName[];
export type StructureMethodName = (typeof STRUCTURE_METHODS)[number];

export const PARTS = ['update', 'objective', 'metrics', 'structures'] as const;
export type Part = (typeof PARTS)[number];

export interface RecoveryStudyOptions {
  readonly parts: readonly Part[];
  readonly out: string;
  readonly seeds: number;
  readonly klSeeds: number;
  readonly population: number;
  readonly generations: number;
  readonly finalists: number;
  readonly searchAt: WeightSparsity;
  readonly at: readonly WeightSparsity[];
  /** Of the searches without an update: the formula that is taken for their best, if one is given. */
  readonly evolved: Expression | undefined;
  readonly rates: readonly number[];
  readonly methods: readonly StructureMethodName[];
  readonly blocks: number;
  readonly unseen: number;
  readonly samples: number;
  readonly threads: number;
  readonly steps: number;
  readonly lora: number;
}

/** @throws RangeError for what no option takes */
export function recoveryStudyOptions(argv: readonly string[]): RecoveryStudyOptions | 'help' {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      parts: text(PARTS.join(',')),
      out: text(path.join('test-results', 'recovery-study')),
      ...{ seeds: text('3'), 'kl-seeds': text('5'), population: text('50'), generations: text('20') },
      ...{ finalists: text('5'), evolved: { type: 'string' }, methods: text(STRUCTURE_METHODS.join(',')) },
      ...{ 'search-at': text('60%'), at: text('50%,60%,70%,2:4'), rates: text('0.2,0.3,0.5') },
      ...{ blocks: text('32'), unseen: text('64'), samples: text('16'), threads: text('0') },
      ...{ steps: text('1000'), lora: text('0') },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const number = (name: keyof typeof values): number => {
    const value = Number(values[name]);
    if (!(Number.isInteger(value) && value >= 0)) throw new RangeError(`--${name} takes a whole number`);
    return value;
  };
  return {
    parts: values.parts.split(',').map(partOf),
    out: values.out,
    ...{ seeds: number('seeds'), klSeeds: number('kl-seeds') },
    ...{ population: number('population'), generations: number('generations') },
    finalists: number('finalists'),
    searchAt: sparsityOf(values['search-at']),
    at: values.at.split(',').map(sparsityOf),
    evolved: values.evolved === undefined ? undefined : parseExpression(values.evolved),
    methods: values.methods.split(',').map(methodOf),
    rates: values.rates.split(',').map(rateOf),
    ...{ blocks: number('blocks'), unseen: number('unseen'), samples: number('samples'), threads: number('threads') },
    ...{ steps: number('steps'), lora: number('lora') },
  };
}

function partOf(name: string): Part {
  const part = PARTS.find((each) => each === name);
  if (part === undefined) throw new RangeError(`--parts takes ${PARTS.join(', ')}, not ${name}`);
  return part;
}

function methodOf(name: string): StructureMethodName {
  const method = STRUCTURE_METHODS.find((each) => each === name);
  if (method === undefined) throw new RangeError(`--methods takes ${STRUCTURE_METHODS.join(', ')}, not ${name}`);
  return method;
}

function sparsityOf(text: string): WeightSparsity {
  const sparsity = parseSparsity(text);
  if (!sparsity) throw new RangeError(`60% or 2:4 is a sparsity, not ${text}`);
  return sparsity;
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate < 1)) throw new RangeError(`--rates takes shares such as 0.3, not ${text}`);
  return rate;
}
