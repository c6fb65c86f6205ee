import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import * as z from 'zod';
import { EspalierError } from '../base/errors.ts';
import { textSchema } from '../experiment/schemas.ts';
import type { SearchPlan } from '../experiment/search.ts';
import { searchPlanSchema } from '../experiment/searchSchemas.ts';
import { portablePath } from './evaluationRecord.ts';

/**
 * What a run was asked: its run.json. Paths are relative to the workspace folder and written with slashes, so that a run means the
 * same in another clone.
 */
export interface RunRecord {
  readonly format: typeof RUN_FORMAT;
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** The `.prune` file that it was asked from, where there is one. */
  readonly document?: string;
  readonly versions: Readonly<Record<string, string>>;
  /** sha-256, hex, of what decides the result: shows that nobody has changed the plan since. */
  readonly fingerprint: string;
  readonly plan: SearchPlan;
}

export const RUN_FORMAT = 'espalier-run-1';

const runShape = z.strictObject({
  format: z.literal(RUN_FORMAT),
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, 'expected letters, digits, - and _'),
  createdAt: z.iso.datetime(),
  document: textSchema.exactOptional(),
  versions: z.record(textSchema, textSchema),
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/, 'expected a sha-256 in hexadecimal'),
  plan: searchPlanSchema,
});

export interface RunContext {
  /** Workspace folder, absolute. */
  readonly root: string;
  /** The `.prune` file, absolute. */
  readonly document?: string;
  readonly createdAt: Date;
  readonly versions: Readonly<Record<string, string>>;
}

/** @param plan with absolute paths, as the language and the command line make them */
export function createRunRecord(id: string, plan: SearchPlan, context: RunContext): RunRecord {
  const portable = withPaths(plan, (file) => portablePath(context.root, file) || '.');
  return {
    format: RUN_FORMAT,
    id,
    createdAt: context.createdAt.toISOString(),
    ...(context.document !== undefined && { document: portablePath(context.root, context.document) }),
    versions: context.versions,
    fingerprint: planFingerprint(portable),
    plan: portable,
  };
}

/** The plan of a run with absolute paths again. */
export function planOf(run: RunRecord, root: string): SearchPlan {
  return withPaths(run.plan, (file) => path.resolve(root, file));
}

/** Names a run: sorts by time, says what it is, and is never that of another. */
export function newRunId(name: string, at: Date): string {
  const time = at.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const what = name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 40) || 'search';
  return `${time}-${what}-${randomUUID().slice(0, 6)}`;
}

/** @throws EspalierError `runs/format` for what is no run.json of this version, `runs/changed` where the plan was edited */
export function parseRunRecord(text: string, file: string): RunRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw formatError(file, error instanceof Error ? error.message : String(error));
  }
  const parsed = runShape.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw formatError(file, `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'another shape'}`);
  }
  const run = parsed.data;
  if (run.fingerprint === planFingerprint(run.plan)) return run;
  throw new EspalierError({
    code: 'runs/changed',
    operation: `reading ${file}`,
    expected: 'the plan as it was when the run began',
    actual: 'another one',
    remedy: 'Undo the edit, or start a new run: what was measured does not belong to the plan as it is now.',
    file,
  });
}

/** Processes and threads decide nothing but time: a run may go on with others. */
function planFingerprint({ settings, search, ...plan }: SearchPlan): string {
  const deciding = {
    ...plan,
    settings: { ...settings, threads: undefined },
    search: { ...search, workers: undefined },
  };
  return createHash('sha256').update(canonicalJson(deciding)).digest('hex');
}

/** JSON with the members of every object in the order of their names. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

function withPaths(plan: SearchPlan, map: (file: string) => string): SearchPlan {
  return {
    ...plan,
    model: map(plan.model),
    text: map(plan.text),
    ...(plan.calibration !== undefined && { calibration: map(plan.calibration) }),
    ...(plan.test !== undefined && { test: map(plan.test) }),
  };
}

function formatError(file: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'runs/format',
    operation: `reading ${file}`,
    expected: `what a run was asked, in the format ${RUN_FORMAT}`,
    actual,
    remedy: 'Open it with the version that wrote it, or delete the run.',
    file,
  });
}
