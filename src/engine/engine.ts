import { EspalierError, throwIfCancelled } from '../base/errors.ts';
import { planInputs, withText } from '../experiment/planInputs.ts';
import type { StructureScore } from '../experiment/structureSchema.ts';
import type { ModelCosts } from '../experiment/costSchema.ts';
import type { CostsRequest } from '../experiment/costsRequestSchema.ts';
import type {
  ExportReport,
  ExportTarget,
  SpeedPlan,
  SpeedReport,
  SpeedRequest,
  SpeedRound,
  SpeedSubject,
  Verification,
  VerifyRequest,
} from '../experiment/exportSchema.ts';
import type { FreshEngine } from '../experiment/freshEngine.ts';
import type { ClosingServed, Generated, Generating, Served, ServedPlan } from '../experiment/generationSchema.ts';
import type { MetricInspection } from '../experiment/inspectionSchema.ts';
import type { Layout } from '../experiment/exportFormats.ts';
import type { ReadersReport } from '../experiment/readersSchema.ts';
import type { Preflight } from '../experiment/preflightSchema.ts';
import type { EvaluationPlan } from '../experiment/planSchema.ts';
import type { ProbeOutcome } from '../search/metrics/events.ts';
import type { TaskDocument } from '../experiment/taskSchema.ts';
import type { CheckpointSummary, EvaluationResult, PerplexityResult, ResultOf } from '../experiment/resultSchema.ts';
import type { EvaluationSettings } from '../experiment/settings.ts';
import type { WorkClass } from '../experiment/workClass.ts';
import type { Measuring, Probing, Timed } from '../experiment/measuringSchema.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint/checkpoint.ts';
import { DenseStatistics } from './evaluation/denseStatistics.ts';
import { evaluatePlan } from './evaluation/evaluatePlan.ts';
import type { EvaluationHooks } from './evaluation/hooks.ts';
import { inspectMetric } from './evaluation/inspectMetric.ts';
import { preflight } from './evaluation/preflight.ts';
import type { EngineState } from './evaluation/prepareSweep.ts';
import type { StepHooks } from './forward/step.ts';
import { exportModel } from './export/exportModel.ts';
import { readersOfPlan } from './export/readers/readersOfPlan.ts';
import { verifyExport } from './export/verify.ts';
import { askRecovered } from './generation/askRecovered.ts';
import { checkTasks } from './generation/checkTasks.ts';
import { evaluateGenerated, isGenerated, withoutGenerated } from './generation/evaluateGenerated.ts';
import type { GenerateHooks } from './generation/generate.ts';
import { withAnswers } from './generation/preflightGenerated.ts';
import { ServedModels } from './generation/servedModels.ts';
import { LoadedGradients } from './gradient/loadedGradients.ts';
import { LoadedModels } from './forward/loadedModels.ts';
import { modelLength, withLength } from './forward/modelLength.ts';
import { DEFAULT_ROWS } from '../experiment/corpusRows.ts';
import { TokenCache } from './forward/tokenCache.ts';
import { allParameters, layerTypes } from './families/families.ts';
import { sizeOf } from './graph/shape.ts';
import { type ScoredToken, scoreSequences } from './scoring/scoreSequences.ts';
import type { Sequence } from './scoring/sequence.ts';
import { OneAtATime } from './oneAtATime.ts';
import { openSession } from './search/openSession.ts';
import type { SearchSession } from './search/searchSession.ts';
import { measureSpeed } from './speed/measureSpeed.ts';
import { modelCosts } from './speed/modelCosts.ts';
import { modelSizes } from './structure/modelSizes.ts';
import { withPrediction, withPredictions, withSpeeds } from './speed/predictions.ts';
import { SpeedSession } from './speed/speedSession.ts';
import { timedPlan } from './speed/timedPlan.ts';
import { OpenDevices } from './runtime/openDevices.ts';
import { workClassOf } from './runtime/workClass.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';
import type { MeasureOutcome } from '../search/lifecycle/events.ts';
import type { OpeningOf, PlanOf, RunKind, RunPlan } from '../search/kinds.ts';
import type { PackedValues } from '../search/masks/events.ts';
import type {
  AskRecovered,
  HeldOut,
  RecoveryPoint,
  Saved,
  Saving,
  Trained,
  Training,
} from '../search/recovery/events.ts';
import { recoveryPlanOf, withoutRecovery } from '../search/recovery/plan.ts';
import type { RecoveryPlan } from '../search/recovery/plan.ts';
import { evaluateRecovered } from './recovery/evaluateRecovered.ts';
import { exportRecovered } from './recovery/exportRecovered.ts';
import type { KeptState } from './recovery/recover.ts';
import { withTraining } from './recovery/preflightRecovered.ts';
import { RecoverySession, saveRecovery } from './recovery/recoverySession.ts';

