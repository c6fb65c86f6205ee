import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { DEFAULT_ROWS } from '../../experiment/corpusRows.ts';
import type { TextInputs } from '../../experiment/planSchema.ts';
import { recoveryText } from '../../experiment/recovery.ts';
import type { EvaluationProgress, PerplexityResult } from '../../experiment/resultSchema.ts';
import type {
  AskRecovered,
  HeldOut,
  RecoveryOpening,
  RecoveryPoint,
  Saved,
  Saving,
  Trained,
  Training,
} from '../../search/recovery/events.ts';
import type { RecoveryPlan } from '../../search/recovery/plan.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import type { NarrowType } from '../checkpoint/narrow.ts';
import { type TensorToWrite, writeSafetensors } from '../checkpoint/safetensorsWriter.ts';
import { tokenHooks } from '../evaluation/calibrationSamples.ts';
import { type EngineState, engineVersions } from '../evaluation/prepareSweep.ts';
import { stagedStepper } from '../evaluation/stepper.ts';
import { writeNewFolder } from '../export/newFolder.ts';
import { allParameters } from '../families/families.ts';
import type { LoadedModel } from '../forward/loadedModels.ts';
import type { Step, StepHooks } from '../forward/step.ts';
import { evaluationBlocks } from '../forward/tokenBlocks.ts';
import { tokenizerOf } from '../forward/tokenCache.ts';
import { sizeOf } from '../graph/shape.ts';
import { writeNew } from '../../files/writeWhole.ts';
import { trainableCount } from './adapter.ts';
import { measureLosses } from './measureLosses.ts';
import { writePeftAdapter } from './peftAdapter.ts';
import { type RecoveryInputs, recoveryInputs } from './recoveryInputs.ts';
import { recoveryTexts, type RecoveryTexts } from './recoveryTexts.ts';
import type { Merge } from './trainedWeights.ts';
import { Trainer } from './trainer.ts';
import { mergedCard, type MergedReport, writeMerged } from './writeMerged.ts';
import type { PlannedTasks } from '../../experiment/taskSchema.ts';
import { type OpenedTasks, openTasks } from '../scoring/openTasks.ts';
import { disposePacked, packAll } from '../scoring/packedSequences.ts';
import type { TaskOutcome } from '../scoring/taskResults.ts';

/**
 * The numeric side of a recovery in one process: the pruned model, the texts and a trainer. States lie in files, so whoever asks may ask another
 * process the next time: equal plans and equal states give equal states, bit by bit.
 */
export class RecoverySession {
  readonly opening: RecoveryOpening;
  private readonly plan: RecoveryPlan;
  private readonly state: EngineState;
  private readonly inputs: RecoveryInputs;
  private readonly trainer: Trainer;
  private readonly texts: RecoveryTexts;
  private readonly recovery: string;

  private constructor(plan: RecoveryPlan, state: EngineState, parts: Pick<RecoverySession, 'opening'> & SessionParts) {
    this.plan = plan;
    this.state = state;
    this.opening = parts.opening;
    this.inputs = parts.inputs;
    this.trainer = parts.trainer;
    this.texts = parts.texts;
    this.recovery = recoveryOf(parts);
  }

