import type { EvaluationProgress } from '../../experiment/resultSchema.ts';

/** Stages whose steps are counted together; a file that is read has a count of its own. */
const COUNTED: ReadonlySet<EvaluationProgress['stage']> = new Set(['gradients', 'pruning', 'evaluating']);

/** Seconds of steps before anything is said: the first have programs to compile. */
const ENOUGH = 2;

/**
 * Watches a plan's progress and says how many seconds the rest will take at the pace so far, which no preflight knows as well: other work may have
 * come to the machine. Undefined where nothing can be said yet.
 *
 * @param now seconds, from any start
 */
export function timeLeft(now: () => number): (progress: EvaluationProgress) => number | undefined {
  let from: { readonly at: number; readonly done: number; readonly total: number } | undefined;
  let last = 0;
  return ({ stage, done, total }) => {
    if (!COUNTED.has(stage)) return undefined;
    if (from?.total !== total || done < last) from = { at: now(), done, total };
    last = done;
    const [passed, made] = [now() - from.at, done - from.done];
    return made > 0 && passed >= ENOUGH ? (passed / made) * (total - done) : undefined;
  };
}
