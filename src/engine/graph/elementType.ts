/** Element types inside a program. int64 is for indices alone: arithmetic on it would fall back to the CPU on WebGPU. */
export type ElementType = 'float32' | 'float16' | 'int32' | 'int64' | 'bool';
