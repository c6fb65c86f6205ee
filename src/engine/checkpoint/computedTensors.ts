import { elementCount, type ElementType, isFloatType } from './elementTypes.ts';
import { type ModelTensor, storedTensor } from './modelTensor.ts';
import type { TensorEntry } from './safetensors.ts';

export interface ComputedTensors {
  /** By names as the files have them: `weight` where a file has `weight_orig` and `weight_mask`. */
  readonly tensors: ReadonlyMap<string, ModelTensor>;
  /** How many of each kind were made of several. */
  readonly counts: Readonly<Record<'masked' | 'scaled', number>>;
}

/** Rows and columns of a matrix in 8 bits that have one scale, where neither config.json nor the scale's shape says it: DeepSeek's. */
export const SCALE_BLOCK = [128, 128] as const;

/**
 * The tensors that the stored ones make: weights times their masks (torch.nn.utils.prune), matrices in 8 bits times their scales. What has no
 * partner, or none that fits, stays what it is.
 *
 * @param block what has one scale where there are several along both axes
 */
export function computedTensors(
  stored: ReadonlyMap<string, TensorEntry>,
  block: readonly [rows: number, columns: number] = SCALE_BLOCK,
): ComputedTensors {
  const tensors = new Map<string, ModelTensor>();
  const counts = { masked: 0, scaled: 0 };
  const parts = new Set<string>();
  for (const [name, entry] of stored) {
    const plain = name.endsWith(ORIGINAL) ? name.slice(0, -ORIGINAL.length) : undefined;
    const mask = plain === undefined ? undefined : stored.get(`${plain}_mask`);
    if (plain !== undefined && mask && !stored.has(plain) && fits(entry, mask)) {
      tensors.set(plain, computed(entry, { kind: 'masked', weight: entry, mask }, roundedType(entry.dtype)));
      parts.add(`${plain}_mask`);
      counts.masked++;
      continue;
    }
    const scaled = scaledTensor(stored, name, entry, block);
    tensors.set(name, scaled?.tensor ?? storedTensor(entry));
    if (!scaled) continue;
    for (const part of scaled.parts) parts.add(part);
    counts.scaled++;
  }
  for (const name of parts) tensors.delete(name);
  return { tensors, counts };
}

const ORIGINAL = '_orig';

function fits({ dtype, shape }: TensorEntry, mask: TensorEntry): boolean {
  return isFloatType(dtype) && shape.join() === mask.shape.join();
}

/** Products are computed in float32: those of float64 tensors stay there. */
function roundedType(dtype: ElementType): ElementType {
  return dtype === 'F64' ? 'F32' : dtype;
}

function computed(weight: TensorEntry, values: ModelTensor['values'], dtype: ElementType): ModelTensor {
  return { dtype, shape: weight.shape, file: weight.file, values };
}

/** Both multiply, whatever they are called: `weight_scale_inv` undoes what quantising divided by. */
const SCALES = ['_scale', '_scale_inv'] as const;
/** Of activations, which are not quantised here. */
const ACTIVATION_SCALES = ['input_scale', 'activation_scale', 'input_scale_ub', 'output_scale'] as const;
const EIGHT_BITS: readonly ElementType[] = ['F8_E4M3', 'F8_E5M2', 'I8'];

function scaledTensor(
  stored: ReadonlyMap<string, TensorEntry>,
  name: string,
  weight: TensorEntry,
  block: readonly [number, number],
): { readonly tensor: ModelTensor; readonly parts: readonly string[] } | undefined {
  if (!name.endsWith('.weight') || !EIGHT_BITS.includes(weight.dtype) || weight.shape.length !== 2) return undefined;
  // With a zero point a weight is (stored − zero) · scale.
  if (stored.has(`${name}_zero_point`)) return undefined;
  const found = SCALES.map((suffix) => `${name}${suffix}`).filter((scale) => stored.has(scale));
  if (found.length !== 1) return undefined;
  const scale = stored.get(found[0]!)!;
  const size = isFloatType(scale.dtype) ? blockOf(weight.shape as readonly [number, number], scale, block) : undefined;
  if (!size) return undefined;
  const layer = name.slice(0, -'weight'.length);
  return {
    tensor: computed(weight, { kind: 'scaled', weight, scale, block: size }, 'F32'),
    parts: [...found, ...ACTIVATION_SCALES.map((suffix) => `${layer}${suffix}`)],
  };
}

/** What of a matrix has one scale: all, a row, a stretch of a row, or a block of rows and columns. */
function blockOf(
  [rows, columns]: readonly [number, number],
  { shape }: TensorEntry,
  [high, wide]: readonly [number, number],
): readonly [number, number] | undefined {
  const count = elementCount(shape);
  if (count === 1) return [rows, columns];
  const [down, across = 1, ...more] = shape;
  if (more.length > 0 || !down || !across) return undefined;
  if (down === Math.ceil(rows / high) && across === Math.ceil(columns / wide)) return [high, wide];
  return down === rows && columns % across === 0 ? [1, columns / across] : undefined;
}
