import { LIMITS } from './configLimits.ts';
import { ConfigFields } from './configFields.ts';
import type { RopeScaling, RotaryPositions } from './config.ts';

const PARTIAL = 'partial_rotary_factor';

/**
 * Rotary positions of config.json, in the spellings of transformers 4 (`rope_theta` beside `rope_scaling`, whose kind is
 * called `type` or `rope_type`) and 5 (`rope_parameters` holds all of it).
 */
export function readRotaryPositions(
  config: ConfigFields,
  {
    headDim,
    maxPositions,
    base = 'rope_theta',
    theta = 10_000,
    share,
    objects,
    interleaved,
    kinds,
    originalPositions = maxPositions,
  }: RotaryOptions,
): RotaryPositions {
  const rope = mergeSpellings(config, objects?.(config));
  const dims = share ? partOf(headDim, rope, config, share) : headDim;
  if (!share) for (const fields of [config, rope]) checkPartialRotation(fields);
  const range = { minimum: 1 + Number.EPSILON, maximum: 1e15 };
  const inRope = rope.value('rope_theta') !== undefined;
  const scaling = readScaling(rope, config, { dims, maxPositions, originalPositions });
  if (kinds && !kinds.includes(scaling.kind)) throw rope.wrong('rope_type', `one of ${namesOf(kinds)} in this family`);
  return {
    kind: 'rotary',
    dims,
    ...(interleaved && { interleaved }),
    theta: inRope ? rope.number('rope_theta', range) : config.number(base, range, theta),
    scaling,
  };
}

export interface RotaryOptions {
  readonly headDim: number;
  readonly maxPositions: number;
  /** The field of transformers 4 with the base of the frequencies. */
  readonly base?: string;
  /** The base where none is said. */
  readonly theta?: number;
  /** Where the settings of transformers 4 and 5 are, if not in `rope_scaling` and `rope_parameters`. */
  readonly objects?: (config: ConfigFields) => RopeObjects;
  readonly interleaved?: boolean;
  /** The field with the share of a head's features that are turned, in families that turn a part, and what it is when not said. */
  readonly share?: { readonly field: string; readonly fallback: number };
  /** The scalings that there are in the family, where not all. */
  readonly kinds?: readonly RopeScaling['kind'][];
  /** `original_max_position_embeddings` where the file has none; `maxPositions` where this is not given. */
  readonly originalPositions?: number;
}

function namesOf(kinds: readonly RopeScaling['kind'][]): string {
  return Object.keys(KINDS)
    .filter((name) => kinds.includes(KINDS[name]!))
    .join(', ');
}

function partOf(
  headDim: number,
  rope: ConfigFields,
  config: ConfigFields,
  { field, fallback }: NonNullable<RotaryOptions['share']>,
): number {
  const inRope = rope.value(PARTIAL) !== undefined;
  const [fields, name] = inRope ? [rope, PARTIAL] : [config, field];
  const dims = Math.floor(headDim * fields.number(name, { minimum: 0, maximum: 1 }, fallback));
  // Rotation turns pairs of features.
  if (dims < 2 || dims % 2 !== 0)
    throw fields.wrong(name, `so that an even number of a head’s ${headDim} features turn`);
  return dims;
}

interface RopeObjects {
  readonly older: ConfigFields | undefined;
  readonly newer: ConfigFields | undefined;
}

/** Where both objects are there, they must not contradict each other. */
function mergeSpellings(
  config: ConfigFields,
  { older, newer }: RopeObjects = { older: config.object('rope_scaling'), newer: config.object('rope_parameters') },
): ConfigFields {
  const merged: Record<string, unknown> = {};
  for (const fields of [newer, older]) {
    for (const name of fields?.names ?? []) {
      const value = fields!.value(name);
      if (value === undefined) continue;
      if (!KEYS.has(name)) throw fields!.wrong(name, `absent: only ${[...KEYS].join(', ')} are known`);
      const key = name === 'type' ? 'rope_type' : name;
      if (merged[key] !== undefined && JSON.stringify(merged[key]) !== JSON.stringify(value)) {
        throw fields!.wrong(name, `${JSON.stringify(merged[key])}, as it is written elsewhere in the file`);
      }
      merged[key] = value;
    }
  }
  return new ConfigFields(config.file, merged, older ? 'rope_scaling.' : 'rope_parameters.');
}

/** A key outside of these might change numbers in a way that is not known here. */
const KEYS: ReadonlySet<string> = new Set([
  'type',
  'rope_type',
  'rope_theta',
  PARTIAL,
  'factor',
  'original_max_position_embeddings',
  'attention_factor',
  'beta_fast',
  'beta_slow',
  'mscale',
  'mscale_all_dim',
  'truncate',
  'short_factor',
  'long_factor',
  'low_freq_factor',
  'high_freq_factor',
  // Written by the authors of YaRN; nothing reads it.
  'finetuned',
]);

function checkPartialRotation(fields: ConfigFields): void {
  if (fields.number(PARTIAL, FINITE, 1) === 1) return;
  throw fields.wrong(PARTIAL, '1', 'Choose a checkpoint that rotates whole heads.');
}

