import os from 'node:os';
import { readSystemFile } from '../../files/systemFile.ts';

/** The processor as the system names it, and the widest instructions of it that ONNX Runtime has kernels for, where the system tells. */
export function processorName(): string {
  const kernels = kernelsOf(readSystemFile('/proc/cpuinfo'));
  const model = os.cpus()[0]?.model.trim() ?? '';
  return `${model === '' ? 'unknown processor' : model} (${[process.arch, ...(kernels === undefined ? [] : [kernels])].join(', ')})`;
}

/**
 * Instructions by which the float32 kernels are chosen, the widest first, with the flags that all have to be there: `MLAS_PLATFORM` in
 * onnxruntime/core/mlas/lib/platform.cpp. AMX and the VNNIs choose kernels of integers alone, which no program here has. On ARM one kernel multiplies, but
 * where there is SME; SVE has its own for softmax and its like.
 */
const KERNELS: readonly (readonly [name: string, ...flags: string[]])[] = [
  ['avx512', 'avx512f'],
  ['avx2', 'avx2', 'fma'],
  ['avx', 'avx'],
  ['sse2', 'sse2'],
  ['sme', 'sme'],
  ['sve', 'sve'],
  ['neon', 'asimd'],
];

/** @param text of /proc/cpuinfo, of whose processors the first stands for all */
export function kernelsOf(text: string): string | undefined {
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1]?.split(/\s+/));
  return KERNELS.find(([, ...needed]) => needed.every((flag) => flags.has(flag)))?.[0];
}
