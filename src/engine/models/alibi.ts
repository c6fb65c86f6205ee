import { type AlibiPositions, type BlockShape, type FamilyConfig } from '../families/config.ts';

/**
 * What ALiBi adds to the scores of each head of a block, [heads][tokens] by the key's position. A head keeps its slope when others are removed.
 *
 * Slopes (Press et al. 2022, as BLOOM and Falcon compute them): of n = 2^⌊log₂ heads⌋ heads the powers 2^(−8i/n), i = 1 … n, and where there are more
 * heads every other power of those of 2n.
 */
export function alibiTable(
  positions: AlibiPositions,
  { heads, kvHeads }: Pick<FamilyConfig, 'heads' | 'kvHeads'>,
  shape: BlockShape,
  tokens: number,
): number[][] {
  const slopes = alibiSlopes(heads);
  const share = heads / kvHeads;
  const groups = shape.groups ?? Array.from({ length: shape.kvHeads }, (_, group) => group);
  const own = groups.flatMap((group) => slopes.slice(group * share, (group + 1) * share));
  const { scale, rounded } = positions;
  const at = rounded
    ? (slope: number, token: number): number => bfloat16(bfloat16(slope) * bfloat16(token))
    : (slope: number, token: number): number => Math.fround(slope) * token;
  return own.map((slope) => Array.from({ length: tokens }, (_, token) => scale * at(slope, token)));
}

function alibiSlopes(heads: number): number[] {
  const whole = 2 ** Math.floor(Math.log2(heads));
  const powers = (count: number): number[] => Array.from({ length: count }, (_, i) => 2 ** ((-8 * (i + 1)) / count));
  const between = powers(2 * whole).filter((_, i) => i % 2 === 0);
  return [...powers(whole), ...between.slice(0, heads - whole)];
}

const word = new DataView(new ArrayBuffer(4));

/** The nearest number of 8 bits; of two the even one. */
function bfloat16(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  word.setUint32(0, ((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000) >>> 0);
  return word.getFloat32(0);
}
