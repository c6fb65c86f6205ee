import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { orCancelled } from '../../base/orCancelled.ts';
import type { Layout } from '../../experiment/exportFormats.ts';
import type { ExportReport, ExportTarget, Verification } from '../../experiment/exportSchema.ts';
import type { FreshEngine } from '../../experiment/freshEngine.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { requirePerplexity } from '../../experiment/resultSchema.ts';
import type { EvaluationResult, PerplexityResult } from '../../experiment/resultSchema.ts';
import { type Checkpoint, openCheckpoint } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../families/families.ts';
import { ESPALIER_KEY } from '../checkpoint/configBlocks.ts';
import { elementCount } from '../checkpoint/elementTypes.ts';
import { evaluatePlan } from '../evaluation/evaluatePlan.ts';
import type { EvaluationHooks } from '../evaluation/hooks.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import type { StepHooks } from '../forward/step.ts';
import { finalLogits } from '../forward/logits.ts';
import { allParameters } from '../families/families.ts';
import { writeNew } from '../../files/writeWhole.ts';
import { isModelled } from './huggingface/layouts.ts';
import { MODELING_FILE, MODELING_PYTHON } from './huggingface/modelingFile.ts';
import { copyCompanions } from './companions.ts';
import { convertToGguf, ggufPerplexity, requireGguf } from './gguf/exportGguf.ts';
import { MaskedWriter, type PrunedForm } from './maskedWriter.ts';
import { modelCard } from './modelCard.ts';
import { writeNewFolder } from './newFolder.ts';
import { onnxPositions } from './onnx/onnxPositions.ts';
import { writeOnnxFolder } from './onnx/writeOnnxFolder.ts';
import { requireLayout } from './readers/readersOfPlan.ts';
import { readersOf } from './readers/readersOf.ts';
import { RemovedWriter } from './removedWriter.ts';
import { precisionOf, requireSame, VERIFIED_ROWS } from './verify.ts';
import { writeJson } from './writeJson.ts';
import type { WrittenConfig } from './writtenConfig.ts';

/**
 * Evaluates the plan's only evaluation, writes the model that it pruned, and compares that, read back in another process, with the one
 * in memory. The folder is there when all this is done, or not at all.
 *
 * Single weights: zeros in place. Whole components: smaller matrices, no blocks where they were dropped. Kept weights are copied bit
 * by bit; one tensor's part is all that is ever held beside the evaluation. Updated weights are rounded to the checkpoint's types, and what
 * that does to the perplexity is measured on what was written; in ONNX they are float32.
 *
 * @throws EspalierError `export/exists`, `export/mismatch`, `io/write`, and what an evaluation throws
 */
export async function exportModel(
  plan: EvaluationPlan,
  target: ExportTarget,
  hooks: StepHooks,
  state: EngineState,
  startFresh: () => FreshEngine,
): Promise<ExportReport> {
  if (plan.evaluations.length !== 1) throw notOne(plan.evaluations.length);
  requireLayout(plan.evaluations[0], target.layout);
  const form = prunedForm(plan, target);
  const write: WriteModel = async (dense, folder) => {
    const { result, states, ...written } = await writePruned(plan, dense, folder, form, hooks, state, target.layout);
    return { ...written, result: requirePerplexity(result), states: states! };
  };
  return exportWritten(plan, target, write, hooks, state, startFresh);
}

/** Fills an empty folder with a checkpoint made of the dense one. */
export type WriteModel = (dense: Checkpoint, folder: string) => Promise<WrittenModel>;

/**
 * Makes an export of what is written as a checkpoint: measures what rounding did, converts it where ONNX or GGUF is asked for, and compares it, read back in
 * another process, with the model in memory.
 *
 * @param plan of its text the perplexity of what was rounded is taken
 * @throws EspalierError as {@link exportModel}, and what `write` throws
 */
