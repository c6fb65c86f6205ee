import type { OracleConfig } from './config.ts';

/** How the rotary embedding turns the pairs of a head: pair i at position t by t · frequencies[i]. */
export interface Rotation {
  /** Radians a token, for each of the rotaryDims / 2 pairs. */
  readonly frequencies: readonly number[];
  /** Multiplies every cosine and sine (YaRN and LongRoPE raise the attention's temperature that way). */
  readonly magnitude: number;
}

/**
 * The rotation of a model for sequences of `length` tokens.
 *
 * RoPE: Su et al. 2021, θ_i = base^(−2i/d). The scalings stretch it for longer contexts, each in its own way.
 */
export function rotation(config: OracleConfig, length: number): Rotation {
  const { rotaryDims, theta, rope } = config;
  const pairs = Array.from({ length: rotaryDims / 2 }, (_, i) => i);
  const plain = (base: number) => pairs.map((i) => base ** ((-2 * i) / rotaryDims));
  switch (rope.type) {
    case 'default':
      return { frequencies: plain(theta), magnitude: 1 };
    case 'linear':
      return { frequencies: plain(theta).map((frequency) => frequency / rope.factor), magnitude: 1 };
    case 'dynamic': {
      // NTK-aware: the base grows with the sequence once that exceeds what the model was trained for.
      const stretch = Math.max(1, (rope.factor * length) / rope.trained - (rope.factor - 1));
      return { frequencies: plain(theta * stretch ** (rotaryDims / (rotaryDims - 2))), magnitude: 1 };
    }
    case 'llama3':
      return { frequencies: plain(theta).map((frequency) => llama3(frequency, rope)), magnitude: 1 };
    case 'yarn':
      return yarn(plain(theta), rope, rotaryDims, theta);
    case 'longrope': {
      const stretch = length > rope.trained ? rope.longFactor : rope.shortFactor;
      return { frequencies: plain(theta).map((frequency, i) => frequency / stretch[i]!), magnitude: rope.magnitude };
    }
  }
}

export type RopeConfig =
  | { readonly type: 'default' }
  | { readonly type: 'linear'; readonly factor: number }
  | { readonly type: 'dynamic'; readonly factor: number; readonly trained: number }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly trained: number;
      readonly lowFactor: number;
      readonly highFactor: number;
    }
  | {
      readonly type: 'yarn';
      readonly factor: number;
      readonly trained: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly magnitude: number;
      readonly truncate: boolean;
    }
  | {
      readonly type: 'longrope';
      readonly trained: number;
      readonly shortFactor: readonly number[];
      readonly longFactor: readonly number[];
      readonly magnitude: number;
    };

/**
 * LLaMA 3.1: wavelengths shorter than trained/highFactor stay, longer than trained/lowFactor are stretched by `factor`,
 * and those between are blended linearly in trained/wavelength.
 */
function llama3(frequency: number, rope: Extract<RopeConfig, { type: 'llama3' }>): number {
  const turns = (rope.trained * frequency) / (2 * Math.PI);
  if (turns > rope.highFactor) return frequency;
  if (turns < rope.lowFactor) return frequency / rope.factor;
  const kept = (turns - rope.lowFactor) / (rope.highFactor - rope.lowFactor);
  return kept * frequency + (1 - kept) * (frequency / rope.factor);
}

/**
 * YaRN (Peng et al. 2023): pairs that turn more than betaFast times in the trained context stay, those that turn less than
 * betaSlow times are stretched, with a linear ramp over the pair's index between. As Hugging Face has it: the ends of the ramp are
 * rounded outwards unless `truncate` is false, and kept inside [0, dims − 1].
 */
function yarn(
  plain: readonly number[],
  rope: Extract<RopeConfig, { type: 'yarn' }>,
  dims: number,
  theta: number,
): Rotation {
  // The (fractional) index of the pair that makes `turns` turns over the trained context.
  const pairOf = (turns: number) => (dims * Math.log(rope.trained / (2 * Math.PI * turns))) / (2 * Math.log(theta));
  const [fast, slow] = [pairOf(rope.betaFast), pairOf(rope.betaSlow)];
  const begin = Math.max(0, rope.truncate ? Math.floor(fast) : fast);
  const end = Math.min(dims - 1, rope.truncate ? Math.ceil(slow) : slow);
  const width = end === begin ? 0.001 : end - begin;
  const frequencies = plain.map((frequency, i) => {
    const stretched = Math.min(1, Math.max(0, (i - begin) / width));
    return (1 - stretched) * frequency + stretched * (frequency / rope.factor);
  });
  return { frequencies, magnitude: rope.magnitude };
}
