import { EspalierError } from '../base/errors.ts';
import { fileProblem } from '../files/fileProblem.ts';
import { hashOfState, stateFile } from '../files/stateFiles.ts';
import { foldEvent, newState } from '../search/folds.ts';
import type { RecoveredForm, RecoveryFinished, Saving } from '../search/recovery/events.ts';
import { recoveryReport } from '../search/recovery/report.ts';
import { checkWhole } from './journalReader.ts';
import { isRunOf, journalOf, runName } from './runFolder.ts';
import type { RunFolder } from './runFolder.ts';
import { planOf } from './runRecord.ts';
import { fileOfRun } from './runPath.ts';

interface KeptRecovery extends Pick<Saving, 'plan' | 'point'> {
  readonly report: ReturnType<typeof recoveryReport>;
}

/**
 * What to ask an engine to write what a finished recovery has kept.
 *
 * @param to folder, absolute
 * @throws EspalierError `settings/invalid` for a run that is no finished recovery; `runs/damaged` where its journal, or the state that it has kept,
 * is not as it was; `io/read`
 */
export async function savingOf(run: RunFolder, as: RecoveredForm, to: string): Promise<Saving> {
  const { plan, point } = await keptBy(run, as);
  return { plan, point, as, to };
}

/**
 * The state that a finished recovery has kept, and what came of the training.
 *
 * @throws EspalierError as {@link savingOf}
 */
export async function keptBy(run: RunFolder, as: RecoveredForm = 'merged'): Promise<KeptRecovery> {
  if (!isRunOf(run, 'recovery')) throw notKept(run, 'a search');
  const state = newState('recovery');
  const journal = journalOf(run);
  for await (const records of journal.more()) for (const { event, at } of records) foldEvent(state, event, at);
  checkWhole(journal);
  const { finished, stopped, opening } = state;
  if (!finished || !stopped || !opening)
    throw notKept(run, `one that is at step ${state.steps} of ${run.record.plan.recovery.steps}`);
  if (as === 'adapter' && finished.kept === 0 && run.record.plan.adapter === undefined)
    throw notKept(run, 'one that kept the model as it was, without an adapter');
  await checkState(run, finished);
  const report = recoveryReport(run.record.plan.recovery, { opening, stopped, outcome: finished });
  return { plan: planOf(run.record, run.root), point: { step: finished.kept, folder: run.folder }, report };
}

async function checkState({ folder }: RunFolder, { kept, state }: RecoveryFinished): Promise<void> {
  if (state === null) return;
  const file = stateFile(folder, kept);
  let actual = 'another one';
  try {
    if ((await hashOfState(folder, kept, fileOfRun(file))) === state) return;
  } catch (error) {
    actual = fileProblem(error).message;
  }
  throw new EspalierError({
    code: 'runs/damaged',
    operation: `reading what the run ${runName({ folder })} has kept`,
    expected: `the state after ${kept} steps, as its journal knows it`,
    actual,
    remedy: 'Restore the file, or begin the recovery anew: an equal plan comes to the same state.',
    file,
  });
}

function notKept(run: RunFolder, actual: string): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: `writing what the run ${runName(run)} has found`,
    expected: 'a recovery that is finished',
    actual,
    remedy: 'Let it come to its end; `espalier runs show` says how far it is.',
  });
}
