import { tmpdir } from 'node:os';
import { canonicalJson } from '../../base/canonicalJson.ts';
import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { Generated, Generating, Served, ServedPlan } from '../../experiment/generationSchema.ts';
import { planInputs } from '../../experiment/planInputs.ts';
import { requirePerplexity } from '../../experiment/resultSchema.ts';
import type { TextPlan } from '../../experiment/planSchema.ts';
import { scratchWrites } from '../../files/scratchWrites.ts';
import { makeTemporaryFolder, removeTemporary } from '../../files/temporary.ts';
import { recoveryPlanOf, withoutRecovery } from '../../search/recovery/plan.ts';
import { checkTensors } from '../checkpoint/checkTensors.ts';
import { type Checkpoint, openCheckpoint } from '../checkpoint/checkpoint.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import { evaluatePlan } from '../evaluation/evaluatePlan.ts';
import { engineVersions, type EngineState } from '../evaluation/prepareSweep.ts';
import { allParameters } from '../families/families.ts';
import { BlockWeights } from '../forward/blockWeights.ts';
import { fitsInMemory } from '../forward/loadedModels.ts';
import { modelLength } from '../forward/modelLength.ts';
import type { StepHooks } from '../forward/step.ts';
import { sizeOf } from '../graph/shape.ts';
import { recover } from '../recovery/recover.ts';
import { writeScratch } from '../recovery/writeScratch.ts';
import type { Device } from '../runtime/device.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import { endsOf } from './endsOf.ts';
import { generate, type GenerateHooks, type GeneratingModel } from './generate.ts';
import { capacityFor, cacheBytes } from './keyValueCache.ts';

/** What is known of an open model beside its number. */
export type ServedAbout = Omit<Served, 'served'>;

/**
 * A model that is open for questions: a checkpoint as it is, or what a planned evaluation makes of it, which is written whole, in float32, into a
 * folder of its own until it is closed. Its weights stay in memory where they have room; else every token reads them again, block by block.
 */
export class ServedModel implements GeneratingModel {
  readonly about: ServedAbout;
  readonly checkpoint: Checkpoint;
  readonly weights: BlockWeights;
  readonly device: Device;
  readonly tokenizer: Tokenizer;
  readonly ends: ReadonlySet<number>;
  private readonly scratch: string | undefined;

  private constructor(
    parts: Pick<ServedModel, 'about' | 'checkpoint' | 'weights' | 'device' | 'tokenizer' | 'ends'>,
    scratch: string | undefined,
  ) {
    this.about = parts.about;
    this.checkpoint = parts.checkpoint;
    this.weights = parts.weights;
    this.device = parts.device;
    this.tokenizer = parts.tokenizer;
    this.ends = parts.ends;
    this.scratch = scratch;
  }

