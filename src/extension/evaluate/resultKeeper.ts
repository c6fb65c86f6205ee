import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { taskFiles } from './inputHashes.ts';
import type { InputHashes, Input } from './inputHashes.ts';
import type { RecordBooks } from './recordBooks.ts';

export interface ResultKeeperParts {
  readonly hashes: InputHashes;
  readonly records: RecordBooks;
  readonly onResult: (result: EvaluationResult) => void;
  /** A result is shown but could not be written. */
  readonly onLost: (result: EvaluationResult, error: unknown) => void;
}

/**
 * Keeps the results of a plan. The looks of its inputs are taken before it runs, so that the hashes in a result are remembered
 * for what was really read.
 *
 * @param document the `.prune` file, absolute
 * @returns what is to be called with each result
 */
export async function keepResults(
  parts: ResultKeeperParts,
  document: string,
  plan: EvaluationPlan,
): Promise<(result: EvaluationResult) => void> {
  const inputs = await Promise.all(
    inputsOf(plan).map(async (input) => ({ ...input, stamp: await parts.hashes.stamp(input.input) })),
  );
  return (result) => {
    parts.onResult(result);
    const keep = async (): Promise<void> => {
      for (const { input, stamp, hashIn } of inputs) {
        const hash = hashIn(result);
        if (hash !== undefined) await parts.hashes.learn(input, stamp, hash);
      }
      await parts.records.add(document, plan, result);
    };
    keep().catch((error: unknown) => {
      parts.onLost(result, error);
    });
  };
}

interface PlanInput {
  readonly input: Input;
  readonly hashIn: (result: EvaluationResult) => string | undefined;
}

function inputsOf({ model, text, calibration, gradients, train, validate, tasks }: EvaluationPlan): PlanInput[] {
  const file = (path: string | undefined, hashIn: PlanInput['hashIn']): PlanInput[] =>
    path === undefined ? [] : [{ input: { kind: 'file', path }, hashIn }];
  return [
    { input: { kind: 'model', path: model }, hashIn: ({ provenance }) => provenance.modelHash },
    ...file(text, ({ provenance }) => provenance.textHash),
    ...file(calibration, ({ provenance }) => provenance.calibrationHash),
    ...file(gradients, ({ provenance }) => provenance.gradientsHash),
    ...file(train, ({ provenance }) => provenance.trainHash),
    ...file(validate, ({ provenance }) => provenance.validateHash),
    ...taskFiles(tasks).flatMap(({ documents, place }) =>
      file(documents, (result) => result.tasks?.[place]?.documentsHash),
    ),
  ];
}