  /**
   * @param scratchFolder where the pruned model may lie meanwhile
   * @throws EspalierError as an evaluation does, `corpus/too-short`, and `checkpoint/…` for an adapter that does not fit
   */
  static async open(
    plan: RecoveryPlan,
    hooks: StepHooks,
    state: EngineState,
    scratchFolder?: string,
  ): Promise<RecoverySession> {
    const inputs = await recoveryInputs(plan, hooks, state, scratchFolder);
    let trainer: Trainer | undefined;
    try {
      const { dense, device, checkpoint, adapter } = inputs;
      const texts = await recoveryTexts(plan, dense, hooks, state);
      const look = progress(hooks, 'evaluating');
      const before = await measureLosses({ ...dense, device }, texts.heldOut, look);
      // What was pruned is in a folder of its own: the dense weights are not needed any more.
      if (plan.evaluation) state.models.dispose();
      const { sequences } = texts;
      trainer = await Trainer.create({ checkpoint, device, adapter, recovery: plan.recovery, sequences });
      const { loss } = await trainer.measure(texts.heldOut, mergeOf(plan), look);
      const { config } = checkpoint;
      const parts = { inputs, trainer, texts };
      return new RecoverySession(plan, state, {
        ...parts,
        opening: {
          blocks: before.losses.length,
          denseLosses: [...before.losses],
          densePerplexity: Math.exp(before.loss),
          before: finite(loss),
          trainable: trainableCount(adapter),
          sequences: sequences.length,
          trainingTokens: sequences.length * sequences[0]!.ids.length,
          // The losses stand for the machine, and for what was pruned.
          fingerprint: sha256(JSON.stringify([recoveryOf(parts), engineVersions(), device.name, before.losses, loss])),
          device: device.name,
          parameters: allParameters(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
          architecture: config.architecture,
        },
      });
    } catch (error) {
      trainer?.dispose();
      await inputs.close();
      throw error;
    }
  }

  /** Trains on from the state after `from` steps, and leaves the one after `to` steps. See `RecoveryEffects.train`. */
  async train({ from, to, folder }: Training, hooks: StepHooks): Promise<Trained> {
    const begin = performance.now();
    const place = { folder, recovery: this.recovery };
    const { losses, state } = await this.trainer.train(from, to, place, progress(hooks, 'gradients'));
    return { losses: [...losses], state, seconds: secondsSince(begin) };
  }

  /** Mean loss on the held-out text with a state, as its weights would be written. */
  async validate({ step, folder }: RecoveryPoint, hooks: StepHooks): Promise<HeldOut> {
    const begin = performance.now();
    await this.trainer.load(step, { folder, recovery: this.recovery });
    const { loss } = await this.trainer.measure(this.texts.heldOut, mergeOf(this.plan), progress(hooks, 'evaluating'));
    return { loss: finite(loss), seconds: secondsSince(begin) };
  }

  /** Perplexity of a state on an evaluation text, as its weights would be written, in float32. */
  async recovered({ point, before, inputs }: AskRecovered, hooks: StepHooks): Promise<PerplexityResult> {
    const begin = performance.now();
    const { plan, trainer } = this;
    const { step, folder } = point;
    await trainer.load(step, { folder, recovery: this.recovery });
    const sequences = (await this.blocksOf(inputs, hooks)).map((ids) => ({ ids }));
    const measured = await trainer.measure(sequences, mergeOf(plan), progress(hooks, 'evaluating'));
    const structural = before.structure !== undefined;
    return {
      ...before,
      expression: `${before.expression}, recovered by ${recoveryText(plan.recovery)}`,
      perplexity: Math.exp(measured.loss),
      actualSparsity: structural ? before.actualSparsity : measured.zeroShare,
      seconds: secondsSince(begin),
      fingerprint: sha256(JSON.stringify([before.fingerprint, this.recovery, step])),
      provenance: {
        ...before.provenance,
        ...this.texts.provenance,
        ...(before.provenance.rows && { rows: { ...before.provenance.rows, ...this.texts.provenance.rows } }),
      },
    };
  }

  /** What a state does on tasks, as its weights would be written, in float32. */
  async tasks({ step, folder }: RecoveryPoint, planned: PlannedTasks, hooks: StepHooks): Promise<RecoveredTasks> {
    const begin = performance.now();
    const { checkpoint, device } = this.inputs;
    await this.trainer.load(step, { folder, recovery: this.recovery });
    const opened = await openTasks(planned, this.inputs.dense, hooks, this.state);
    const packed = await packAll(checkpoint.config, device, opened.sequences, this.state.cacheFolder);
    try {
      const scores = await this.trainer.score(packed, mergeOf(this.plan), progress(hooks, 'evaluating'));
      return { opened, outcome: { scores, fed: packed.fed, seconds: secondsSince(begin) } };
    } finally {
      disposePacked(packed);
    }
  }

  /** Logits of the last tokens of an evaluation text's first block, as the weights of a state would be written. */
  async logits({ step, folder }: RecoveryPoint, inputs: TextInputs, most: number, hooks: StepHooks) {
    await this.trainer.load(step, { folder, recovery: this.recovery });
    const [tokens] = (await this.blocksOf(inputs, hooks)) as [Int32Array];
    const rows = Math.min(tokens.length, most);
    const look = progress(hooks, 'evaluating');
    return { tokens, rows, logits: await this.trainer.logits(tokens, rows, mergeOf(this.plan), look) };
  }

  /** Writes what a state makes of the model. @param form `stored` in the checkpoint's types */
  async write(
    { step, folder }: RecoveryPoint,
    to: string,
    form: 'stored' | 'float32',
    hooks: StepHooks,
  ): Promise<MergedReport> {
    await this.trainer.load(step, { folder, recovery: this.recovery });
    const { checkpoint, adapter, dense } = this.inputs;
    const types = form === 'stored' ? typesOf(dense) : (): NarrowType => 'F32';
    return writeMerged(checkpoint, adapter, mergeOf(this.plan), types, to, hooks);
  }

  private async blocksOf({ text, rows, settings }: TextInputs, hooks: StepHooks): Promise<readonly Int32Array[]> {
    const source = { file: text, rows: rows?.text ?? DEFAULT_ROWS };
    const model = tokenizerOf(this.inputs.dense);
    const opened = await this.state.tokenCache.text(model, source, tokenHooks(text, hooks));
    return evaluationBlocks(opened, settings, text, tokenHooks(text, hooks));
  }

  async dispose(): Promise<void> {
    this.trainer.dispose();
    await this.inputs.close();
  }
}

export interface RecoveredTasks {
  readonly opened: OpenedTasks;
  readonly outcome: TaskOutcome;
}

interface SessionParts {
  readonly inputs: RecoveryInputs;
  readonly trainer: Trainer;
  readonly texts: RecoveryTexts;
}

/**
 * Writes a state of a recovery: a PEFT folder, or a checkpoint with the adapter in its weights, in the model's own types. Norms and biases have no
 * layout in PEFT that all of them fit into: as an adapter they are `trained.safetensors`, under the checkpoint's names.
 *
 * @throws EspalierError `export/exists`, and as {@link RecoverySession.open}
 */
export async function saveRecovery(
  { plan, point, as, to }: Saving,
  hooks: StepHooks,
  state: EngineState,
  scratchFolder?: string,
): Promise<Saved> {
  return writeNewFolder(to, async (folder) => {
    const inputs = await recoveryInputs(plan, hooks, state, scratchFolder);
    let trainer: Trainer | undefined;
    try {
      const { dense, device, checkpoint, adapter } = inputs;
      const texts = await recoveryTexts(plan, dense, hooks, state);
      trainer = await Trainer.create({
        checkpoint,
        device,
        adapter,
        recovery: plan.recovery,
        sequences: texts.sequences,
      });
      await trainer.load(point.step, { folder: point.folder, recovery: recoveryOf({ inputs, texts }) });
      if (as === 'merged') {
        const report = await writeMerged(checkpoint, adapter, mergeOf(plan), typesOf(dense), folder, hooks);
        await writeNew(path.join(folder, 'README.md'), mergedCard(report, mergeOf(plan)));
      } else await writeAdapter(inputs, plan, folder);
      return { folder: to, as, bytes: await bytesIn(folder) };
    } finally {
      trainer?.dispose();
      await inputs.close();
    }
  });
}

async function writeAdapter(
  { adapter, checkpoint }: RecoveryInputs,
  plan: RecoveryPlan,
  folder: string,
): Promise<void> {
  if (plan.recovery.method === 'norms') {
    const tensors = adapter.vectors.map(({ parameter, shape, values }): [string, TensorToWrite] => [
      parameter.tensor,
      { dtype: 'F32', shape, data: values },
    ]);
    await writeSafetensors(path.join(folder, 'trained.safetensors'), new Map(tensors));
    return;
  }
  // Of a pruned model the base is what an export of the same pruning writes.
  await writePeftAdapter(folder, adapter, checkpoint.config, plan.evaluation ? null : plan.model);
}

/** A tensor is written in the type that it had; what the dense model does not have (biases that make up for something) in float32. */
function typesOf({ checkpoint }: LoadedModel): (tensor: string) => NarrowType {
  return (tensor) => {
    const dtype = checkpoint.tensors.get(tensor)?.dtype;
    return dtype === 'BF16' || dtype === 'F16' ? dtype : 'F32';
  };
}

function recoveryOf({ inputs, texts }: Pick<SessionParts, 'inputs' | 'texts'>): string {
  return sha256(`${inputs.recovery} ${texts.hash}`);
}

function mergeOf({ recovery }: Pick<RecoveryPlan, 'recovery'>): Merge {
  return recovery.masked === 'on' ? 'masked' : 'plain';
}

function finite(loss: number): number | null {
  return Number.isFinite(loss) ? loss : null;
}

function secondsSince(begin: number): number {
  return (performance.now() - begin) / 1000;
}

/** How much there is to do is known to who asks: steps. */
function progress(hooks: StepHooks, stage: EvaluationProgress['stage']): Step {
  return stagedStepper(hooks, 0)(stage);
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder);
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