export { listDevices } from './runtime/probe.ts';

/** Everything numeric, behind one door: used by the worker and by the command line alike. One engine to a process. */
export interface Engine {
  /**
   * Evaluates a plan. One result for each evaluation, in order; with none, one for the dense model.
   *
   * @throws EspalierError; a metric that cannot rank fails alone: it is reported through `onFailure`, and only without that hook, or
   * when no evaluation is left, does the whole plan reject with its error
   */
  evaluate<Plan extends EvaluationPlan>(plan: Plan, hooks?: EvaluationHooks): Promise<readonly ResultOf<Plan>[]>;
  /** Loads what the questions of a search share, and keeps it for them until another is opened. */
  open<Kind extends RunKind>(plan: PlanOf<Kind> & { readonly kind: Kind }, hooks?: StepHooks): Promise<OpeningOf<Kind>>;
  /** Which metrics rank the weights, and which of them rank alike; asked of an open search for metrics. */
  probe(asked: Probing, hooks?: StepHooks): Promise<readonly Timed<ProbeOutcome>[]>;
  /** Mean losses of what the open search can make of the candidates, in their order; one that is not finite is an outcome, too. */
  measure(asked: Measuring, hooks?: StepHooks): Promise<readonly Timed<MeasureOutcome>[]>;
  /** What each component of the model scores, and each block where the search may drop whole ones. */
  componentScores(score: StructureScore, hooks?: StepHooks): Promise<PackedValues>;
  /** Trains on from a state of the open recovery, and keeps the one that comes of it. */
  train(asked: Training, hooks?: StepHooks): Promise<Trained>;
  /** What a state of the open recovery does on the held-out text. */
  validate(point: RecoveryPoint, hooks?: StepHooks): Promise<HeldOut>;
  /** Evaluates a state of the open recovery on a text. */
  recovered(asked: AskRecovered, hooks?: StepHooks): Promise<PerplexityResult>;
  /** Prunes again as the plan of a recovery says, and writes what one of its states makes of that, see `saveRecovery`. */
  saveRecovery(asked: Saving, hooks?: StepHooks): Promise<Saved>;
  /**
   * What every node of the plan's only metric computes on one linear layer of the dense model, calibrated one-shot.
   *
   * @param tensor name of the layer's weight in the checkpoint; null takes the first prunable one
   * @throws EspalierError
   */
  inspect(plan: EvaluationPlan, tensor: string | null, hooks?: StepHooks): Promise<MetricInspection>;
  /**
   * What an evaluation of the plan would take: time, memory, disk.
   *
   * @throws EspalierError what the evaluation itself would be refused with
   */
  preflight(plan: EvaluationPlan, hooks?: StepHooks): Promise<Preflight>;
  /** Token ids of a text as the perplexity protocol sees them, special tokens included. */
  tokens(model: string, text: string, signal?: AbortSignal): Promise<Int32Array>;
  describe(model: string): Promise<CheckpointSummary>;
  /** What decides the digits that are computed with such settings, see {@link workClassOf}. */
  workClass(settings: Pick<EvaluationSettings, 'device' | 'precision'>): Promise<WorkClass>;
  /**
   * Evaluates the plan's only evaluation and writes the model that it pruned, see `exportModel`. Needs `startFresh`.
   *
   * @throws EspalierError `export/exists`, `export/mismatch`, `io/write`, and what an evaluation throws
   */
  exportModel(plan: EvaluationPlan, target: ExportTarget, hooks?: StepHooks): Promise<ExportReport>;
  /**
   * Writes what a run of a recovery has kept, as {@link exportModel} writes an evaluation. Needs `startFresh`.
   *
   * @throws EspalierError as {@link exportModel} and {@link saveRecovery}
   */
  exportRecovered(asked: KeptRecovery, target: ExportTarget, hooks?: StepHooks): Promise<ExportReport>;
  /** Who will be able to read what the plan's only evaluation prunes, see `readersOfPlan`; without one the checkpoint as it is. */
  readers(plan: EvaluationPlan, layout?: Layout): Promise<ReadersReport>;
  /** Compares the speed of checkpoints, see `measureSpeed`. Needs `startFresh`. */
  measureSpeed(plan: SpeedPlan, hooks?: StepHooks): Promise<readonly SpeedReport[]>;
  /** What a checkpoint costs by what its blocks keep, see `modelCosts`. */
  costs(request: CostsRequest, hooks?: StepHooks): Promise<ModelCosts>;
  /** Compares an exported model's logits with those in a file: what the engine of an export asks a fresh one. */
  verify(request: VerifyRequest, hooks?: Pick<StepHooks, 'signal'>): Promise<Verification>;
  /** Loads a checkpoint for {@link speedRound}: what the engine of a comparison asks a fresh one. */
  openSpeed(request: SpeedRequest, hooks?: Pick<StepHooks, 'signal'>): Promise<SpeedSubject>;
  speedRound(hooks?: Pick<StepHooks, 'signal'>): Promise<SpeedRound>;
  /**
   * Opens the plan's checkpoint, or what its only evaluation makes of it, for {@link generate}. Several can be open, on one device;
   * all are closed when another device is asked for.
   *
   * @throws EspalierError `settings/invalid` for several evaluations, and what an evaluation throws
   */
  openServed(plan: ServedPlan, hooks?: StepHooks): Promise<Served>;
  /** Goes on from prompts, see `generate`; others may ask while it pauses. @throws EspalierError `engine/invariant` for a model that is not open */
  generate(asked: Generating, hooks?: GenerateHooks): Promise<Generated>;
  /**
   * Log-probabilities of tokens by an open model, see `scoreSequences`.
   *
   * @throws EspalierError `engine/invariant` for a model that is not open, `cancelled`
   */
  score(asked: Scoring, hooks?: Pick<StepHooks, 'signal'>): Promise<readonly (readonly ScoredToken[])[]>;
  closeServed(asked: ClosingServed): Promise<EmptyAnswer>;
  /** The tokenizer of an open model. @throws EspalierError `engine/invariant` */
  tokenizerOf(served: number): Tokenizer;
  /** Frees what is kept between evaluations: weights, programs, tokens. */
  dispose(): Promise<void>;
}

