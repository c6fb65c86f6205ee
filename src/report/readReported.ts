import path from 'node:path';
import { isHubReference } from '../experiment/hubReference.ts';
import { onTestText, planInputs } from '../experiment/planInputs.ts';
import type { EvaluationPlan, PlanInputs } from '../experiment/planSchema.ts';
import { printSparsity } from '../experiment/sparsity.ts';
import type { EvaluationResult } from '../experiment/resultSchema.ts';
import { plannedKey, recordKey, resultWithPaths } from '../runs/evaluationRecord.ts';
import type { EvaluationRecord } from '../runs/evaluationRecord.ts';
import { checkWhole } from '../runs/journalReader.ts';
import { journalOf, openRun, runName } from '../runs/runFolder.ts';
import { withPaths } from '../runs/portablePaths.ts';
import { readNotes } from '../runs/runNotes.ts';
import { planOf } from '../runs/runRecord.ts';
import { foldEvent, newState } from '../search/folds.ts';
import type { AnySearchState } from '../search/folds.ts';
import type { RunPlan } from '../search/kinds.ts';
import type { FinalistEvent } from '../search/lifecycle/events.ts';
import type { ReportedEvaluation, ReportedFinalist, ReportedRun } from './reported.ts';

/**
 * Reads all of a run.
 *
 * @param folder of the run, absolute
 * @throws EspalierError as `openRun`; `runs/damaged` where its journal is not as it was written: half a run looks like a whole one; `io/read`
 */
export async function readReportedRun(folder: string): Promise<ReportedRun> {
  const run = await openRun(folder);
  const state = newState(run.record.plan.kind);
  const journal = journalOf(run);
  for await (const records of journal.more()) for (const { event, at } of records) foldEvent(state, event, at);
  checkWhole(journal);
  const { root, record } = run;
  const plan = planOf(record, root);
  const { name } = await readNotes(folder);
  return {
    id: runName(run),
    title: name ?? runName(run),
    plan,
    state,
    versions: record.versions,
    fingerprint: record.fingerprint,
    finalists: finalistsOf(plan, state, root, name ?? runName(run)),
  };
}

/** Those that were found come first, the best at the head of them; then baselines, in their order. */
function finalistsOf(plan: RunPlan, state: AnySearchState, root: string, run: string): readonly ReportedFinalist[] {
  const finalists: readonly FinalistEvent[] = state.finalists;
  const isFound = ({ id, result, test }: FinalistEvent): boolean =>
    id !== undefined || (result ?? test)?.structure?.method === 'mask';
  const ranking: readonly (number | undefined)[] = 'ranking' in state ? state.ranking : [];
  const found = finalists.filter(isFound);
  const ranked = plan.kind === 'recovery' ? [] : [...found].sort((a, b) => placeOf(a, ranking) - placeOf(b, ranking));
  const others = plan.kind === 'recovery' ? finalists : finalists.filter((one) => !isFound(one));
  return [
    ...ranked.map((event, i) => finalist(event, plan, root, run, i + 1)),
    ...others.map((event) => finalist(event, plan, root, run)),
  ];
}

function placeOf({ id }: FinalistEvent, ranking: readonly (number | undefined)[]): number {
  const place = ranking.indexOf(id);
  return place < 0 ? Infinity : place;
}

function finalist(
  { name, result, test, error }: FinalistEvent,
  plan: RunPlan,
  root: string,
  run: string,
  place?: number,
): ReportedFinalist {
  const { tasks } = plan;
  const asked = tasks && { tasks };
  const evaluated = (inputs: PlanInputs, of: EvaluationResult, isAsked: boolean): ReportedEvaluation => ({
    inputs,
    ...(isAsked && asked),
    result: resultWithPaths(of, (file) => absolute(root, file)),
    from: run,
  });
  const unseen = plan.test;
  return {
    name,
    ...(place !== undefined && { place }),
    ...(result && { fitness: evaluated(planInputs(plan), result, unseen === undefined) }),
    ...(test && unseen !== undefined && { test: evaluated(onTestText(plan, unseen), test, true) }),
    ...(error && { failed: `${error.operation}: ${error.actual}` }),
  };
}

/** A kept evaluation as it is reported. @param root workspace folder that its paths start from */
export function reportedRecord(record: EvaluationRecord, root: string): ReportedEvaluation {
  const map = (file: string): string => absolute(root, file);
  const asked = withPaths(record, map);
  const { tasks } = asked;
  return {
    inputs: planInputs(asked),
    ...(tasks && { tasks }),
    result: resultWithPaths(record.result, map),
    from: 'evaluation',
  };
}

/** What is kept of the evaluations of a plan, the newest of each, and the names of those of which nothing is. @param records oldest first */
export function keptOf(
  plan: EvaluationPlan,
  records: readonly EvaluationRecord[],
  root: string,
): { readonly kept: readonly ReportedEvaluation[]; readonly missing: readonly string[] } {
  const byKey = new Map(records.map((record) => [recordKey(record), record]));
  const kept: ReportedEvaluation[] = [];
  const missing: string[] = [];
  const wanted = plan.evaluations.length === 0 ? [undefined] : plan.evaluations;
  for (const evaluation of wanted) {
    const record = byKey.get(plannedKey(plan, evaluation, root));
    if (record) kept.push(reportedRecord(record, root));
    else missing.push(evaluation ? `${evaluation.metric} at ${printSparsity(evaluation.sparsity)}` : 'the dense model');
  }
  return { kept, missing };
}

function absolute(root: string, file: string): string {
  return isHubReference(file) ? file : path.resolve(root, file);
}
