import { EspalierError } from '../base/errors.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../experiment/planSchema.ts';
import { isMaskSearch, isMetricEvent, isRateSearch, type RunEvent } from '../search/kinds.ts';
import { parsePrefix } from '../metric/parsePrefix.ts';
import { printInfix } from '../metric/print.ts';
import { foldMaskEvent, newMaskState } from '../search/masks/state.ts';
import { bestConfiguration, foldRateEvent, newRateState } from '../search/rates/state.ts';
import { bestOf, foldEvent, newSearchState } from '../search/metrics/state.ts';
import { checkWhole } from './journalReader.ts';
import { journalOf } from './runFolder.ts';
import type { RunFolder } from './runFolder.ts';
import { planOf } from './runRecord.ts';

/**
 * The evaluation of what a run has found, as it would be asked for outside of it: to be evaluated again, or exported.
 *
 * @param candidate id of a metric or of a configuration of rates; the best one where it is not given. A search for masks has one result.
 * @throws EspalierError `settings/invalid` where there is none of that id, or none yet; `runs/damaged` where the best is asked for, and
 * what is damaged could have been better; `io/read`
 */
export async function evaluationOfRun(run: RunFolder, candidate?: number): Promise<EvaluationPlan> {
  const { model, text, calibration, settings } = planOf(run.run, run.root);
  return {
    model,
    text,
    ...(calibration !== undefined && { calibration }),
    evaluations: [await foundIn(run, candidate)],
    settings,
  };
}

async function foundIn(run: RunFolder, candidate: number | undefined): Promise<PlannedEvaluation> {
  const { plan, id } = run.run;
  if (isMaskSearch(plan)) {
    const state = newMaskState();
    await eachEvent(run, candidate, (event, at) => foldMaskEvent(state, event, at));
    if (candidate !== undefined) throw notFound(id, candidate, 'a search for masks, which has one result');
    if (!state.finished) throw notFound(id, candidate, `one that is at step ${state.steps} of ${plan.search.steps}`);
    return {
      metric: `${plan.name}, policy gradient`,
      structure: { kind: 'mask', mask: state.finished.mask },
      sparsity: plan.sparsity,
    };
  }
  if (isRateSearch(plan)) {
    const state = newRateState();
    await eachEvent(run, candidate, (event, at) => foldRateEvent(state, event, at));
    const found = candidate === undefined ? bestConfiguration(state) : state.byId.get(candidate);
    if (!found) throw notFound(id, candidate, `one with ${state.configurations.length} configurations of rates`);
    const rates = { kind: 'given', rates: found.rates } as const;
    const { target, sparsity } = plan;
    return target.kind === 'structure'
      ? { metric: target.name, structure: { kind: 'scored', score: target.score, rates }, sparsity }
      : { metric: target.metric, expression: target.expression, sparsity, rates };
  }
  const state = newSearchState();
  await eachEvent(run, candidate, (event, at) => {
    if (isMetricEvent(event)) foldEvent(state, event, at);
  });
  const best = state.ranking[0];
  const found = candidate === undefined && best === undefined ? bestOf(state) : state.byId.get(candidate ?? best!);
  if (!found) throw notFound(id, candidate, `one with ${state.candidates.length} candidates`);
  const expression = parsePrefix(found.expression);
  return { metric: printInfix(expression), expression, sparsity: plan.sparsity };
}

/** A candidate that is named is what it is; for the best all events are needed. */
async function eachEvent(
  run: RunFolder,
  candidate: number | undefined,
  take: (event: RunEvent, at: number) => unknown,
): Promise<void> {
  const journal = journalOf(run);
  for await (const records of journal.more()) for (const { event, at } of records) take(event, at);
  if (candidate === undefined) checkWhole(journal);
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
