/** Types that the matrices of a GGUF file can have. */
export const GGUF_TYPES = ['f32', 'f16', 'bf16', 'q8_0'] as const;
export type GgufWeights = (typeof GGUF_TYPES)[number];
