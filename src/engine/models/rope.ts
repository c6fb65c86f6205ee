import type { FamilyConfig, RopeScaling, RotaryPositions } from '../families/config.ts';

/** Cosines and sines of the rotary angles, each [tokens, dims / 2], row t for position t. */
export interface RotaryTables {
  readonly shape: readonly [tokens: number, pairs: number];
  readonly cosines: Float32Array;
  readonly sines: Float32Array;
}

/**
 * Rotary position tables (Su et al. 2021) with the published context extensions. The angle of position t and pair i is
 * t · frequency_i with frequency_i = θ^(−2i/d), changed by the scaling; some scalings also multiply cosines and sines.
 *
 * @param tokens sequence length: `dynamic` and `longrope` depend on it
 * @param maxPositions the config's max_position_embeddings
 */
export function rotaryTables(
  { dims, theta, scaling }: RotaryPositions,
  tokens: number,
  maxPositions: number,
): RotaryTables {
  const pairs = dims / 2;
  const frequencies = scaledFrequencies(theta, scaling, dims, tokens, maxPositions);
  const magnitude = scaling.kind === 'yarn' || scaling.kind === 'longrope' ? scaling.attentionFactor : 1;
  const cosines = new Float32Array(tokens * pairs);
  const sines = new Float32Array(tokens * pairs);
  for (let position = 0; position < tokens; position++) {
    for (let pair = 0; pair < pairs; pair++) {
      const angle = position * frequencies[pair]!;
      cosines[position * pairs + pair] = Math.cos(angle) * magnitude;
      sines[position * pairs + pair] = Math.sin(angle) * magnitude;
    }
  }
  return { shape: [tokens, pairs], cosines, sines };
}

/** Texts of one class have the same angles at the same positions in every block, however long they are. @param tokens of the text */
export function rotationClass(
  { positions, rotations = [], maxPositions }: Pick<FamilyConfig, 'positions' | 'rotations' | 'maxPositions'>,
  tokens: number,
): string {
  return [positions, ...rotations]
    .map((rotation) => (rotation?.kind === 'rotary' ? lengthClass(rotation.scaling, tokens, maxPositions) : 0))
    .join();
}

function lengthClass(scaling: RopeScaling, tokens: number, maxPositions: number): number {
  if (scaling.kind === 'dynamic') return tokens > maxPositions ? tokens : 0;
  return Number(scaling.kind === 'longrope' && tokens > scaling.originalPositions);
}

/** Of how many positions tables are made that are right for `tokens` of them: of more where that changes nothing, so that they serve many. */
export function tableLength(scaling: RopeScaling, tokens: number, maxPositions: number): number {
  const more = Math.max(64, 2 ** Math.ceil(Math.log2(tokens)));
  switch (scaling.kind) {
    case 'dynamic':
      return tokens > maxPositions ? tokens : Math.min(more, maxPositions);
    case 'longrope':
      return tokens > scaling.originalPositions ? more : Math.min(more, scaling.originalPositions);
    case 'none':
    case 'linear':
    case 'llama3':
    case 'yarn':
      return more;
  }
}

function scaledFrequencies(
  theta: number,
  scaling: RopeScaling,
  dims: number,
  tokens: number,
  maxPositions: number,
): number[] {
  const plain = frequenciesOf(theta, dims);
  switch (scaling.kind) {
    case 'none':
      return plain;
    case 'linear':
      return plain.map((frequency) => frequency / scaling.factor);
    case 'dynamic': {
      // NTK-aware: the base grows with the sequence beyond the trained length.
      if (tokens <= maxPositions) return plain;
      const stretch = (scaling.factor * tokens) / maxPositions - (scaling.factor - 1);
      return frequenciesOf(theta * stretch ** (dims / (dims - 2)), dims);
    }
    case 'llama3':
      return plain.map((frequency) => llama3Frequency(frequency, scaling));
    case 'yarn':
      return yarnFrequencies(plain, theta, dims, scaling);
    case 'longrope': {
      const factors = tokens > scaling.originalPositions ? scaling.longFactor : scaling.shortFactor;
      return plain.map((frequency, pair) => frequency / factors[pair]!);
    }
  }
}

function frequenciesOf(theta: number, dims: number): number[] {
  return Array.from({ length: dims / 2 }, (_, pair) => theta ** ((-2 * pair) / dims));
}

/** LLaMA 3.1: low frequencies are divided by the factor, high ones kept, those between interpolated. */
function llama3Frequency(frequency: number, scaling: Extract<RopeScaling, { kind: 'llama3' }>): number {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalPositions } = scaling;
  const rotations = (originalPositions * frequency) / (2 * Math.PI);
  if (rotations < low) return frequency / factor;
  if (rotations > high) return frequency;
  const keep = (rotations - low) / (high - low);
  return ((1 - keep) * frequency) / factor + keep * frequency;
}

/** What {@link rotaryTables} divides the frequency of each pair by. */
export function llama3Factors(
  theta: number,
  dims: number,
  scaling: Extract<RopeScaling, { kind: 'llama3' }>,
): Float32Array {
  return Float32Array.from(frequenciesOf(theta, dims), (plain) => plain / llama3Frequency(plain, scaling));
}

/** YaRN (Peng et al. 2023): pairs are interpolated by how many rotations they make in the original context. */
function yarnFrequencies(
  plain: readonly number[],
  theta: number,
  dims: number,
  scaling: Extract<RopeScaling, { kind: 'yarn' }>,
): number[] {
  const pairOf = (rotations: number): number =>
    (dims * Math.log(scaling.originalPositions / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
  const round = scaling.truncate ? { low: Math.floor, high: Math.ceil } : { low: Number, high: Number };
  const low = Math.max(round.low(pairOf(scaling.betaFast)), 0);
  let high = Math.min(round.high(pairOf(scaling.betaSlow)), dims - 1);
  if (low === high) high += 0.001;
  return plain.map((frequency, pair) => {
    const interpolate = Math.min(Math.max((pair - low) / (high - low), 0), 1);
    return (interpolate * frequency) / scaling.factor + (1 - interpolate) * frequency;
  });
}
