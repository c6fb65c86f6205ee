import { canonicalJson } from '../../base/canonicalJson.ts';
import { createHash } from 'node:crypto';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import type { MeasureOutcome, SearchOpening } from '../../search/lifecycle/events.ts';
import type { ProbeOutcome } from '../../search/metrics/events.ts';
import type { Candidate, Measuring, Probing, Timed } from '../../experiment/measuringSchema.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { WeightUpdate } from '../../experiment/updates.ts';
import type { Expression } from '../../metric/expression.ts';
import { operandsOf } from '../../metric/measure.ts';
import type { OperandName } from '../../metric/operands.ts';
import { printPrefix } from '../../metric/print.ts';
import { ForwardStatistics } from '../evaluation/blockStatistics.ts';
import type { SampleNeeds } from '../../experiment/planned.ts';
import { type EngineState, prepareSweep } from '../evaluation/prepareSweep.ts';
import { needGradients } from '../evaluation/gradientsOf.ts';
import { stagedStepper, stepper } from '../evaluation/stepper.ts';
import type { GradientOperands } from '../gradient/gradientOperands.ts';
import { disposePrograms, type SweepInputs } from '../evaluation/sweepInputs.ts';
import type { BlockWeights } from '../forward/blockWeights.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import { sizeOf } from '../graph/shape.ts';
import { isRowOperand } from '../pruning/inputStatistics.ts';
import { Pruner } from '../pruning/pruner.ts';
import { zeroBits } from '../runtime/zeroBits.ts';
import { countDenseSteps, densePass } from './densePass.ts';
import { keptRoom } from './keptRoom.ts';
import { countSolverSteps, KeptSolvers, solverBytes } from './keptSolvers.ts';
import { invalidOutcome, measureVariants, releaseMetrics } from './measureVariants.ts';
import { blockRange, openingOf, searchInputs, sessionError } from './opening.ts';
import { differingBits, MaskCache } from './maskBits.ts';
import { TaskFitness } from './taskFitness.ts';
import { type ProbeBlock, probeLayers } from './probeLayers.ts';
import type { StepHooks } from '../forward/step.ts';
import type { SearchSession } from './searchSession.ts';

/**
 * The numeric side of a search for metrics. What candidates share is computed once: the dense losses and the dense model's
 * statistics; a candidate then costs its pruning, its update where the plan has one, and its forward passes. Candidates are ranked by one-shot calibration.
 */
export class MetricSession implements SearchSession {
  readonly opening: SearchOpening;
  private readonly plan: MetricSearchPlan;
  /** Evaluation blocks in the order of the rungs. */
  private readonly inputs: SweepInputs;
  private readonly probed: readonly ProbeBlock[];
  private readonly solvers: KeptSolvers | undefined;
  /** Where tasks are the objective. */
  private readonly tasks: TaskFitness | undefined;
  private readonly masks = new MaskCache();

  private constructor(
    plan: MetricSearchPlan,
    inputs: SweepInputs,
    opening: SearchOpening,
    { solvers, tasks }: { readonly solvers: KeptSolvers | undefined; readonly tasks: TaskFitness | undefined },
  ) {
    this.solvers = solvers;
    this.tasks = tasks;
    this.plan = plan;
    this.inputs = inputs;
    this.opening = opening;
    this.probed = probeLayers(inputs.weights.layouts);
  }

  /** @throws EspalierError as an evaluation does */
  static async open(plan: MetricSearchPlan, hooks: StepHooks, state: EngineState): Promise<MetricSession> {
    const operands = operandsOfPlan(plan);
    const { inputs: prepared, ...of } = await prepareSweep(plan, needsOf(operands, plan.update), hooks, state);
    const provenance = { ...of.provenance, modelHash: await of.modelHash() };
    const { objective } = plan.search;
    const inputs = searchInputs(prepared, objective);
    let tasks: TaskFitness | undefined;
    try {
      if (objective === 'tasks') tasks = await TaskFitness.open(plan.tasks, inputs, hooks, state);
      const needed = operands.includes('G') ? await needGradients(inputs, provenance, state.gradients) : undefined;
      const rows = operands.filter(isRowOperand);
      // Gradients that have to be computed on the same samples take the statistics on their way.
      const isShared = inputs.gradientSamples === inputs.calibration;
      const onTheWay =
        needed && needed.steps > 0 && isShared ? new ForwardStatistics(inputs.weights.layouts, rows) : undefined;
      const { update } = plan;
      const keeps = update !== undefined && solverBytes(inputs.weights.layouts) <= keptRoom('solvers', plan.search);
      // H is collected on a way of its own, and the statistics with it.
      const left = onTheWay || keeps ? [] : rows;
      const steps = stagedStepper(
        hooks,
        (needed?.steps ?? 0) +
          countDenseSteps(inputs, left) +
          ((await tasks?.denseSteps(inputs)) ?? 0) +
          (keeps ? countSolverSteps(inputs) : 0),
      );
      const found = await needed?.get(steps('gradients'), onTheWay);
      const dense = await densePass(inputs, left, steps('evaluating'));
      const answered = await tasks?.dense(inputs, steps('evaluating'));
      const kept = keeps ? await KeptSolvers.collect(inputs, update, rows, steps('pruning')) : undefined;
      const { losses } = dense;
      const statistics = kept?.statistics ?? onTheWay?.blocks ?? dense.statistics;
      const about = { sparsity: printSparsity(plan.sparsity), ...(update && { update: canonicalJson(update) }) };
      const opening = openingOf(losses, provenance, objective, about, answered);
      const known = rows.length > 0 || kept ? { statistics } : {};
      const ready = { ...inputs, ...known, ...(found && { gradients: found.gradients }) };
      return new MetricSession(plan, { ...ready, ...(kept && { solvers: kept.solvers }) }, opening, {
        solvers: kept?.solvers,
        tasks,
      });
    } catch (error) {
      tasks?.dispose();
      disposePrograms(inputs);
      throw error;
    }
  }

