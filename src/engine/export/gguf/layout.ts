import type { GgmlType } from './elements.ts';

/** A value of a GGUF file's metadata. */
export type GgufValue =
  | { readonly kind: 'uint32' | 'float32'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'int32s' | 'uint32s' | 'float32s'; readonly value: readonly number[] };

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** What the head of a file says of a tensor. */
export interface TensorInfo {
  readonly name: string;
  readonly type: GgmlType;
  /** Row-major, [rows, columns]: the file has it the other way round. */
  readonly shape: readonly number[];
}

export const MAGIC = 'GGUF';
export const VERSION = 3;

/** Where tensors begin: multiples of it. */
export function aligned(offset: number): number {
  return Math.ceil(offset / 32) * 32;
}

/** `enum gguf_type` of ggml's gguf.h. */
export const VALUE_TYPES = { uint32: 4, int32: 5, float32: 6, boolean: 7, string: 8, array: 9 } as const;
