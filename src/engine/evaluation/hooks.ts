import type { ErrorData } from '../../base/errors.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { TaskDocument } from '../../experiment/taskSchema.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { HiddenBatch } from '../forward/hiddenBatch.ts';
import type { StepHooks } from '../forward/step.ts';
import type { PrunedLayer } from '../pruning/pruner.ts';
import type { RefittedLayer } from '../structure/refitter.ts';
import type { RemovedComponents } from './removal.ts';

/** What an evaluation tells on its way. */
export interface EvaluationHooks extends StepHooks {
  readonly onResult?: ((result: EvaluationResult, index: number) => void) | undefined;
  /** Called with every document of the tasks of a result, before {@link onResult}. */
  readonly onTaskDocument?: ((document: TaskDocument, index: number) => void) | undefined;
  /** @param index of the evaluation in the plan */
  readonly onFailure?: ((failure: ErrorData, index: number) => void) | undefined;
  /** Called with every layer that an evaluation has pruned, block after block. */
  readonly onPruned?: ((layer: PrunedLayer, index: number) => void) | undefined;
  /** Called with the whole components that an evaluation has removed, where it removes any. */
  readonly onRemoved?: ((removed: RemovedComponents, index: number) => void) | undefined;
  /** Called with every output projection that is refitted after {@link onRemoved}, block after block. */
  readonly onRefitted?: ((layer: RefittedLayer, index: number) => void) | undefined;
  /** Called with the hidden states after the last block of every pruned model's first sequences, before their losses are taken. */
  readonly onFinal?: ((final: FinalStates) => Promise<void>) | undefined;
}

interface FinalStates {
  readonly batch: HiddenBatch;
  /** Weights of everything after the last block. */
  readonly head: Weights;
}