export async function exportWritten(
  plan: EvaluationPlan,
  target: ExportTarget,
  write: WriteModel,
  hooks: StepHooks,
  state: EngineState,
  startFresh: () => FreshEngine,
): Promise<ExportReport> {
  return writeNewFolder(target.folder, async (temporary) => {
    const dense = await openCheckpoint(plan.model);
    try {
      const { format } = target;
      if (format === 'onnx') requirePositions(dense.config, plan.settings.length);
      if (format === 'gguf') await requireGguf(dense, plan.settings.length);
      // ONNX and GGUF are made from the pruned checkpoint, which is then not kept.
      const isConverted = format !== 'huggingface';
      const folder = isConverted ? path.join(temporary, 'checkpoint') : temporary;
      if (isConverted) await mkdir(folder);
      const { written, result, states, leftOut, roundedTo } = await write(dense, folder);
      let rounded: ExportReport['rounded'] =
        roundedTo.length > 0 ? { to: roundedTo, ...(await measureWritten(plan, folder, hooks, state)) } : undefined;
      let notes: readonly string[] = [];
      if (format === 'onnx') await writeOnnxFolder(folder, temporary, plan.settings.length, hooks);
      if (format === 'gguf') {
        const converted = await convertToGguf(folder, temporary, target.type, hooks);
        notes = converted.notes;
        if (converted.roundedTo.length > 0) {
          const perplexity = await ggufPerplexity(temporary, folder, plan, hooks, state);
          state.models.dispose();
          rounded = { to: [...converted.roundedTo], all: true, perplexity };
        }
      }
      if (isConverted) await rm(folder, { recursive: true });
      const verification = await verify(
        plan,
        { ...target, folder: temporary },
        states,
        rounded?.to ?? [],
        hooks,
        startFresh,
      );
      const report: ExportReport = {
        ...target,
        result,
        parameters: { dense: countParameters(dense.config), exported: countParameters(written.config) },
        bytes: 0,
        plain: !(ESPALIER_KEY in written.values),
        leftOut,
        readers: [...readersOf(written)],
        ...(rounded && { rounded }),
        ...(notes.length > 0 && { notes }),
        verification,
      };
      await writeNew(path.join(temporary, 'README.md'), modelCard(report, written.config));
      return { ...report, bytes: await sizeOfFolder(temporary) };
    } finally {
      dense.close();
    }
  });
}

/** What the evaluation computed for the last tokens of its first sequence. */
interface ReferenceStates {
  readonly tokens: Int32Array;
  readonly rows: number;
  readonly logits: Float32Array;
}

export interface WrittenModel {
  readonly written: WrittenConfig;
  readonly result: PerplexityResult;
  readonly states: ReferenceStates;
  readonly leftOut: readonly string[];
  readonly roundedTo: readonly string[];
}

/** The same where there may have been no text: nothing then to compare it by. */
type WrittenPruned = Omit<WrittenModel, 'result' | 'states'> & {
  readonly result: EvaluationResult;
  readonly states: ReferenceStates | undefined;
};

/** Nothing is rounded on the way to ONNX, which is float32, and to GGUF, which rounds once. */
function prunedForm({ evaluations: [evaluation] }: EvaluationPlan, { format }: ExportTarget): PrunedForm {
  if (!evaluation?.update) return 'masked';
  return format === 'huggingface' ? 'rounded' : 'float32';
}

/**
 * Evaluates, and fills a folder with what was pruned; nothing of it is compared with anything.
 *
 * @param form in which pruned and updated weights are written
 */
