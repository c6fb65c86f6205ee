import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../../src/base/errors.ts';
import { makeFolders } from '../../src/files/makeFolders.ts';
import { removeTemporary, sweepTemporaries, temporaryBeside } from '../../src/files/temporary.ts';
import { type TensorToWrite, writeSafetensors } from '../../src/engine/checkpoint/safetensorsWriter.ts';
import type { Trainer } from './training/trainer.ts';

/** Files of the sample, by name: texts as they are, everything else as JSON. */
export type SampleFiles = Readonly<Record<string, string | Readonly<Record<string, unknown>>>>;

/** Writes files into the folder, which is made where it is missing. @throws EspalierError `io/write` */
export async function writeFiles(folder: string, files: SampleFiles): Promise<void> {
  await writing(folder, async () => {
    await makeFolders(folder);
    for (const [name, content] of Object.entries(files)) {
      const text = typeof content === 'string' ? content : `${JSON.stringify(content, undefined, 1)}\n`;
      await writeFile(path.join(folder, name), text);
    }
  });
}

/** Writes model.safetensors in bfloat16; the one that was there stays until the new one is whole. @throws EspalierError `io/write` */
export async function writeWeights(folder: string, weights: Awaited<ReturnType<Trainer['weights']>>): Promise<void> {
  const tensors = new Map<string, TensorToWrite>();
  for (const [name, tensor] of weights) tensors.set(name, { ...tensor, dtype: 'BF16' });
  const file = path.join(folder, 'model.safetensors');
  const temporary = temporaryBeside(file);
  await writing(folder, async () => {
    try {
      await sweepTemporaries(folder);
      await writeSafetensors(temporary, tensors);
      await rename(temporary, file);
    } finally {
      await removeTemporary(temporary);
    }
  });
}

async function writing(folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw new EspalierError(
      {
        code: 'io/write',
        operation: 'writing the sample',
        expected: 'a folder that can be written to',
        actual: cause instanceof Error ? cause.message : String(cause),
        remedy: 'Choose another folder with --out, or make room on the disk.',
        file: folder,
      },
      { cause },
    );
  }
}
