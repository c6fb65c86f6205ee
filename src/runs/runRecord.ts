import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import * as z from 'zod';
import { canonicalJson } from '../base/canonicalJson.ts';
import { parseBoundedJson } from '../base/boundedJson.ts';
import { EspalierError } from '../base/errors.ts';
import type { Immutable } from '../base/immutable.ts';
import { reasonOf } from '../files/fileProblem.ts';
import { schemaReason } from '../base/schemaProblem.ts';
import { isNewer, VERSION } from '../base/version.ts';
import { hashSchema, textSchema } from '../base/scalarSchemas.ts';
import { checkEndpoint } from '../search/llm/endpoint.ts';
import { mayAsk } from '../search/asking.ts';
import type { LlmSettings } from '../search/llm/settings.ts';
import { withoutLaterDefaults } from '../experiment/settingRow.ts';
import { SETTINGS } from '../experiment/settings.ts';
import type { RunPlan } from '../search/kinds.ts';
import { runMethod } from '../search/runMethod.ts';
import { searchPlanSchema } from '../search/schema.ts';
import { planOfFormat1 } from './format1.ts';
import { portablePath, withPaths } from './portablePaths.ts';

const RUN_FORMAT = 'espalier-run-2';
const RUN_FORMAT_1 = 'espalier-run-1';

/**
 * What a run was asked: its run.json. Paths are relative to the workspace folder and written with slashes, so that a run means the
 * same in another clone.
 */
export type RunRecord<Plan extends RunPlan = RunPlan> = Immutable<Omit<z.infer<typeof runSchema>, 'plan'>> & {
  readonly plan: Plan;
};

const runSchema = z.strictObject({
  format: z.enum([RUN_FORMAT, RUN_FORMAT_1]),
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, 'expected letters, digits, - and _'),
  /** ISO 8601, UTC. */
  createdAt: z.iso.datetime().refine((text) => Number.isFinite(Date.parse(text)), 'expected a date'),
  /** The `.prune` file that it was asked from, where there is one. */
  document: textSchema.exactOptional(),
  versions: z.record(textSchema, textSchema),
  /** Of what decides the result: shows that nobody has changed the plan since. */
  fingerprint: hashSchema,
  /** Checked by the schema of its kind. */
  plan: z.unknown(),
});

export interface RunContext {
  /** Workspace folder, absolute. */
  readonly root: string;
  /** The `.prune` file, absolute. */
  readonly document?: string;
  readonly createdAt: Date;
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * @param plan with absolute paths, as the language and the command line make them
 * @throws EspalierError `settings/invalid` for an endpoint that holds a secret: run.json is fit for version control
 */
export function createRunRecord<Plan extends RunPlan>(id: string, plan: Plan, context: RunContext): RunRecord<Plan> {
  if (mayAsk(plan)) checkEndpoint(plan.llm.endpoint);
  const portable = withPaths(plan, (file) => portablePath(context.root, file));
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
export function planOf<Plan extends RunPlan>(run: RunRecord<Plan>, root: string): Plan {
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
    value = parseBoundedJson(text);
  } catch (error) {
    const isEmpty = text.trim() === '';
    throw formatError(file, isEmpty ? 'an empty file' : `what is no JSON (${reasonOf(error)})`, undefined);
  }
  const about = checked(runSchema, value, file, value);
  const plan = about.format === RUN_FORMAT_1 ? planOfFormat1(about.plan) : about.plan;
  const run = { ...about, plan: checked(searchPlanSchema, plan, file, value, ['plan']) };
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

/** @param whole what the file holds: it says which version wrote it. @param under where in it the value stands */
function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  file: string,
  whole: unknown,
  under: readonly string[] = [],
): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw formatError(file, schemaReason(parsed.error, value, under), writerOf(whole));
}

/** The version of Espalier that a run.json says it was written by. */
function writerOf(value: unknown): string | undefined {
  const written = writtenShape.safeParse(value);
  return written.success ? written.data.versions.espalier : undefined;
}

const writtenShape = z.object({ versions: z.object({ espalier: z.string().regex(/^\d{1,6}(\.\d{1,6}){2}$/) }) });

/**
 * Processes and threads decide nothing but time: a run may go on with others. Of a language model's settings, those that say how hard
 * and how long it is asked, and what that may cost, may change too: what was answered, or was not, stands in the journal.
 */
function planFingerprint(plan: RunPlan): string {
  const deciding = {
    ...plan,
    // Plans of format 1 did not say it of searches for metrics: the fingerprints of both formats are the same.
    kind: plan.kind === 'metrics' ? undefined : plan.kind,
    // Runs of before there was a setting go on as they were.
    settings: { ...withoutLaterDefaults(SETTINGS, plan.settings), threads: undefined },
    ...settled(plan),
    ...(mayAsk(plan) && { llm: { ...plan.llm, ...CHANGEABLE_LLM } }),
  };
  return createHash('sha256').update(canonicalJson(deciding)).digest('hex');
}

/** Settings of the run, by the name that its plan has them under. */
function settled(plan: RunPlan): object {
  const { table, settings } = runMethod(plan);
  const deciding = { ...withoutLaterDefaults(table, settings), workers: undefined };
  return plan.kind === 'recovery' ? { recovery: deciding } : { search: deciding };
}

const CHANGEABLE_LLM: { readonly [Name in keyof LlmSettings]?: undefined } = {
  timeout: undefined,
  retries: undefined,
  tokenCap: undefined,
  costCap: undefined,
  promptPrice: undefined,
  replyPrice: undefined,
};

function formatError(file: string, found: string, writer: string | undefined): EspalierError {
  const newer = writer !== undefined && isNewer(writer, VERSION);
  return new EspalierError({
    code: 'runs/format',
    operation: `reading ${file}`,
    expected: `what a run was asked, in the format ${RUN_FORMAT} of Espalier ${VERSION}`,
    actual: newer ? `a run of a newer version, ${writer} (${found})` : found,
    remedy: newer
      ? 'Update Espalier.'
      : 'Restore the file, open it with the version that wrote it if that was a newer one, or delete the run.',
    file,
  });
}
