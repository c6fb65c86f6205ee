import { createHash } from 'node:crypto';
import { EspalierError } from '../../base/errors.ts';
import type { Provenance } from '../../experiment/result.ts';
import type { SearchPlan } from '../../experiment/search.ts';
import type { MeasureOutcome, ProbeOutcome, SearchOpening } from '../../experiment/searchEvents.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { Expression } from '../../metric/expression.ts';
import { operandsOf } from '../../metric/measure.ts';
import type { OperandName } from '../../metric/operands.ts';
import { printPrefix } from '../../metric/print.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import type { EvaluationHooks } from '../engine.ts';
import { ForwardStatistics } from '../evaluation/blockStatistics.ts';
import { type EngineState, prepareSweep } from '../evaluation/prepareSweep.ts';
import { needGradients } from '../evaluation/gradientsOf.ts';
import { stagedStepper, stepper } from '../evaluation/stepper.ts';
import type { GradientOperands } from '../gradient/gradientOperands.ts';
import { sweep, type SweepInputs } from '../evaluation/sweep.ts';
import { inGroups } from '../evaluation/sweepGroups.ts';
import type { BlockWeights } from '../forward/blockWeights.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import { isRowOperand } from '../pruning/inputStatistics.ts';
import { Pruner } from '../pruning/pruner.ts';
import { InvalidScoreError } from '../pruning/scoreCheck.ts';
import { blockOrder } from './blockOrder.ts';
import { countDenseSteps, densePass } from './densePass.ts';
import { type ProbeBlock, probeLayers } from './probeLayers.ts';

type SessionHooks = Pick<EvaluationHooks, 'signal' | 'onProgress'>;

/**
 * The numeric side of a search in one process. What candidates share is computed once: the dense losses and the dense model's
 * statistics; a candidate then costs its pruning and its forward passes. Candidates are ranked by one-shot calibration.
 */
export class SearchSession {
  readonly opening: SearchOpening;
  private readonly plan: SearchPlan;
  /** Evaluation blocks in the order of the rungs. */
  private readonly inputs: SweepInputs;
  private readonly probed: readonly ProbeBlock[];

  private constructor(plan: SearchPlan, inputs: SweepInputs, opening: SearchOpening) {
    this.plan = plan;
    this.inputs = inputs;
    this.opening = opening;
    this.probed = probeLayers(inputs.weights.layouts);
  }

  /** @throws EspalierError as an evaluation does */
  static async open(plan: SearchPlan, hooks: SessionHooks, state: EngineState): Promise<SearchSession> {
    const operands = operandsOfPlan(plan);
    const { inputs: prepared, provenance } = await prepareSweep(plan, needsSamples(operands), hooks, state);
    const order = blockOrder(prepared.evaluation.length);
    const inputs: SweepInputs = {
      ...prepared,
      calibrate: 'one-shot',
      evaluation: order.map((index) => prepared.evaluation[index]!),
    };
    try {
      const needed = operands.includes('G') ? await needGradients(inputs, provenance, state.gradients) : undefined;
      const rows = operands.filter(isRowOperand);
      // Gradients that have to be computed take the statistics on their way.
      const onTheWay = needed && needed.steps > 0 ? new ForwardStatistics(inputs.weights.layouts, rows) : undefined;
      const left = onTheWay ? [] : rows;
      const steps = stagedStepper(hooks, (needed?.steps ?? 0) + countDenseSteps(inputs, left));
      const found = await needed?.get(steps('gradients'), onTheWay);
      const dense = await densePass(inputs, left, steps('evaluating'));
      const { losses } = dense;
      const statistics = onTheWay?.blocks ?? dense.statistics;
      const opening: SearchOpening = {
        blocks: losses.length,
        denseLosses: losses,
        densePerplexity: Math.exp(losses.reduce((sum, loss) => sum + loss, 0) / losses.length),
        fingerprint: openingFingerprint(plan, provenance),
        device: provenance.deviceName,
        parameters: provenance.parameters,
        architecture: provenance.architecture,
      };
      return new SearchSession(plan, { ...inputs, statistics, ...(found && { gradients: found.gradients }) }, opening);
    } catch (error) {
      inputs.programs.dispose();
      throw error;
    }
  }

  /**
   * Whether each metric ranks the weights of the probe's layers, and which of them it removes.
   *
   * @throws EspalierError for everything that is not the metric's fault
   */
  async probe(
    expressions: readonly Expression[],
    { signal }: SessionHooks,
  ): Promise<{ probe: ProbeOutcome; seconds: number }[]> {
    const outcomes: { probe: ProbeOutcome; seconds: number }[] = [];
    const step = stepper({ signal }, 0);
    for (const expression of expressions) {
      const stopwatch = new Stopwatch(this.inputs.now);
      const probe = await stopwatch.time(() => this.probeOne(expression));
      outcomes.push({ probe, seconds: stopwatch.seconds });
      await step('probing');
    }
    return outcomes;
  }

  /** Whose weights it works on. */
  get weights(): BlockWeights {
    return this.inputs.weights;
  }

  /** The gradients that it works with. */
  get gradients(): GradientOperands | undefined {
    return this.inputs.gradients;
  }