export async function writePruned(
  plan: EvaluationPlan,
  dense: Checkpoint,
  folder: string,
  form: PrunedForm,
  hooks: EvaluationHooks,
  state: EngineState,
  layout?: Layout,
): Promise<WrittenPruned> {
  let states: ReferenceStates | undefined;
  let removed: RemovedWriter | undefined;
  const masked = new MaskedWriter(dense, folder, form);
  try {
    const [result] = await evaluatePlan(
      plan,
      {
        ...hooks,
        onPruned: ({ tensor, weight }) => {
          masked.write(tensor, weight);
        },
        onRemoved: (components) => {
          removed = new RemovedWriter(dense, dense.values, components, folder, form, layout);
          hooks.onRemoved?.(components, 0);
        },
        onRefitted: ({ tensor, weight }) => {
          removed!.write(tensor, weight);
        },
        onFinal: async ({ batch, head }) => {
          const tokens = batch.ids[0]!;
          const rows = Math.min(tokens.length, VERIFIED_ROWS);
          const device = await state.devices.device(plan.settings);
          states = { tokens, rows, logits: await finalLogits(dense.config, device, batch, head, rows) };
        },
      },
      state,
    );
    const written = await (removed?.finish(hooks) ?? masked.finish(dense.values, hooks));
    await writeJson(path.join(folder, 'config.json'), written.values);
    if (isModelled(written.values)) await writeNew(path.join(folder, MODELING_FILE), MODELING_PYTHON);
    const leftOut = await copyCompanions(dense.tokenizerFolder, folder);
    return {
      written,
      result: result!,
      states,
      leftOut,
      roundedTo: [...(removed ?? masked).roundedTo].sort(),
    };
  } finally {
    masked.abandon();
    removed?.abandon();
  }
}

/** The perplexity of what lies in the folder, on the plan's text. */
async function measureWritten(
  plan: EvaluationPlan,
  folder: string,
  { signal, onProgress }: StepHooks,
  state: EngineState,
): Promise<{ perplexity: number }> {
  try {
    const [written] = await evaluatePlan({ ...plan, model: folder, evaluations: [] }, { signal, onProgress }, state);
    return { perplexity: requirePerplexity(written!).perplexity };
  } finally {
    // Its files are open, and the folder is still to be given its name.
    state.models.dispose();
  }
}

/** @throws EspalierError `export/mismatch` */
async function verify(
  { settings }: EvaluationPlan,
  target: ExportTarget,
  { tokens, rows, logits }: ReferenceStates,
  roundedTo: readonly string[],
  { signal, onProgress }: StepHooks,
  startFresh: () => FreshEngine,
): Promise<Verification> {
  onProgress?.({ stage: 'verifying', done: 0, total: 0, detail: 'reading it back in another process' });
  // Beside the model, so that a process that is killed leaves one folder and nothing elsewhere.
  const reference = path.join(target.folder, 'logits.f32');
  const fresh = startFresh();
  try {
    await writeFile(reference, new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
    const { device, precision, threads } = settings;
    const request = { ...target, tokens: [...tokens], rows, reference, settings: { device, precision, threads } };
    const verification = await orCancelled(fresh.verify(request, { signal }), signal, 'exporting');
    requireSame(verification, precisionOf(precision, roundedTo), target.folder);
    return verification;
  } finally {
    await fresh.dispose();
    await rm(reference, { force: true });
  }
}

function countParameters(config: ModelConfig): number {
  return allParameters(config).reduce((sum, { shape }) => sum + elementCount(shape)!, 0);
}

async function sizeOfFolder(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const found = await Promise.all(names.map((name) => stat(path.join(folder, name))));
  const sizes = found.map((entry) => (entry.isFile() ? entry.size : 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function requirePositions(config: ModelConfig, length: number): void {
  const positions = onnxPositions(config, length);
  if (length <= positions) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'exporting to ONNX',
    expected: `a length of at most ${positions} tokens, which the model’s positions reach`,
    actual: `a length of ${length}`,
    remedy: 'Choose a smaller length, or export to huggingface.',
  });
}

function notOne(count: number): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'exporting a pruned model',
    expected: 'one evaluation to export',
    actual: count === 0 ? 'none' : `${count}`,
    remedy: 'Name one metric and one sparsity, or one structure.',
  });
}
