import type { EvaluationPlan } from './planSchema.ts';
import { sampleNeeds } from './planned.ts';
import type { EvaluationResult, Provenance } from './resultSchema.ts';
import type { TaskResult } from './taskSchema.ts';

/** A plan as it is asked of several workers. */
export interface PlanParts {
  /** The dense model: what everybody opens the plan with, and what one without evaluations asks. */
  readonly opening: EvaluationPlan;
  /** One for each evaluation, in their order. */
  readonly parts: readonly EvaluationPlan[];
}

/**
 * Parts a plan: each of its evaluations is to the last digit what it is among the others, see test/engine/evaluation/parts.test.ts.
 *
 * @param details whether the results are to have the documents of their tasks
 */
export function partsOf(plan: EvaluationPlan, details: boolean): PlanParts {
  const { evaluations } = plan;
  const { calibration, gradients } = sampleNeeds(evaluations);
  const part = (own: EvaluationPlan['evaluations'], documents: boolean): EvaluationPlan => ({
    ...plan,
    evaluations: own,
    whole: { calibration, gradients, documents },
  });
  return {
    opening: part([], details && evaluations.length === 0),
    parts: evaluations.map((evaluation) => part([evaluation], details)),
  };
}

/**
 * What of a result depends on nothing but what was asked, content of files, and what computes: not on where the files lie, on threads, room and time
 * (gradients that were computed before among it).
 */
export function essentialsOf({ tasks, provenance, ...result }: EvaluationResult): object {
  return {
    ...without(result, OF_THE_WAY),
    provenance: without(provenance, OF_THE_PLACE),
    ...(tasks && { tasks: tasks.map((task) => without(task, OF_THE_TASK)) }),
  };
}

const OF_THE_WAY: ReadonlySet<string> = new Set<keyof EvaluationResult>([
  'seconds',
  'gradients',
  'hiddenStates',
  'documents',
  'predicted',
]);
const OF_THE_PLACE: ReadonlySet<string> = new Set<keyof Provenance>([
  'deviceName',
  'model',
  'text',
  'calibration',
  'gradients',
  'train',
  'validate',
]);
const OF_THE_TASK: ReadonlySet<string> = new Set<keyof TaskResult>(['seconds', 'documentsFile']);

function without(of: object, names: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(of).filter(([name]) => !names.has(name)));
}
