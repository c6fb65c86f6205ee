/** The settings of an evaluation. Each has one row in {@link SETTINGS}, which drives flags, `.prune` properties and checks. */
export interface EvaluationSettings {
  readonly samples: number;
  readonly length: number;
  /** Tokens of a calibration sample; 0: as many as an evaluation block has. Read by {@link sampleLength}. */
  readonly calibrationLength: number;
  readonly offsets: 'even' | 'random';
  readonly seed: number;
  readonly group: 'row' | 'layer';
  readonly calibrate: 'sequential' | 'one-shot';
  readonly blocks: number;
  readonly device: DeviceChoice;
  readonly precision: 'float32' | 'float16';
  readonly threads: number;
}

export const DEVICES = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export type DeviceName = (typeof DEVICES)[number];
export type DeviceChoice = 'auto' | DeviceName;

export type SettingName = keyof EvaluationSettings;

export type SettingRow<Value> = {
  readonly default: Value;
  /** One line, for `--help`, hover and completion. */
  readonly documentation: string;
  /** Whether it can change the numbers beyond rounding (these are part of the fingerprint's inputs either way). */
  readonly decidesNumbers: boolean;
  /** Whether plans that were written before there was this setting mean its default. */
  readonly isLater?: true;
} & ([Value] extends [string]
  ? { readonly kind: 'choice'; readonly choices: readonly Value[] }
  : {
      readonly kind: 'integer';
      readonly minimum: number;
      readonly maximum: number;
      /** Whether 0 may be written as well: it stands for what the checkpoint says. */
      readonly orZero?: true;
    });

/** Whether a whole number is a value of a setting. */
export function isInRange(row: NumberRange, value: number): boolean {
  return (value >= row.minimum && value <= row.maximum) || (row.orZero === true && value === 0);
}

/** "0, or a whole number from 2 to 1048576": what a setting takes. */
export function rangeText({ minimum, maximum, orZero }: NumberRange, kind = 'a whole number'): string {
  return `${orZero ? '0, or ' : ''}${kind} from ${minimum} to ${maximum}`;
}

interface NumberRange {
  readonly minimum: number;
  readonly maximum: number;
  readonly orZero?: true;
}

export const SETTINGS: { readonly [Name in SettingName]: SettingRow<EvaluationSettings[Name]> } = {
  samples: {
    kind: 'integer',
    default: 128,
    minimum: 1,
    maximum: 65_536,
    decidesNumbers: true,
    documentation: 'calibration samples (papers: 128)',
  },
  length: {
    kind: 'integer',
    default: 0,
    minimum: 2,
    maximum: 1_048_576,
    orZero: true,
    decidesNumbers: true,
    documentation:
      'tokens of an evaluation block, and of a calibration sample that has no length of its own; 0 takes what the model was made for, at most 2048 (papers: 2048)',
  },
  calibrationLength: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: 1_048_576,
    decidesNumbers: true,
    isLater: true,
    documentation: 'tokens of a calibration sample; 0 takes as many as an evaluation block has',
  },
  offsets: {
    kind: 'choice',
    default: 'random',
    choices: ['even', 'random'],
    decidesNumbers: true,
    documentation: 'where calibration samples start: at even distances, or seeded at random',
  },
  seed: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    decidesNumbers: true,
    documentation: 'seed of the random offsets',
  },
  group: {
    kind: 'choice',
    default: 'row',
    choices: ['row', 'layer'],
    decidesNumbers: true,
    documentation:
      'weights that are compared with each other: one output row, or the whole matrix (papers: rows for Wanda, the matrix for magnitude)',
  },
  calibrate: {
    kind: 'choice',
    default: 'sequential',
    choices: ['sequential', 'one-shot'],
    decidesNumbers: true,
    documentation: 'inputs of a block come from the already pruned blocks before it, or all from the dense model',
  },
  blocks: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    decidesNumbers: true,
    documentation: 'evaluation blocks, from the start of the text; 0 takes the whole text',
  },
  device: {
    kind: 'choice',
    default: 'auto',
    choices: ['auto', ...DEVICES],
    decidesNumbers: false,
    documentation: 'where the programs run; auto takes the fastest that works, and says which',
  },
  precision: {
    kind: 'choice',
    default: 'float32',
    choices: ['float32', 'float16'],
    decidesNumbers: false,
    documentation: 'arithmetic of the forward pass; float16 on devices that have it, at half the memory',
  },
  threads: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: 1024,
    decidesNumbers: false,
    documentation: 'CPU threads; 0 takes every core',
  },
};

export const DEFAULT_SETTINGS: EvaluationSettings = Object.fromEntries(
  Object.entries(SETTINGS).map(([name, row]) => [name, row.default]),
) as unknown as EvaluationSettings;

/** Tokens of a calibration sample. */
export function sampleLength({
  length,
  calibrationLength,
}: Pick<EvaluationSettings, 'length' | 'calibrationLength'>): number {
  return calibrationLength || length;
}