  /**
   * Whether each metric ranks the weights of the probe's layers, and which of them it removes.
   *
   * @throws EspalierError for everything that is not the metric's fault
   */
  async probe({ expressions, against }: Probing, { signal }: StepHooks): Promise<Timed<ProbeOutcome>[]> {
    if (against && against.length !== expressions.length) {
      throw sessionError(
        `${expressions.length} metrics to compare with, or null for each without`,
        String(against.length),
      );
    }
    const outcomes: Timed<ProbeOutcome>[] = [];
    const step = stepper({ signal }, 0);
    for (const [i, expression] of expressions.entries()) {
      const stopwatch = new Stopwatch(this.inputs.now);
      const answer = await stopwatch.time(() => this.probeOne(expression, against?.[i] ?? undefined));
      outcomes.push({ answer, seconds: stopwatch.seconds });
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

  private async probeOne(expression: Expression, against: Expression | undefined): Promise<ProbeOutcome> {
    const mask = await this.maskOf(expression);
    if (mask.kind === 'invalid') return mask;
    const fingerprint = createHash('sha256').update(mask.bits).digest('hex').slice(0, 32);
    const outcome = { kind: 'ranks', fingerprint, whole: this.probesAll() } as const;
    if (against === undefined) return outcome;
    const other = await this.maskOf(against);
    if (other.kind === 'invalid') throw sessionError('a metric to compare with that ranks', other.detail);
    return { ...outcome, changed: differingBits(mask.bits, other.bits) / this.probedWeights() };
  }

  /** One bit a weight of the probe's layers, set where the metric removes it; each layer begins with a byte. */
  private async maskOf(expression: Expression): Promise<ProbedMask> {
    const key = printPrefix(expression);
    const known = this.masks.get(key);
    if (known) return { kind: 'ranks', bits: known };
    const { weights, device, statistics, gradients } = this.inputs;
    const pruner = this.pruner(expression);
    const layerBits: Uint8Array[] = [];
    try {
      for (const { block: index, layers } of this.probed) {
        const block = await weights.block(index);
        const blockGradients = pruner.usesGradient ? await gradients!.block(index, layers) : undefined;
        try {
          for (const layer of layers) {
            const { name } = layer;
            const rows = statistics?.[index]?.get(name);
            const pruned = await pruner.prune(index, layer, block[name]!, rows, blockGradients?.[name]);
            try {
              layerBits.push(await zeroBits(device, pruned ?? block[name]!));
            } finally {
              pruned?.dispose();
            }
          }
        } finally {
          weights.done(block);
          if (blockGradients) gradients!.done(blockGradients);
        }
      }
      const bits = Buffer.concat(layerBits);
      this.masks.set(key, bits);
      return { kind: 'ranks', bits };
    } catch (error) {
      return invalidOutcome(error);
    } finally {
      await releaseMetrics(this.inputs);
    }
  }

  /**
   * Of metrics, on blocks, or on documents.
   *
   * @throws EspalierError for everything that is not the metric's fault
   */
  measure({ candidates, on }: Measuring, hooks: StepHooks): Promise<Timed<MeasureOutcome>[]> {
    const make = (candidate: Candidate): Pruner => {
      if (candidate.kind !== 'metric') throw sessionError('metrics', candidate.kind);
      return this.pruner(candidate.expression, this.plan.update);
    };
    if (this.tasks) return this.tasks.measure(on, this.inputs, candidates, make, hooks);
    if (on.kind !== 'blocks') throw sessionError('blocks of the fitness text', on.kind);
    const inputs = { ...this.inputs, evaluation: blockRange(this.inputs, on.begin, on.end) };
    return measureVariants(inputs, candidates, make, hooks);
  }

  componentScores(): never {
    throw sessionError('an open search for rates or masks', 'one for metrics');
  }

  dispose(): void {
    this.solvers?.dispose();
    this.tasks?.dispose();
    disposePrograms(this.inputs);
  }

  private probesAll(): boolean {
    const linears = this.inputs.weights.layouts.flatMap(({ parameters }) => parameters.filter(({ linear }) => linear));
    return this.probed.flatMap(({ layers }) => layers).length === linears.length;
  }

  /** How many weights the probe looks at. */
  private probedWeights(): number {
    const layers = this.probed.flatMap((block) => block.layers);
    return layers.reduce((count, { shape }) => count + sizeOf(shape), 0);
  }

  private pruner(expression: Expression, update?: WeightUpdate): Pruner {
    const { sparsity, settings } = this.plan;
    const metric = printPrefix(expression);
    return new Pruner(this.inputs.device, { metric, expression, sparsity, group: settings.group, update });
  }
}

function operandsOfPlan({ operands, seeds, baselines }: MetricSearchPlan): readonly OperandName[] {
  const metrics = [...seeds, ...baselines];
  return [...new Set([...operands, ...metrics.flatMap(({ expression }) => operandsOf(expression))])];
}

function needsOf(operands: readonly OperandName[], update: WeightUpdate | undefined): SampleNeeds {
  return {
    calibration: update !== undefined || operands.some((name) => name !== 'W' && name !== 'Wsigned'),
    gradients: operands.includes('G'),
  };
}

/** Which weights of the probe's layers a metric removes, or why it cannot rank. */
type ProbedMask =
  { readonly kind: 'ranks'; readonly bits: Uint8Array } | Extract<ProbeOutcome, { readonly kind: 'invalid' }>;