function readScaling(rope: ConfigFields, config: ConfigFields, sizes: Sizes): RopeScaling {
  const kind = rope.choice('rope_type', KINDS, 'default');
  return READ[kind]({ rope, config, ...sizes });
}

/** transformers' names. `su` is what LongRoPE was called at first. */
const KINDS: Readonly<Record<string, RopeScaling['kind']>> = {
  default: 'none',
  linear: 'linear',
  dynamic: 'dynamic',
  yarn: 'yarn',
  longrope: 'longrope',
  su: 'longrope',
  llama3: 'llama3',
};

interface Sizes {
  /** Features of a head that are turned. */
  readonly dims: number;
  readonly maxPositions: number;
  readonly originalPositions: number;
}

interface Source extends Sizes {
  readonly rope: ConfigFields;
  readonly config: ConfigFields;
}

const READ: { readonly [Kind in RopeScaling['kind']]: (source: Source) => Extract<RopeScaling, { kind: Kind }> } = {
  none: () => ({ kind: 'none' }),
  linear: ({ rope }) => ({ kind: 'linear', factor: rope.number('factor', FACTOR) }),
  dynamic: readDynamic,
  yarn: readYarn,
  longrope: readLongRope,
  llama3: readLlama3,
};

/** Grows with texts longer than `max_position_embeddings`; the original length in the object is not looked at. */
function readDynamic({ rope, config, dims, maxPositions }: Source): Extract<RopeScaling, { kind: 'dynamic' }> {
  // The exponent of the base is dims / (dims − 2).
  if (dims <= 2) throw config.wrong('head_dim', 'more than 2 with dynamic scaling');
  return { kind: 'dynamic', factor: rope.number('factor', FACTOR), originalPositions: maxPositions };
}

function readYarn(source: Source): Extract<RopeScaling, { kind: 'yarn' }> {
  const { rope } = source;
  const originalPositions = readOriginalPositions(source);
  const factor = readFactor(source, originalPositions);
  const betaFast = orDefault(rope, 'beta_fast', 32);
  const betaSlow = orDefault(rope, 'beta_slow', 1);
  if (betaFast <= betaSlow) throw rope.wrong('beta_fast', `more than beta_slow (${betaSlow})`);
  return {
    kind: 'yarn',
    factor,
    originalPositions,
    betaFast,
    betaSlow,
    attentionFactor: rope.number('attention_factor', POSITIVE, yarnAttentionFactor(rope, factor)),
    truncate: rope.boolean('truncate', true),
  };
}

/** `0.1 · ln(factor) + 1`; with both mscales (DeepSeek's variant) the quotient of the two weighted ones. */
function yarnAttentionFactor(rope: ConfigFields, factor: number): number {
  const weighted = (weight: number): number => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  const scale = rope.number('mscale', FINITE, 0);
  const scaleAllDimensions = rope.number('mscale_all_dim', FINITE, 0);
  if (scale === 0 || scaleAllDimensions === 0) return weighted(1);
  return weighted(scale) / weighted(scaleAllDimensions);
}

function readLongRope(source: Source): Extract<RopeScaling, { kind: 'longrope' }> {
  const { rope, dims } = source;
  const originalPositions = readOriginalPositions(source);
  const factor = readFactor(source, originalPositions);
  // √(1 + ln(factor) / ln(original positions))
  const byDefault = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalPositions));
  return {
    kind: 'longrope',
    shortFactor: rope.numbers('short_factor', dims / 2, POSITIVE),
    longFactor: rope.numbers('long_factor', dims / 2, POSITIVE),
    originalPositions,
    attentionFactor: rope.number('attention_factor', POSITIVE, byDefault),
  };
}

function readLlama3(source: Source): Extract<RopeScaling, { kind: 'llama3' }> {
  const { rope } = source;
  const lowFrequencyFactor = rope.number('low_freq_factor', POSITIVE);
  const highFrequencyFactor = rope.number('high_freq_factor', POSITIVE);
  if (highFrequencyFactor <= lowFrequencyFactor) {
    throw rope.wrong('high_freq_factor', `more than low_freq_factor (${lowFrequencyFactor})`);
  }
  return {
    kind: 'llama3',
    factor: rope.number('factor', FACTOR),
    lowFrequencyFactor,
    highFrequencyFactor,
    originalPositions: readOriginalPositions(source),
  };
}

/** Beside the object it wins over the one inside (Phi-3's spelling). */
function readOriginalPositions({ rope, config, originalPositions }: Source): number {
  const name = 'original_max_position_embeddings';
  const outside = config.value(name) !== undefined;
  return (outside ? config : rope).integer(name, LIMITS.positions, originalPositions);
}

/** Unwritten, the factor is by how much the positions were extended. */
function readFactor({ rope, maxPositions }: Source, originalPositions: number): number {
  return rope.number('factor', FACTOR, maxPositions / originalPositions);
}

/** Zero means unwritten in transformers. */
function orDefault(rope: ConfigFields, name: string, fallback: number): number {
  return rope.number(name, FINITE, fallback) || fallback;
}

const FACTOR = { minimum: 1, maximum: 1e6 };
const POSITIVE = { minimum: 1e-9, maximum: 1e9 };
const FINITE = { minimum: 0, maximum: 1e9 };
