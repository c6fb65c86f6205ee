import path from 'node:path';
import { EspalierError, throwIfCancelled } from '../../../base/errors.ts';
import type { GgufWeights } from '../../../experiment/ggufTypes.ts';
import type { EvaluationPlan } from '../../../experiment/planSchema.ts';
import { type Checkpoint, openCheckpoint } from '../../checkpoint/checkpoint.ts';
import { prepareSweep, type EngineState } from '../../evaluation/prepareSweep.ts';
import { sweep } from '../../evaluation/sweep.ts';
import { BlockWeights } from '../../forward/blockWeights.ts';
import { fitsInMemory } from '../../forward/loadedModels.ts';
import { logitsOf } from '../../forward/logits.ts';
import { ModelPrograms } from '../../forward/modelPrograms.ts';
import type { StepHooks } from '../../forward/step.ts';
import type { Device } from '../../runtime/device.ts';
import { copyCompanions } from '../companions.ts';
import { writingStep } from '../writtenConfig.ts';
import { ggufModel } from './ggufModel.ts';
import { GgufReader } from './ggufReader.ts';
import { GGUF_FILE, requireForm, writeGguf, type WrittenGguf } from './writeGguf.ts';

/**
 * Found out before anything is computed: whether llama.cpp computes the family, makes its tokens, and sees as far as the evaluation does. What only the sizes
 * that are left decide is found out when they are known.
 *
 * @param length tokens of an evaluation block
 * @throws EspalierError `export/format`, `settings/invalid`, `checkpoint/tokenizer`
 */
export async function requireGguf(dense: Checkpoint, length: number): Promise<void> {
  const [{ contextLength }] = await requireForm(dense);
  const { maxPositions } = dense.config;
  if (length <= contextLength || contextLength === maxPositions) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'exporting to GGUF',
    expected: `a length of at most ${contextLength} tokens: the window of the model’s attention, which llama.cpp does not know`,
    actual: `a length of ${length}`,
    remedy: 'Choose a smaller length, or export to huggingface.',
  });
}

/** @param from folder of the pruned checkpoint, whose licence and tokenizer go along. @throws EspalierError as {@link writeGguf} */
export async function convertToGguf(
  from: string,
  to: string,
  type: GgufWeights | undefined,
  hooks: StepHooks,
): Promise<WrittenGguf> {
  const checkpoint = await openCheckpoint(from);
  try {
    const file = path.join(to, GGUF_FILE);
    const written = await writeGguf(checkpoint, file, type, (done, total) => writingStep(hooks, done, total)());
    await copyCompanions(from, to);
    return written;
  } finally {
    checkpoint.close();
  }
}

/** Logits of the last `rows` tokens, computed by what stands in the file alone. */
export async function ggufLogits(
  folder: string,
  device: Device,
  tokens: Int32Array,
  rows: number,
  step: () => Promise<void>,
): Promise<Float32Array> {
  return withModel(folder, device, (model) => logitsOf(model, device, tokens, rows, step));
}

/**
 * Perplexity, on the plan's text, of what stands in the file: weights as they were rounded, all else in the device's precision.
 *
 * @param checkpointFolder folder of the pruned checkpoint that it was made of, for its tokenizer
 */
export async function ggufPerplexity(
  folder: string,
  checkpointFolder: string,
  plan: EvaluationPlan,
  { signal, onProgress }: StepHooks,
  state: EngineState,
): Promise<number> {
  const hooks = { signal, onProgress };
  const step = async (): Promise<void> => {
    await new Promise(setImmediate);
    throwIfCancelled(signal, 'exporting');
  };
  const planned = { ...plan, model: checkpointFolder, evaluations: [] };
  const { inputs } = await prepareSweep(planned, { calibration: false, gradients: false }, hooks, state);
  return withModel(folder, inputs.device, async (model) => {
    const programs = await ModelPrograms.create(model.checkpoint.config, inputs.device, plan.settings.length);
    try {
      const checkpoint = { ...inputs.checkpoint, ...model.checkpoint };
      const ofFile = { ...inputs, checkpoint, weights: model.weights, programs, calibrationPrograms: programs };
      const { dense } = await sweep(ofFile, true, [], step);
      return Math.exp(dense!.loss);
    } finally {
      programs.dispose();
    }
  });
}

async function withModel<Result>(
  folder: string,
  device: Device,
  use: (model: {
    readonly checkpoint: ReturnType<typeof ggufModel>;
    readonly weights: BlockWeights;
  }) => Promise<Result>,
): Promise<Result> {
  const file = new GgufReader(path.join(folder, GGUF_FILE));
  try {
    const checkpoint = ggufModel(file);
    const weights = new BlockWeights(checkpoint, device, fitsInMemory(checkpoint.config) && 'again');
    try {
      return await use({ checkpoint, weights });
    } finally {
      weights.dispose();
    }
  } finally {
    file.close();
  }
}
