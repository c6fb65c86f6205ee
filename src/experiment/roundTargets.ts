/** What sizes can be rounded for: what a reader, or a type of weights, accepts of heads and channels (`sizeRules.ts`). */
export const ROUND_TARGETS = ['transformers', 'vllm', 'llama.cpp', 'q8_0', 'k-quants', 'tensor-cores'] as const;
export type RoundTarget = (typeof ROUND_TARGETS)[number];
