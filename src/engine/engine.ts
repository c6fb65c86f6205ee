import { EspalierError, throwIfCancelled } from '../base/errors.ts';
import type { EvaluationPlan } from '../experiment/plan.ts';
import type { CheckpointSummary, EvaluationProgress, EvaluationResult } from '../experiment/result.ts';
import type { ErrorData } from '../base/errors.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint/checkpoint.ts';
import { evaluatePlan } from './evaluation/evaluatePlan.ts';
import type { EngineState } from './evaluation/prepareSweep.ts';
import { LoadedModels } from './forward/loadedModels.ts';
import { TokenCache } from './forward/tokenCache.ts';
import { allParameters } from './models/model.ts';
import { sizeOf } from './graph/shape.ts';
import type { PrunedLayer } from './pruning/pruner.ts';
import { OpenDevices } from './runtime/openDevices.ts';

export { listDevices } from './runtime/probe.ts';

/** Everything numeric, behind one door: used by the worker and by the command line alike. One engine to a process. */
export interface Engine {
  /**
   * Evaluates a plan. One result for each evaluation, in order; with none, one for the dense model.
   *
   * @throws EspalierError; a metric that cannot rank fails alone: it is reported through `onFailure`, and only without that hook, or
   * when no evaluation is left, does the whole plan reject with its error
   */
  evaluate(plan: EvaluationPlan, hooks?: EvaluationHooks): Promise<readonly EvaluationResult[]>;
  /** Token ids of a text as the perplexity protocol sees them, special tokens included. */
  tokens(model: string, text: string, signal?: AbortSignal): Promise<Int32Array>;
  describe(model: string): Promise<CheckpointSummary>;
  /** Frees what is kept between evaluations: weights, programs, tokens. */
  dispose(): Promise<void>;
}

export interface EvaluationHooks {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: EvaluationProgress) => void) | undefined;
  readonly onResult?: ((result: EvaluationResult, index: number) => void) | undefined;
  /** @param index of the evaluation in the plan */
  readonly onFailure?: ((failure: ErrorData, index: number) => void) | undefined;
  /** Called with every layer that an evaluation has pruned, block after block. */
  readonly onPruned?: ((layer: PrunedLayer, index: number) => void) | undefined;
}

export interface EngineOptions {
  /** Where hashes of large files are remembered between processes; nothing is written without it. */
  readonly cacheFolder?: string | undefined;
}

export function createEngine(options: EngineOptions = {}): Engine {
  const models = new LoadedModels(options);
  const devices = new OpenDevices(() => {
    models.dispose();
  });
  const tokenCache = new TokenCache();
  const dense: EngineState['dense'] = new Map();
  let busy = false;

  const withCheckpoint = async <Result>(model: string, use: (checkpoint: Checkpoint) => Promise<Result>) => {
    const checkpoint = await openCheckpoint(model, options);
    try {
      return await use(checkpoint);
    } finally {
      checkpoint.close();
    }
  };

  return {
    async evaluate(plan, hooks = {}) {
      if (busy) throw busyError();
      busy = true;
      try {
        throwIfCancelled(hooks.signal, 'evaluating');
        return await evaluatePlan(plan, hooks, { devices, models, tokenCache, dense });
      } finally {
        busy = false;
      }
    },
    tokens: (model, text, signal) =>
      withCheckpoint(
        model,
        async ({ config }) => (await tokenCache.tokens(model, config.vocabulary, text, signal)).ids,
      ),
    describe: (model) => withCheckpoint(model, (checkpoint) => Promise.resolve(summarise(checkpoint))),
    dispose: () => devices.dispose(),
  };
}

function summarise({ folder, config, tensors }: Checkpoint): CheckpointSummary {
  const parameters = allParameters(config);
  const count = (of: typeof parameters): number => of.reduce((total, { shape }) => total + sizeOf(shape), 0);
  return {
    folder,
    architecture: config.architecture,
    parameters: count(parameters),
    prunableParameters: count(parameters.filter((parameter) => parameter.linear)),
    blocks: config.depth,
    hidden: config.hidden,
    vocabulary: config.vocabulary,
    storedAs: [...new Set(parameters.map(({ tensor }) => tensors.get(tensor)?.dtype ?? 'missing'))].sort(),
  };
}

function busyError(): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: 'evaluating',
    expected: 'one evaluation at a time in an engine',
    actual: 'a second one while the first runs',
    remedy: 'Wait for the first, or use an engine in another process.',
  });
}
