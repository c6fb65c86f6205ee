import { createHash } from 'node:crypto';
import * as z from 'zod';
import { parseBoundedJson } from '../base/boundedJson.ts';
import type { Immutable } from '../base/immutable.ts';
import type { EvaluationPlan, PlanInputs, PlannedEvaluation } from '../experiment/planSchema.ts';
import { scoreText } from '../experiment/planned.ts';
import type { EvaluationResult, PerplexityResult } from '../experiment/resultSchema.ts';
import { resultSchema } from '../experiment/resultSchema.ts';
import { evaluationFields } from '../experiment/planSchema.ts';
import { plannedTasksSchema } from '../experiment/taskSchema.ts';
import type { PlannedTasks } from '../experiment/taskSchema.ts';
import { planInputs } from '../experiment/planInputs.ts';
import { textSchema } from '../base/scalarSchemas.ts';
import { SETTINGS } from '../experiment/settings.ts';
import { printSparsity } from '../experiment/sparsity.ts';
import { decidingNames } from '../experiment/settingRow.ts';
import type { Sparsity } from '../experiment/sparsitySchema.ts';
import { portablePath, withPaths } from './portablePaths.ts';

const RECORD_FORMAT = 'espalier-evaluation-1';

/**
 * One evaluation as it is kept: what was asked, and the result with its provenance. All paths are relative to the workspace
 * folder and written with slashes, so that a record means the same in another clone.
 */
export type EvaluationRecord = Immutable<z.infer<typeof recordSchema>>;

const recordSchema = z.strictObject({
  format: z.literal(RECORD_FORMAT),
  /** ISO 8601, UTC. */
  savedAt: z.iso.datetime(),
  /** The `.prune` file that it was asked from. */
  document: textSchema,
  ...evaluationFields,
  tasks: plannedTasksSchema.exactOptional(),
  result: resultSchema,
});

export interface RecordContext {
  /** Workspace folder, absolute. */
  readonly root: string;
  /** The `.prune` file, absolute. */
  readonly document: string;
  readonly savedAt: Date;
}

/** @param plan with absolute paths, as the language makes them. */
export function createRecord(plan: EvaluationPlan, result: EvaluationResult, context: RecordContext): EvaluationRecord {
  const { root, document, savedAt } = context;
  const { tasks, ...asked } = portable(root, plan);
  return {
    format: RECORD_FORMAT,
    savedAt: savedAt.toISOString(),
    document: portablePath(root, document),
    ...planInputs(asked),
    ...(tasks && { tasks }),
    result: portableResult(root, result),
  };
}

/** The same result with the paths of its provenance and of its tasks as {@link portablePath} makes them. */
export function portableResult(root: string, result: PerplexityResult): PerplexityResult;
export function portableResult(root: string, result: EvaluationResult): EvaluationResult;
export function portableResult(root: string, result: EvaluationResult): EvaluationResult {
  return resultWithPaths(result, (file) => portablePath(root, file));
}

/** The same result with other paths in its provenance and its tasks. */
export function resultWithPaths(result: EvaluationResult, map: (file: string) => string): EvaluationResult {
  const { tasks, provenance } = result;
  const asked = tasks?.map((task) => ({ ...task, documentsFile: map(task.documentsFile) }));
  return { ...result, provenance: withPaths(provenance, map), ...(asked && { tasks: asked }) };
}

/** The record in a file's text, or undefined where it is none. */
export function parseRecord(text: string): EvaluationRecord | undefined {
  try {
    const parsed = recordSchema.safeParse(parseBoundedJson(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Equal exactly when two evaluations ask the same of the same paths. Names, device, precision and threads do not enter; they
 * are shown with the number instead.
 */
export function plannedKey(plan: EvaluationPlan, evaluation: PlannedEvaluation | undefined, root: string): string {
  const [expression, isTrained] = evaluation
    ? [scoreText(evaluation), evaluation.recovery !== undefined]
    : ['dense', false];
  const asked = portable(root, plan);
  return keyOf(asked, asked.tasks, expression, evaluation?.sparsity, isTrained);
}

/** The key that {@link plannedKey} gives for the plan that this record came from. */
export function recordKey(record: EvaluationRecord): string {
  const { expression, sparsity, provenance } = record.result;
  return keyOf(record, record.tasks, expression, sparsity, provenance.train !== undefined);
}

/** File name of a record: readable, the same for the same evaluation of the same file, never that of another. */
export function recordName(record: EvaluationRecord): string {
  const { metric, sparsity, fingerprint } = record.result;
  const what = metric.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 40) || 'metric';
  const how =
    sparsity === undefined
      ? ''
      : `-${printSparsity(sparsity).replace('%', 'pct').replace(':', 'of').replaceAll(' ', '-')}`;
  const identity = createHash('sha256').update(
    JSON.stringify([record.document, metric, recordKey(record), fingerprint]),
  );
  return `${what}${how}-${identity.digest('hex').slice(0, 12)}.json`;
}

function portable(root: string, of: EvaluationPlan): EvaluationPlan {
  return withPaths(of, (file) => portablePath(root, file));
}

function keyOf(
  { model, text, calibration, gradients, train, validate, rows, settings }: PlanInputs,
  tasks: PlannedTasks | undefined,
  expression: string,
  sparsity: Sparsity | undefined,
  isTrained: boolean,
): string {
  return JSON.stringify([
    model,
    text,
    calibration ?? null,
    expression,
    sparsity ? printSparsity(sparsity) : null,
    ...decidingNames(SETTINGS).map((name) => settings[name]),
    ...(gradients === undefined ? [] : [gradients]),
    ...(rows === undefined ? [] : [rows]),
    ...(isTrained ? [{ train, validate }] : []),
    ...(tasks === undefined ? [] : [{ tasks }]),
  ]);
}
