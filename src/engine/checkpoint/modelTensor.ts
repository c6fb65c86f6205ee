import type { ElementType } from './elementTypes.ts';
import type { TensorEntry } from './safetensors.ts';

/** A tensor of a model under one name: one that a file holds, or what some of a file's tensors make. */
export interface ModelTensor {
  /** Type of its values: the file's own, or what they are rounded to when they are computed. An export has this one, too. */
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** The file that errors name. */
  readonly file: string;
  readonly values: TensorValues;
}

/** Where the values come from. Nothing is computed before it is read, and then only the rows that are. */
export type TensorValues =
  | { readonly kind: 'stored'; readonly entry: TensorEntry }
  /** weight · mask, element by element; the mask has zeros and ones alone. */
  | { readonly kind: 'masked'; readonly weight: TensorEntry; readonly mask: TensorEntry }
  /** weight · scale in float32, one scale for each `block` [rows, columns] of the matrix, those at its edges cut. */
  | {
      readonly kind: 'scaled';
      readonly weight: TensorEntry;
      readonly scale: TensorEntry;
      readonly block: readonly [rows: number, columns: number];
    }
  /** base + scaling · left · right, [rows, rank] and [rank, columns]; `transposed`: the factors are stored as [rank, rows] and [columns, rank]. */
  | {
      readonly kind: 'merged';
      readonly base: ModelTensor;
      readonly left: TensorEntry;
      readonly right: TensorEntry;
      readonly scaling: number;
      readonly transposed: boolean;
    };

/** A tensor as a file holds it. */
export function storedTensor(entry: TensorEntry): ModelTensor {
  return { dtype: entry.dtype, shape: entry.shape, file: entry.file, values: { kind: 'stored', entry } };
}

/** What of the files a tensor is made of. */
export function storedParts({ values }: ModelTensor): readonly TensorEntry[] {
  switch (values.kind) {
    case 'stored':
      return [values.entry];
    case 'masked':
      return [values.weight, values.mask];
    case 'scaled':
      return [values.weight, values.scale];
    case 'merged':
      return [...storedParts(values.base), values.left, values.right];
  }
}