/** What is asked of an open model: the log-probabilities of tokens, and the `top` most likely ones in the place of each. */
export interface Scoring {
  readonly served: number;
  readonly sequences: readonly Sequence[];
  readonly top: number;
}

/** Nothing is to be said. */
type EmptyAnswer = Readonly<Record<string, never>>;

/** A finished recovery, and the state that it has kept. */
export interface KeptRecovery extends KeptState {
  readonly plan: RecoveryPlan;
}

export interface EngineOptions {
  /** Where hashes of large files and gradients are kept between processes; without it nothing is kept. */
  readonly cacheFolder?: string | undefined;
  /** Which device of several of its kind this process has; without it what it is given. */
  readonly deviceNumber?: number | undefined;
  /** Starts an engine in a process of its own: exports are verified there, and speeds measured. */
  readonly startFresh?: (() => FreshEngine) | undefined;
}

export function createEngine(options: EngineOptions = {}): Engine {
  let search: SearchSession | undefined;
  let recovery: RecoverySession | undefined;
  let speed: SpeedSession | undefined;
  /** Resolves when the recovery's pruned model is off the disk; all else is free before that. */
  const closeSearch = (): Promise<void> => {
    search?.dispose();
    search = undefined;
    const closed = recovery?.dispose() ?? Promise.resolve();
    recovery = undefined;
    return closed;
  };
  const served = new ServedModels();
  const models = new LoadedModels(options);
  const gradients = new LoadedGradients(options);
  const devices = new OpenDevices(() => {
    void closeSearch();
    speed?.dispose();
    speed = undefined;
    void served.dispose();
    models.dispose();
    gradients.dispose();
    denseStatistics.dispose();
  }, options.deviceNumber);
  const denseStatistics = new DenseStatistics();
  const tokenCache = new TokenCache(options);
  const dense: EngineState['dense'] = new Map();
  const { cacheFolder } = options;
  const encodedTasks: EngineState['encodedTasks'] = new Map();
  const state: EngineState = { devices, models, tokenCache, gradients, dense, cacheFolder, encodedTasks };
  const one = new OneAtATime();
  const alone = one.run.bind(one);

  const session = (): SearchSession => {
    if (!search || !models.holds(search.weights) || !gradients.holds(search.gradients)) throw notOpenError();
    return search;
  };

  const training = (): RecoverySession => {
    if (!recovery) throw notOpenError();
    return recovery;
  };

  const freshStarter = (): (() => FreshEngine) => {
    if (options.startFresh) return options.startFresh;
    throw noFreshError();
  };

  const withCheckpoint = async <Result>(model: string, use: (checkpoint: Checkpoint) => Promise<Result>) => {
    const checkpoint = await openCheckpoint(model, options);
    try {
      return await use(checkpoint);
    } finally {
      checkpoint.close();
    }
  };

  return {
    evaluate: (plan, hooks = {}) =>
      alone(async () => {
        throwIfCancelled(hooks.signal, 'evaluating');
        const evaluate = plan.evaluations.some((evaluation) => evaluation.recovery) ? evaluateRecovered : evaluatePlan;
        const sized = await timedPlan(await withLength<EvaluationPlan>(plan), 'measured', hooks, state);
        const evaluateEach = (told: EvaluationHooks): Promise<readonly EvaluationResult[]> =>
          sized.tasks?.list.some(isGenerated)
            ? evaluateGenerated(sized, told, state, evaluate)
            : evaluate(sized, told, state);
        const evaluateAll = (told: EvaluationHooks): Promise<readonly EvaluationResult[]> =>
          withPredictions(sized, told, state, evaluateEach);
        const results = await (plan.whole?.documents ? withDocuments(evaluateAll, hooks) : evaluateAll(hooks));
        // Where there is a text there are perplexities, which the compiler cannot follow.
        return results as readonly ResultOf<typeof plan>[];
      }),
    open: <Kind extends RunKind>(plan: PlanOf<Kind> & { readonly kind: Kind }, hooks: StepHooks = {}) =>
      alone(async () => {
        await closeSearch();
        const asked: RunPlan = await timedPlan<RunPlan>(await withLength(plan), 'measured', hooks, state);
        if (asked.tasks) await checkTasks(asked.tasks, asked.model, hooks);
        // What is opened is what the plan asks, which the compiler cannot follow.
        const told = (opening: OpeningOf<RunKind>): OpeningOf<Kind> => opening as OpeningOf<Kind>;
        if (asked.kind === 'recovery') {
          recovery = await RecoverySession.open(asked, hooks, state);
          return told(recovery.opening);
        }
        const opened = await openSession(asked, hooks, state);
        search = opened;
        return told(opened.opening);
      }),
    probe: (asked, hooks = {}) => alone(() => session().probe(asked, hooks)),
    measure: (asked, hooks = {}) => alone(() => session().measure(asked, hooks)),
    componentScores: (score, hooks = {}) => alone(() => session().componentScores(score, hooks)),
    train: (asked, hooks = {}) => alone(() => training().train(asked, hooks)),
    validate: (point, hooks = {}) => alone(() => training().validate(point, hooks)),
    recovered: (asked, hooks = {}) =>
      alone(async () => {
        const result = await training().recovered(asked, hooks);
        const { tasks } = asked;
        return tasks ? askRecovered(training(), result, { ...asked, tasks }, hooks, state) : result;
      }),
    saveRecovery: (asked, hooks = {}) =>
      alone(async () => {
        await closeSearch();
        const plan = await timedPlan(await withLength(asked.plan), 'measured', hooks, state);
        return saveRecovery({ ...asked, plan }, hooks, state);
      }),
    inspect: (plan, tensor, hooks = {}) =>
      alone(async () => {
        throwIfCancelled(hooks.signal, 'inspecting');
        return inspectMetric(await withLength(plan), tensor, hooks, { ...state, denseStatistics });
      }),
    preflight: (plan, hooks = {}) =>
      alone(async () => {
        throwIfCancelled(hooks.signal, 'evaluating');
        const sized = await timedPlan(await withLength(plan), 'known', hooks, state);
        const pruned = { ...withoutGenerated(sized), evaluations: sized.evaluations.map(withoutRecovery) };
        const trained = await withTraining(sized, await preflight(pruned, hooks, state, options.cacheFolder));
        return withAnswers(sized, await withSpeeds(sized, trained, state));
      }),
    tokens: (model, text, signal) =>
      withCheckpoint(model, async ({ tokenizerFolder: folder, config: { vocabulary } }) => {
        const source = { file: text, rows: DEFAULT_ROWS };
        return (await tokenCache.text({ folder, vocabulary }, source, { signal })).ids({ signal });
      }),
    workClass: (settings) => alone(() => workClassOf(devices, settings)),
    describe: (model) => withCheckpoint(model, (checkpoint) => Promise.resolve(summarise(checkpoint))),
    exportModel: (plan, target, hooks = {}) =>
      alone(async () => {
        throwIfCancelled(hooks.signal, 'exporting');
        const exported = { ...planInputs(plan), evaluations: plan.evaluations };
        const sized = await timedPlan(await withLength(withText(exported, 'exporting')), 'measured', hooks, state);
        const [evaluation, ...others] = sized.evaluations;
        const recovery =
          evaluation?.recovery && others.length === 0 ? recoveryPlanOf(sized, evaluation.recovery) : undefined;
        const report = recovery
          ? await exportRecovered(recovery, undefined, target, hooks, state, freshStarter())
          : await exportModel(sized, target, hooks, state, freshStarter());
        return { ...report, result: await withPrediction(sized, report.result, state) };
      }),
    exportRecovered: ({ plan, ...kept }, target, hooks = {}) =>
      alone(async () => {
        throwIfCancelled(hooks.signal, 'exporting');
        await closeSearch();
        const timed = await timedPlan(await withLength(plan), 'measured', hooks, state);
        return exportRecovered(timed, kept, target, hooks, state, freshStarter());
      }),
    readers: ({ model, evaluations: [evaluation], settings }, layout) =>
      withCheckpoint(model, (checkpoint) =>
        Promise.resolve(readersOfPlan(checkpoint, evaluation, settings, () => modelSizes(checkpoint), layout)),
      ),
    measureSpeed: (plan, hooks = {}) => alone(() => measureSpeed(plan, hooks, freshStarter())),
    costs: (request, hooks = {}) => alone(() => modelCosts(request, hooks, state)),
    verify: (request, { signal } = {}) => alone(() => verifyExport(request, signal, state)),
    openSpeed: (request, { signal } = {}) =>
      alone(async () => {
        speed?.dispose();
        speed = undefined;
        speed = await SpeedSession.open(request, signal, state);
        return speed.subject;
      }),
    speedRound: ({ signal } = {}) =>
      alone(() => {
        if (!speed) throw notOpenError();
        return speed.round(signal);
      }),
    openServed: (plan, hooks = {}) =>
      alone(async () => served.open(await timedPlan(await withLength(plan), 'measured', hooks, state), hooks, state)),
    generate: ({ served: number, ...asked }, { pause, ...hooks } = {}) =>
      alone((inPause) => {
        const paused = async (): Promise<void> => {
          await inPause(pause!);
          served.get(number);
        };
        return served.get(number).generate(asked, { ...hooks, ...(pause && { pause: paused }) });
      }),
    score: ({ served: number, sequences, top }, { signal } = {}) =>
      alone(() => {
        const step = async (): Promise<void> => {
          await new Promise(setImmediate);
          throwIfCancelled(signal, 'scoring');
        };
        return scoreSequences(served.get(number), sequences, { top, step });
      }),
    closeServed: ({ served: number }) =>
      alone(async () => {
        await served.close(number);
        return {};
      }),
    tokenizerOf: (number) => served.get(number).tokenizer,
    dispose: async () => {
      await closeSearch();
      await served.dispose();
      await devices.dispose();
    },
  };
}

