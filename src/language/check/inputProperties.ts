import { SETTINGS } from '../../experiment/settings.ts';
import { CORPUS_SETTINGS, evaluationSettings, TASK_ARGUMENTS } from './settingProperties.ts';
import type { Property } from './property.ts';

/** The properties of blocks that say what is worked on. */

export const MODEL: Property = {
  name: 'model',
  value: 'model',
  documentation: 'The checkpoint to prune: a `model` of the file, or a path in quotes.',
  example: 'model: tiny',
};
export const EVALUATE: Property = {
  name: 'evaluate',
  value: 'corpus',
  arguments: [...evaluationSettings('blocks', 'length'), ...CORPUS_SETTINGS],
  documentation: 'The text that perplexity is taken on: a `corpus` of the file, or a path in quotes.',
  example: 'evaluate: test',
};
/** Of a search. */
export const FITNESS: Property = {
  ...EVALUATE,
  documentation: 'The text whose perplexity is the fitness of what is found: a `corpus`, or a path in quotes.',
};
/** Behind a calibration text its samples are meant: there `length` is `calibrationLength`. */
const SAMPLE_LENGTH: Property = {
  name: 'length',
  value: 'setting',
  setting: { of: 'evaluation', name: 'calibrationLength', row: SETTINGS.length },
  documentation: `Tokens of a calibration sample. A whole number from ${SETTINGS.length.minimum} to ${SETTINGS.length.maximum}. Without it as many as an evaluation block has.`,
  example: 'length: 2048',
};

export const CALIBRATE: Property = {
  name: 'calibrate',
  value: 'corpus',
  arguments: [
    ...evaluationSettings('samples'),
    SAMPLE_LENGTH,
    ...evaluationSettings('offsets', 'seed'),
    ...CORPUS_SETTINGS,
  ],
  documentation:
    'The text that calibration samples are cut from: a `corpus` of the file, or a path in quotes. Needed by every operand but the weights.',
  example: 'calibrate: calib (samples: 128, length: 2048, seed: 0)',
};
/** Behind the text of G its own samples are meant. */
const GRADIENT_ARGUMENTS = (
  [
    ['samples', 'gradientSamples', 'samples: 128'],
    ['length', 'gradientLength', 'length: 2048'],
    ['offsets', 'gradientOffsets', 'offsets: python'],
  ] as const
).map(([name, setting, example]): Property => {
  const row = SETTINGS[setting];
  const documentation = `${row.documentation[0]!.toUpperCase()}${row.documentation.slice(1)}.`;
  return { name, value: 'setting', setting: { of: 'evaluation', name: setting, row }, documentation, example };
});

export const GRADIENTS: Property = {
  name: 'gradients',
  value: 'corpus',
  arguments: [...GRADIENT_ARGUMENTS, ...CORPUS_SETTINGS],
  documentation:
    'The text that G is taken on, where that is another one than for calibration: a `corpus` of the file, or a path in quotes.',
  example: 'gradients: train (samples: 128, length: 2048, offsets: python)',
};
export const PRUNE: Property = {
  name: 'prune',
  value: 'prunings',
  documentation:
    'What to prune with, one evaluation each. Metrics remove single weights: names, calls or whole expressions, and `weights(wanda, owl)` where blocks lose different shares. `structure(wanda-sp)` removes whole heads and channels. Behind `then` stands what becomes of the weights that stay: `wanda then admm`, `structure(wanda-sp) then reconstruct`; `sparsegpt` alone chooses its own mask.',
  example: 'prune: wanda, wanda then admm, sparsegpt, structure(wanda-sp) then reconstruct',
};
export const AT: Property = {
  name: 'at',
  value: 'sparsities',
  documentation:
    'How much to remove, one evaluation each: a percentage of every group, or N:M (N of every M kept); of whole components also what the model may cost: `1.5x faster`, `1.5x faster decode`, `40% fewer parameters`, `2 GB`.',
  example: 'at: 50%, 2:4',
};

const TEST: Property = {
  name: 'test',
  value: 'corpus',
  arguments: CORPUS_SETTINGS,
  documentation:
    'A text that the search never sees: the best that it finds and the baselines are evaluated on it at the end. A `corpus` of the file, or a path in quotes.',
  example: 'test: test',
};
const SHARE: Property = {
  name: 'at',
  value: 'share',
  documentation:
    'Share of the blocks’ weights that goes: a percentage, or what the model may cost: `1.5x faster`, `1.5x faster decode`, `40% fewer parameters`, `2 GB`. Default: `50%`.',
  example: 'at: 30%',
};