  private async probeOne(expression: Expression): Promise<ProbeOutcome> {
    const { weights, device, statistics, gradients } = this.inputs;
    const pruner = this.pruner(expression);
    const hash = createHash('sha256');
    try {
      for (const { block: index, layers } of this.probed) {
        const block = await weights.block(index);
        const blockGradients = pruner.usesGradient ? await gradients!.block(index) : undefined;
        try {
          for (const layer of layers) {
            const { name } = layer;
            const rows = statistics?.[index]?.get(name);
            const pruned = await pruner.prune(index, layer, block[name]!, rows, blockGradients?.[name]);
            try {
              hash.update(zeroBits(await device.download(pruned)));
            } finally {
              pruned.dispose();
            }
          }
        } finally {
          weights.done(block);
          if (blockGradients) gradients!.done(blockGradients);
        }
      }
      return { kind: 'ranks', fingerprint: hash.digest('hex').slice(0, 32), whole: this.probesAll() };
    } catch (error) {
      return invalidOutcome(error);
    } finally {
      await this.release();
    }
  }

  /**
   * Mean losses of the pruned models on the blocks `begin` to `end` − 1 of the rungs' order; in the order of the expressions.
   *
   * @throws EspalierError for everything that is not the metric's fault
   */
  async measure(
    expressions: readonly Expression[],
    begin: number,
    end: number,
    hooks: SessionHooks,
  ): Promise<{ measure: MeasureOutcome; seconds: number }[]> {
    const inputs = { ...this.inputs, evaluation: this.inputs.evaluation.slice(begin, end) };
    if (!(0 <= begin && begin < end && end <= this.opening.blocks)) throw rangeError(begin, end, this.opening.blocks);
    const outcomes: { measure: MeasureOutcome; seconds: number }[] = [];
    // Without a total, steps are not counted: what a person watches is candidates.
    const step = stepper({ signal: hooks.signal }, 0);
    for (const group of inGroups(expressions, inputs)) {
      try {
        const pruners = group.map((expression) => this.pruner(expression));
        const { pruned } = await sweep(inputs, false, pruners, step);
        for (const outcome of pruned) {
          outcomes.push(
            outcome instanceof EspalierError
              ? { measure: invalidOutcome(outcome), seconds: 0 }
              : {
                  measure: { kind: 'loss', blocks: end - begin, loss: Math.log(outcome.perplexity) },
                  seconds: outcome.seconds,
                },
          );
        }
      } finally {
        await this.release();
      }
    }
    return outcomes;
  }

  dispose(): void {
    this.inputs.programs.dispose();
  }

  private probesAll(): boolean {
    const linears = this.inputs.weights.layouts.flatMap(({ parameters }) => parameters.filter(({ linear }) => linear));
    return this.probed.flatMap(({ layers }) => layers).length === linears.length;
  }

  private pruner(expression: Expression): Pruner {
    const { sparsity, settings } = this.plan;
    return new Pruner(this.inputs.device, printPrefix(expression), expression, sparsity, settings.group);
  }

  /** Programs of metrics come and go. */
  private async release(): Promise<void> {
    await this.inputs.device.release((key) => !key.startsWith('prune '));
  }
}

function operandsOfPlan({ operands, seeds, baselines }: SearchPlan): readonly OperandName[] {
  const metrics = [...seeds, ...baselines];
  return [...new Set([...operands, ...metrics.flatMap(({ expression }) => operandsOf(expression))])];
}

function needsSamples(operands: readonly OperandName[]): boolean {
  return operands.some((name) => name !== 'W' && name !== 'Wsigned');
}

/** One bit a weight, set where it is zero. */
function zeroBits(weights: Float32Array): Uint8Array {
  const bits = new Uint8Array((weights.length + 7) >> 3);
  for (let i = 0; i < weights.length; i++) if (weights[i] === 0) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}

/** What is the metric's own fault; anything else goes on as an error. */
function invalidOutcome(error: unknown): Extract<MeasureOutcome, { kind: 'invalid' }> {
  if (error instanceof InvalidScoreError) return { kind: 'invalid', reason: error.reason, detail: error.data.actual };
  if (error instanceof EspalierError && error.code === 'evaluation/not-finite') {
    return { kind: 'invalid', reason: 'not-finite', detail: `a perplexity of ${error.data.actual}` };
  }
  throw error;
}

function openingFingerprint(plan: SearchPlan, provenance: Provenance): string {
  const { modelHash, textHash, calibrationHash, samples, offsets, seed } = provenance;
  const { blocks, length, group, device, precision, versions } = provenance;
  const sparsity = printSparsity(plan.sparsity);
  const calibration = calibrationHash !== undefined && { calibrationHash, samples, offsets, seed };
  const where = { device, precision, versions };
  return sha256(JSON.stringify({ modelHash, textHash, calibration, blocks, length, group, sparsity, ...where }));
}

function rangeError(begin: number, end: number, blocks: number): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: 'measuring candidates',
    expected: `a range of the ${blocks} evaluation blocks`,
    actual: `${begin} to ${end}`,
    remedy: 'This is a defect of Espalier: please report it with the log.',
  });
}