  /**
   * @param plan with a length that is no longer open, and one evaluation at most
   * @param scratchFolder where what is pruned may lie meanwhile: as large as the model is in float32
   * @throws EspalierError `settings/invalid` for several evaluations, `io/write` where there is no room for it, and as evaluations and recoveries do
   */
  static async open(
    plan: ServedPlan,
    hooks: StepHooks,
    state: EngineState,
    scratchFolder: string = tmpdir(),
  ): Promise<ServedModel> {
    const [evaluation, ...others] = plan.evaluations;
    if (others.length > 0) throw several(plan.evaluations.length);
    throwIfCancelled(hooks.signal, 'opening a model');
    const device = await state.devices.device(plan.settings);
    const dense = await openCheckpoint(plan.model, { cacheFolder: state.cacheFolder });
    const scratch =
      evaluation && (await scratchWrites(scratchFolder, () => makeTemporaryFolder(scratchFolder, 'espalier-served')));
    let checkpoint: Checkpoint | undefined;
    try {
      const identity = await dense.identity(hooks.signal);
      if (scratch !== undefined) {
        await scratchWrites(scratch, () => writePlanned(plan, scratch, hooks, state, scratchFolder));
        // The dense weights would only be in the way.
        state.models.dispose();
      }
      checkpoint = scratch === undefined ? dense : await openCheckpoint(scratch);
      const { config } = checkpoint;
      checkTensors(checkpoint, allParameters(config));
      const tokenizer = await loadTokenizer(dense.tokenizerFolder, { vocabulary: config.vocabulary });
      const weights = new BlockWeights(checkpoint, device, fitsInMemory(config));
      const ends = await endsOf(dense);
      const ofToken = { batch: 1, tokens: capacityFor(1), type: device.weightType };
      const about: ServedAbout = {
        name: evaluation?.metric ?? 'dense',
        model: plan.model,
        fingerprint: sha256(
          canonicalJson({
            model: identity.hash,
            evaluation: evaluation && { ...evaluation, metric: undefined },
            inputs: evaluation && planInputs(plan),
            device: [device.name, device.precision],
            versions: engineVersions(),
          }),
        ),
        parameters: allParameters(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
        vocabulary: config.vocabulary,
        length: modelLength(config),
        ends: [...ends],
        streams: !weights.keeps,
        cacheBytes: cacheBytes(weights.layouts, config.headDim, ofToken) / capacityFor(1),
      };
      return new ServedModel({ about, checkpoint, weights, device, tokenizer, ends }, scratch);
    } catch (error) {
      checkpoint?.close();
      if (scratch !== undefined) await removeTemporary(scratch);
      throw error;
    } finally {
      if (scratch !== undefined || checkpoint === undefined) dense.close();
    }
  }

  /** Goes on from prompts, see `generate`. A text gets the special tokens that the tokenizer puts before texts, and not those behind them. */
  generate({ prompts, ...asked }: Omit<Generating, 'served'>, hooks: GenerateHooks): Promise<Generated> {
    const ids = prompts.map((prompt) => (typeof prompt === 'string' ? this.promptOf(prompt) : Int32Array.from(prompt)));
    return generate(this, { ...asked, prompts: ids }, hooks);
  }

  /** Frees the device's memory, and takes what was written off the disk. */
  async dispose(): Promise<void> {
    this.weights.dispose();
    this.checkpoint.close();
    if (this.scratch !== undefined) await removeTemporary(this.scratch);
  }

  private promptOf(text: string): Int32Array {
    const { before } = this.tokenizer.around;
    // Not as arguments of a call: a text may have a million tokens.
    return Int32Array.from([...before, ...this.tokenizer.encode(text, { special: false })]);
  }
}

/** Writes what the plan's only evaluation makes of its model. */
async function writePlanned(
  plan: ServedPlan,
  folder: string,
  hooks: StepHooks,
  state: EngineState,
  scratchFolder: string,
): Promise<void> {
  const evaluation = plan.evaluations[0]!;
  const steps: StepHooks = { signal: hooks.signal, onProgress: hooks.onProgress };
  if (!evaluation.recovery) {
    await writeScratch(planInputs(plan), evaluation, folder, steps, state);
    return;
  }
  const recovery = recoveryPlanOf(plan, evaluation.recovery);
  const few = { ...planInputs(withText(plan)), settings: { ...plan.settings, blocks: 1 } };
  const [before] = await evaluatePlan({ ...few, evaluations: [withoutRecovery(evaluation)] }, steps, state);
  await recover(
    { plan: recovery, inputs: few, before: requirePerplexity(before!) },
    steps,
    state,
    scratchFolder,
    async (session, point) => {
      await session.write(point, folder, 'float32', steps);
    },
  );
}

/** A recovery looks at one block of a text; of which does not matter. @throws EspalierError `settings/invalid` */
function withText(plan: ServedPlan): TextPlan {
  const text = plan.text ?? plan.calibration ?? plan.train;
  if (text !== undefined) return { ...plan, text };
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'opening a recovered model',
    expected: 'a text',
    actual: 'none',
    remedy: 'Name a text.',
  });
}

function several(count: number): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'opening a model',
    expected: 'one way of pruning, or none',
    actual: `${count}`,
    remedy: 'Choose one, or open each of them.',
  });
}