/** The only result of a part with the documents of its tasks, which others are told one by one. */
async function withDocuments(
  evaluate: (hooks: EvaluationHooks) => Promise<readonly EvaluationResult[]>,
  { onResult, ...hooks }: EvaluationHooks,
): Promise<readonly EvaluationResult[]> {
  const documents: TaskDocument[] = [];
  const [result] = await evaluate({ ...hooks, onTaskDocument: (document) => documents.push(document) });
  const told = { ...result!, documents };
  onResult?.(told, 0);
  return [told];
}

function summarise({ folder, config, tensors, notes }: Checkpoint): CheckpointSummary {
  const parameters = allParameters(config);
  const count = (of: typeof parameters): number => of.reduce((total, { shape }) => total + sizeOf(shape), 0);
  return {
    folder,
    architecture: config.architecture,
    parameters: count(parameters),
    prunableParameters: count(parameters.filter((parameter) => parameter.linear)),
    blocks: config.depth,
    layers: layerTypes(config),
    hidden: config.hidden,
    vocabulary: config.vocabulary,
    modelLength: modelLength(config),
    storedAs: [...new Set(parameters.map(({ tensor }) => tensors.get(tensor)?.dtype ?? 'missing'))].sort(),
    ...(notes.length > 0 && { notes }),
  };
}

function notOpenError(): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: 'measuring candidates',
    expected: 'an open search',
    actual: 'none: another model or device was asked for since',
    remedy: 'Open the search again.',
  });
}

function noFreshError(): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: 'starting another process',
    expected: 'an engine that was given a way to start one',
    actual: 'one without',
    remedy: 'Create the engine with startFresh.',
  });
}
