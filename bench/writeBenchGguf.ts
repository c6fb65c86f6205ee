import { rm } from 'node:fs/promises';
import type { GgufWeights } from '../src/experiment/ggufTypes.ts';
import { openCheckpoint } from '../src/engine/checkpoint/checkpoint.ts';
import { writeGguf } from '../src/engine/export/gguf/writeGguf.ts';

/** A checkpoint as llama.cpp reads it, in the place of what there was. */
export async function writeBenchGguf(folder: string, file: string, type: GgufWeights): Promise<void> {
  const checkpoint = await openCheckpoint(folder);
  try {
    await rm(file, { force: true });
    await writeGguf(checkpoint, file, type, () => Promise.resolve());
  } finally {
    checkpoint.close();
  }
}
