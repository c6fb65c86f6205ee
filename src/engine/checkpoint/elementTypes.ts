/** Element types that the safetensors format defines, with their width in bits. */
const WIDTHS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type ElementType = keyof typeof WIDTHS;

/** Types that weights have. The others may stand in a file, as long as no weight has one by itself. */
const FLOAT_TYPES = ['BF16', 'F16', 'F32', 'F64'] as const;
export type FloatType = (typeof FLOAT_TYPES)[number];

/** Types that what weights are computed from may have besides: weights before their scales, masks. */
const PART_TYPES = ['F8_E4M3', 'F8_E5M2', 'I8', 'U8', 'BOOL'] as const;
export type ReadableType = FloatType | (typeof PART_TYPES)[number];

export function isElementType(name: unknown): name is ElementType {
  return typeof name === 'string' && Object.hasOwn(WIDTHS, name);
}

export function isFloatType(type: ElementType): type is FloatType {
  return (FLOAT_TYPES as readonly ElementType[]).includes(type);
}

/** What to do where a weight has another type. */
export const UNQUANTISED = 'Convert the checkpoint to bfloat16 first: quantised weights cannot be pruned as they are.';

export function isReadableType(type: ElementType): type is ReadableType {
  return isFloatType(type) || (PART_TYPES as readonly ElementType[]).includes(type);
}

/** Bytes of `count` elements, or undefined where they do not fill whole bytes (sub-byte types are packed). */
export function byteLength(type: ElementType, count: number): number | undefined {
  const bits = count * WIDTHS[type];
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : undefined;
}

/**
 * Number of elements of a shape, or undefined when the product leaves the safe integers (as it does in lying headers).
 * A scalar (empty shape) has one element.
 */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const extent of shape) {
    count *= extent;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}
