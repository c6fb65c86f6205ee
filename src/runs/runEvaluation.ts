import { EspalierError } from '../base/errors.ts';
import { planInputs } from '../experiment/planInputs.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../experiment/planSchema.ts';
import { foldEvent, newState } from '../search/folds.ts';
import type { AnySearchState } from '../search/folds.ts';
import type { RunPlan } from '../search/kinds.ts';
import { parsePrefix } from '../metric/parsePrefix.ts';
import { printInfix } from '../metric/print.ts';
import { evaluationWith } from '../search/rates/configuration.ts';
import { bestConfiguration } from '../search/rates/state.ts';
import { bestOf } from '../search/metrics/state.ts';
import { checkWhole } from './journalReader.ts';
import { journalOf } from './runFolder.ts';
import type { RunFolder } from './runFolder.ts';
import { planOf } from './runRecord.ts';

/**
 * The evaluation of what a run has found, as it would be asked for outside of it: to be evaluated again, or exported. What
 * followed the mask in the search follows it here.
 *
 * @param candidate id of a metric or of a configuration of rates; the best one where it is not given. A search for masks has one result, and a
 * recovery what it prunes and trains, if it prunes.
 * @throws EspalierError `settings/invalid` where there is none of that id, or none yet; `runs/damaged` where the best is asked for, and
 * what is damaged could have been better; `io/read`
 */
export async function evaluationOfRun(run: RunFolder, candidate?: number): Promise<EvaluationPlan> {
  return { ...planInputs(planOf(run.record, run.root)), evaluations: await foundIn(run, candidate) };
}

async function foundIn(run: RunFolder, candidate: number | undefined): Promise<readonly PlannedEvaluation[]> {
  const { plan, id } = run.record;
  const state = newState(plan.kind);
  const journal = journalOf(run);
  for await (const records of journal.more()) for (const { event, at } of records) foldEvent(state, event, at);
  // A candidate that is named is what it is; for the best all events are needed.
  if (candidate === undefined) checkWhole(journal);
  const found = foundBy(plan, state, candidate);
  if (typeof found === 'string') throw notFound(id, candidate, found);
  return found ? [found] : [];
}

/** @returns what was found, or how far the search is that has not found it; undefined for a recovery that prunes nothing */
function foundBy(
  plan: RunPlan,
  state: AnySearchState,
  candidate: number | undefined,
): PlannedEvaluation | string | undefined {
  if (plan.kind === 'masks' && state.kind === 'masks') {
    if (candidate !== undefined) return 'a search for masks, which has one result';
    if (!state.finished) return `one that is at step ${state.steps} of ${plan.search.steps}`;
    return {
      metric: `${plan.name}, policy gradient`,
      structure: { kind: 'mask', mask: state.finished.mask },
      sparsity: plan.sparsity,
      ...(plan.update && { update: plan.update }),
    };
  }
  if (plan.kind === 'rates' && state.kind === 'rates') {
    const found = candidate === undefined ? bestConfiguration(state) : state.byId.get(candidate);
    if (!found || !state.opening) return `one with ${state.candidates.length} configurations of rates`;
    return evaluationWith(plan, found, state.opening.components);
  }
  if (plan.kind === 'metrics' && state.kind === 'metrics') {
    const best = state.ranking[0];
    const found = candidate === undefined && best === undefined ? bestOf(state) : state.byId.get(candidate ?? best!);
    if (!found) return `one with ${state.candidates.length} candidates`;
    const expression = parsePrefix(found.expression);
    const { sparsity, update } = plan;
    return { metric: printInfix(expression), expression, sparsity, ...(update && { update }) };
  }
  if (plan.kind === 'recovery') {
    if (candidate !== undefined) return 'a recovery, which has one result';
    return plan.evaluation && { ...plan.evaluation, recovery: plan.recovery };
  }
  return `a search for ${plan.kind}`;
}

function notFound(run: string, candidate: number | undefined, actual: string): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: `looking for a result of the run ${run}`,
    expected: candidate === undefined ? 'a run that has found something' : `a result with the id ${candidate}`,
    actual,
    remedy: 'Let the search come further, or choose another; `espalier runs show` lists what was found.',
  });
}
