import { ROUND_TARGETS } from './roundTargets.ts';
import { defaultsOf } from './settingRow.ts';
import type { SettingsOf, SettingTable } from './settingRow.ts';

export const DEVICES = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export type DeviceName = (typeof DEVICES)[number];
export type DeviceChoice = 'auto' | DeviceName;

/** How samples are cut from a text. */
const OFFSETS = ['even', 'random', 'python', 'documents', 'documents-once'] as const;

/** The settings of an evaluation. */
export const SETTINGS = {
  samples: {
    kind: 'integer',
    default: 128,
    minimum: 1,
    maximum: 65_536,
    documentation: 'calibration samples (papers: 128)',
  },
  length: {
    kind: 'integer',
    default: 0,
    minimum: 2,
    maximum: 1_048_576,
    orZero: true,
    documentation:
      'tokens of an evaluation block, and of a calibration sample that has no length of its own; 0 takes what the model was made for, at most 2048 (papers: 2048)',
  },
  calibrationLength: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: 1_048_576,
    isLater: true,
    documentation: 'tokens of a calibration sample; 0 takes as many as an evaluation block has',
  },
  lengthLimit: {
    kind: 'integer',
    default: 2048,
    minimum: 0,
    maximum: 1_048_576,
    isLater: true,
    documentation:
      'tokens that a length of 0 takes at most; with 0 all that the model was made for, as the authors’ code does',
  },
  offsets: {
    kind: 'choice',
    default: 'random',
    choices: OFFSETS,
    documentation:
      'where calibration samples start: at even distances, seeded at random, or as the papers’ code draws them with Python’s generator: anywhere in the joined text (`python`), in a document that is long enough (`documents`), or in documents of which each is taken once (`documents-once`, LLM-Pruner’s)',
  },
  seed: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    documentation: 'seed of the random offsets',
  },
  gradientSamples: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: 65_536,
    isLater: true,
    documentation: 'samples that G is taken on; 0 takes as many as for calibration',
  },
  gradientLength: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: 1_048_576,
    isLater: true,
    documentation: 'tokens of such a sample; 0 takes as many as one for calibration has',
  },
  gradientOffsets: {
    kind: 'choice',
    default: 'calibration',
    choices: ['calibration', ...OFFSETS],
    isLater: true,
    documentation: 'where such samples start: drawn as those for calibration, or otherwise',
  },
  group: {
    kind: 'choice',
    default: 'row',
    choices: ['row', 'layer'],
    documentation:
      'weights that are compared with each other: one output row, or the whole matrix (papers: rows for Wanda, the matrix for magnitude)',
  },
  roundFor: {
    kind: 'choice',
    default: 'nothing',
    choices: ['nothing', ...ROUND_TARGETS],
    isLater: true,
    documentation:
      'what sizes are rounded for where whole heads and channels go, at nearly the same sparsity: a reader (`transformers`, `vllm`, `llama.cpp`), a type of weights (`q8_0`, `k-quants`), or multiples of 64 (`tensor-cores`)',
  },
  calibrate: {
    kind: 'choice',
    default: 'sequential',
    choices: ['sequential', 'one-shot'],
    documentation: 'inputs of a block come from the already pruned blocks before it, or all from the dense model',
  },
  blocks: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    documentation: 'evaluation blocks, from the start of the text; 0 takes the whole text',
  },
  device: {
    kind: 'choice',
    default: 'auto',
    choices: ['auto', ...DEVICES],
    decidesResult: false,
    documentation: 'where the programs run; auto takes the fastest that works, and says which',
  },
  precision: {
    kind: 'choice',
    default: 'float32',
    choices: ['float32', 'float16'],
    decidesResult: false,
    documentation: 'arithmetic of the forward pass; float16 on devices that have it, at half the memory',
  },
  threads: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: 1024,
    decidesResult: false,
    documentation: 'CPU threads; 0 takes every core',
  },
} as const satisfies SettingTable;

export type EvaluationSettings = SettingsOf<typeof SETTINGS>;
export type SettingName = keyof EvaluationSettings;
export const DEFAULT_SETTINGS: EvaluationSettings = defaultsOf(SETTINGS);

/**
 * How samples are taken: cut out of the rows joined to one text, at even distances or from random begins of our own generator or Python's; or
 * out of documents that Python's generator draws, with `documents-once` none twice.
 */
export type SampleSettings = Pick<EvaluationSettings, 'samples' | 'offsets' | 'seed'> & {
  /** Tokens of a sample. */
  readonly length: number;
};

/** Of the calibration. */
export function calibrationSettings(settings: EvaluationSettings): SampleSettings {
  const { samples, offsets, seed } = settings;
  return { samples, offsets, seed, length: sampleLength(settings) };
}

/** Of the samples that G is taken on. */
export function gradientSettings(settings: EvaluationSettings): SampleSettings {
  const { samples, offsets, seed, length } = calibrationSettings(settings);
  const { gradientSamples, gradientLength, gradientOffsets } = settings;
  return {
    samples: gradientSamples || samples,
    offsets: gradientOffsets === 'calibration' ? offsets : gradientOffsets,
    seed,
    length: gradientLength || length,
  };
}

/** Tokens of a calibration sample. */
export function sampleLength({
  length,
  calibrationLength,
}: Pick<EvaluationSettings, 'length' | 'calibrationLength'>): number {
  return calibrationLength || length;
}