export const RECOVER: Property = {
  name: 'recover',
  value: 'recovery',
  documentation:
    'What is trained after pruning, on `train`: `lora`, thin matrices beside the linear layers, or `norms`, the norms and biases alone. Settings stand in parentheses.',
  example: 'recover: lora (steps: 300, rate: 0.0001)',
};
export const TRAIN: Property = {
  name: 'train',
  value: 'corpus',
  arguments: CORPUS_SETTINGS,
  documentation:
    'What `recover` trains on: a `corpus` of the file, or a path in quotes; a text, a data set, or instruction pairs in Alpaca’s layout (`instruction`, `input`, `output`).',
  example: 'train: "train.txt"',
};
export const VALIDATE: Property = {
  name: 'validate',
  value: 'corpus',
  arguments: CORPUS_SETTINGS,
  documentation:
    'The text that a recovery is watched on while it trains, and that decides what is kept. Without it the end of `train` is held out.',
  example: 'validate: "valid.txt"',
};

export const TASKS_ASKED: Property = {
  name: 'tasks',
  value: 'tasks',
  arguments: TASK_ARGUMENTS,
  documentation:
    'Questions that every model is asked, beside its perplexity or without `evaluate` instead of it: tasks of lm-evaluation-harness, `seven` for those of Wanda’s table, a subject as `mmlu_astronomy`, or a `task` of the file. Settings of a task stand in parentheses.',
  example: 'tasks: seven, piqa (shots: 5, limit: 100)',
};

/** Of a search: its candidates are chosen by the fitness all the same. */
export const FINALISTS_ASKED: Property = {
  ...TASKS_ASKED,
  documentation:
    'Questions that what the search has found and its baselines are asked at the end, beside their perplexity: tasks of lm-evaluation-harness, `seven` for those of Wanda’s table, a subject as `mmlu_astronomy`, or a `task` of the file. Candidates are chosen without them, but for `objective: tasks`. Settings of a task stand in parentheses.',
};

/** What follows each candidate's mask. @param updates what candidates remove */
const update = (updates: NonNullable<Property['updates']>, example: string): Property => ({
  name: 'update',
  value: 'update',
  updates,
  documentation:
    'What becomes of the weights that stay, before the fitness of a candidate is taken: candidates are judged by what they are good for under it. Default: nothing.',
  example,
});

/** What only a search for metrics says: its texts, its sparsity, and what its trees are made of. */
export const METRIC_SEARCH_INPUTS: readonly Property[] = [
  TEST,
  {
    name: 'at',
    value: 'sparsity',
    documentation: 'How much candidates remove: one percentage of every group, or N:M. Default: `50%`.',
    example: 'at: 60%',
  },
  {
    name: 'operands',
    value: 'operands',
    documentation:
      'What the leaves of the trees can be. Default: `W, X, G`, and the operands of the metrics in `from`.',
    example: 'operands: W, X, G',
  },
  {
    name: 'operations',
    value: 'operations',
    documentation: 'What the other nodes of the trees can be. Default: Pruner-Zero’s operations.',
    example: 'operations: mul, add, sqrt, abs, mms',
  },
  {
    name: 'from',
    value: 'metrics',
    documentation: 'Metrics that the first generation starts from; the rest of it is random. Default: none.',
    example: 'from: wanda, abs(W) * X',
  },
  {
    name: 'baselines',
    value: 'metrics',
    documentation:
      'Metrics that the search is compared with; they never enter the population. Default: magnitude, Wanda, first-order Taylor and the published Pruner-Zero metric, as far as the operands allow.',
    example: 'baselines: wanda, abs(W)',
  },
  update('weights', 'update: admm (iterations: 20)'),
];

/** What only a search for layer-wise rates says. */
export const RATE_SEARCH_INPUTS: readonly Property[] = [
  TEST,
  SHARE,
  {
    name: 'target',
    value: 'target',
    documentation:
      'What the rates say how much to remove of: whole heads and channels by a method or a metric (`wanda-sp`, `mine`), or single weights by a metric (`weights(wanda)`). Default: `wanda-sp`.',
    example: 'target: wanda-sp',
  },
  {
    name: 'baselines',
    value: 'rates',
    documentation:
      'Rates that the search is compared with: `uniform`, `owl`, `owl(multiple: 5, spread: 0.08)`, or a list with one rate for each block. Default: `uniform, owl`.',
    example: 'baselines: uniform, owl, [0.2, 0.3, 0.4, 0.3]',
  },
  update('any', 'update: reconstruct'),
];

/** What only a search for masks says. */
export const MASK_SEARCH_INPUTS: readonly Property[] = [
  TEST,
  SHARE,
  {
    name: 'score',
    value: 'score',
    documentation:
      'What keep-probabilities start from where `initial` is `metric`: a method such as `wanda-sp`, or a metric. Default: `wanda-sp`.',
    example: 'score: wanda-sp',
  },
  {
    name: 'baselines',
    value: 'structures',
    documentation:
      'Structures that the search is compared with: methods, metrics, or `structure(flap, global)` where blocks lose different shares. Default: `wanda-sp`, and the score that the search starts from.',
    example: 'baselines: wanda-sp, taylor, structure(flap, global)',
  },
  update('structures', 'update: reconstruct'),
];
