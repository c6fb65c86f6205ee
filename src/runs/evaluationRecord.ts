import { createHash } from 'node:crypto';
import path from 'node:path';
import * as z from 'zod';
import { parseBoundedJson } from '../base/boundedJson.ts';
import type { Immutable } from '../base/immutable.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../experiment/planSchema.ts';
import { scoreText } from '../experiment/planned.ts';
import type { EvaluationResult } from '../experiment/resultSchema.ts';
import { resultSchema } from '../experiment/resultSchema.ts';
import { settingsSchema } from '../experiment/planSchema.ts';
import { textSchema } from '../base/scalarSchemas.ts';
import { SETTINGS } from '../experiment/settings.ts';
import type { EvaluationSettings } from '../experiment/settings.ts';
import { printSparsity } from '../experiment/sparsity.ts';
import { decidingNames } from '../experiment/settingRow.ts';

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
  model: textSchema,
  text: textSchema,
  calibration: textSchema.exactOptional(),
  settings: settingsSchema,
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
  const relative = (file: string): string => portablePath(context.root, file);
  return {
    format: RECORD_FORMAT,
    savedAt: context.savedAt.toISOString(),
    document: relative(context.document),
    model: relative(plan.model),
    text: relative(plan.text),
    ...(plan.calibration !== undefined && { calibration: relative(plan.calibration) }),
    settings: plan.settings,
    result: portableResult(context.root, result),
  };
}

/** The same result with the paths of its provenance as {@link portablePath} makes them. */
export function portableResult(root: string, result: EvaluationResult): EvaluationResult {
  const { provenance } = result;
  return {
    ...result,
    provenance: {
      ...provenance,
      model: portablePath(root, provenance.model),
      text: portablePath(root, provenance.text),
      ...(provenance.calibration !== undefined && { calibration: portablePath(root, provenance.calibration) }),
    },
  };
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
  return keyOf({
    model: portablePath(root, plan.model),
    text: portablePath(root, plan.text),
    calibration: plan.calibration === undefined ? undefined : portablePath(root, plan.calibration),
    settings: plan.settings,
    expression: evaluation ? scoreText(evaluation) : 'dense',
    sparsity: evaluation ? printSparsity(evaluation.sparsity) : undefined,
  });
}

/** The key that {@link plannedKey} gives for the plan that this record came from. */
export function recordKey({ model, text, calibration, settings, result }: EvaluationRecord): string {
  const { expression, sparsity } = result;
  return keyOf({ model, text, calibration, settings, expression, sparsity: sparsity && printSparsity(sparsity) });
}

/** File name of a record: readable, the same for the same evaluation of the same file, never that of another. */
export function recordName(record: EvaluationRecord): string {
  const { metric, sparsity, fingerprint } = record.result;
  const what = metric.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 40) || 'metric';
  const how = sparsity === undefined ? '' : `-${printSparsity(sparsity).replace('%', 'pct').replace(':', 'of')}`;
  const identity = createHash('sha256').update(
    JSON.stringify([record.document, metric, recordKey(record), fingerprint]),
  );
  return `${what}${how}-${identity.digest('hex').slice(0, 12)}.json`;
}

/** A path relative to `root` with slashes, or the path itself where there is none (another drive). */
export function portablePath(root: string, file: string): string {
  const relative = path.relative(root, file);
  return (path.isAbsolute(relative) ? file : relative).split(path.sep).join('/');
}

interface KeyParts {
  readonly model: string;
  readonly text: string;
  readonly calibration: string | undefined;
  readonly settings: EvaluationSettings;
  readonly expression: string;
  readonly sparsity: string | undefined;
}

function keyOf({ model, text, calibration, settings, expression, sparsity }: KeyParts): string {
  return JSON.stringify([
    model,
    text,
    calibration ?? null,
    expression,
    sparsity ?? null,
    ...decidingNames(SETTINGS).map((name) => settings[name]),
  ]);
}
