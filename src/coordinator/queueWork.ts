import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { VERSION } from '../base/version.ts';
import type { EvaluationPlan } from '../experiment/planSchema.ts';
import type { EvaluationResult } from '../experiment/resultSchema.ts';
import { sharedPath } from '../queue/sharedPaths.ts';
import { digitsOf, runKey } from '../queue/wire.ts';
import type { RunClass, RunEntry } from '../queue/wire.ts';
import { withPaths } from '../runs/portablePaths.ts';
import { runName } from '../runs/runFolder.ts';
import type { RunFolder } from '../runs/runFolder.ts';
import type { RunPlan } from '../search/kinds.ts';
import type { SearchOpening } from '../search/lifecycle/events.ts';
import type { Opened, QueueQuestions } from './queueQuestions.ts';

/** What is asked over a queue, as far as it differs: a run, or what of an experiment is opened alike. */
export interface QueueWork<Opening> {
  /** Names it at the server. */
  readonly key: string;
  readonly title: string;
  /** Workspace folder, absolute. */
  readonly root: string;
  readonly entry: RunEntry['work'];
  /** What it was opened with before: only workers that find the same answer it. Whoever is there first opens it where it is not said. */
  readonly before?: { readonly opening: Opening; readonly class: RunClass };
  /** @param limit milliseconds */
  readonly open: (questions: QueueQuestions, limit: number) => Promise<Opened<Opening>>;
}

/** @param plan with absolute paths. @param opening as the journal has it, if it does */
export function runWork(run: RunFolder, plan: RunPlan, opening: SearchOpening | undefined): QueueWork<SearchOpening> {
  return {
    ...{ key: runKey(run.record), title: runName(run), root: run.root },
    entry: { kind: 'run', plan: withPaths(plan, (file) => sharedPath(run.root, file)) },
    ...(opening && { before: { opening, class: classBefore(opening, plan) } }),
    open: (questions, limit) => questions.open(plan, limit),
  };
}

/**
 * Each time it is evaluated an experiment is another one: nobody goes on with it.
 *
 * @param opening of all its parts, with absolute paths
 * @param root folder that paths are relative to for those who have it elsewhere
 */
export function experimentWork(opening: EvaluationPlan, root: string): QueueWork<EvaluationResult> {
  return {
    ...{ key: runKey([randomUUID()]), title: `evaluations of ${path.basename(opening.model)}`, root },
    entry: { kind: 'experiment', plan: withPaths(opening, (file) => sharedPath(root, file)) },
    open: (questions, limit) => questions.openExperiment(opening, limit),
  };
}

/** Of who opened a run before: what the journal knows of that. */
function classBefore(opening: SearchOpening, { settings }: RunPlan): RunClass {
  const { device } = opening;
  const of = {
    espalier: VERSION,
    onnxruntime: 'as when it began',
    device,
    deviceName: `the ${device} that it began on`,
  };
  return { digits: digitsBefore(opening), of: { ...of, precision: settings.precision } };
}

/** @param opening as the journal may have it, which names the kind of event beside */
function digitsBefore(opening: SearchOpening): string {
  return digitsOf({ ...opening, kind: undefined });
}
