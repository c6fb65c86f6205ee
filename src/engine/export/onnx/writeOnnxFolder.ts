import { openCheckpoint } from '../../checkpoint/checkpoint.ts';
import type { StepHooks } from '../../forward/step.ts';
import { copyCompanions } from '../companions.ts';
import { writingStep } from '../writtenConfig.ts';
import { writeOnnx } from './onnxModel.ts';
import { onnxPositions } from './onnxPositions.ts';
import { writeTransformersJs } from './transformersJs.ts';

/**
 * Writes a pruned checkpoint as a folder that onnxruntime and transformers.js load.
 *
 * @param from the checkpoint's folder
 * @param to an empty folder, or one with files of other names
 * @param length tokens that a sequence may have at least, where the positions reach so far
 * @throws EspalierError `checkpoint/…`
 */
export async function writeOnnxFolder(from: string, to: string, length: number, hooks: StepHooks = {}): Promise<void> {
  const checkpoint = await openCheckpoint(from);
  try {
    const positions = onnxPositions(checkpoint.config, length);
    const files = await writeOnnx(checkpoint, to, positions, (done, total) => writingStep(hooks, done, total)());
    await copyCompanions(from, to);
    await writeTransformersJs(to, checkpoint, files);
  } finally {
    checkpoint.close();
  }
}
