import * as z from 'zod';
import { OPERANDS } from '../../metric/operands.ts';
import type { OperandName } from '../../metric/operands.ts';
import { OPERATIONS } from '../../metric/operations.ts';
import type { OperationName } from '../../metric/operations.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import { countSchema, textSchema } from '../../base/scalarSchemas.ts';
import { errorSchema } from '../../base/errorSchema.ts';
import { expressionSchema } from '../../experiment/expressionSchema.ts';
import { resultSchema } from '../../experiment/resultSchema.ts';
import { settingsSchema } from '../../experiment/planSchema.ts';
import { sparsitySchema } from '../../experiment/sparsitySchema.ts';
import { SEARCH_SETTINGS } from './plan.ts';
import type { SearchPlan } from './plan.ts';
import type { MeasureOutcome, ProbeOutcome, SearchEvent, SearchOpening } from './events.ts';
import { settingsSchemaOf } from '../../experiment/settingSchema.ts';

/**
 * Search plans and events as they come from outside (another process, a journal on disk), checked on arrival; each schema is tied
 * to the type of the same name.
 */

const MAX_METRICS = 10_000;
const nameSchema = textSchema.min(1);
const idSchema = countSchema;
const positive = z.number().positive();
const seconds = z.number().min(0);
/** A metric in prefix form: whoever shows an event may parse it. */
const metricText = textSchema.refine(isMetricText, 'expected a metric in prefix form');

const namedMetrics = z.array(z.strictObject({ metric: nameSchema, expression: expressionSchema })).max(MAX_METRICS);

const searchSettingsSchema = settingsSchemaOf(SEARCH_SETTINGS);

const searchPlanShape = z.strictObject({
  name: nameSchema,
  model: nameSchema,
  text: nameSchema,
  calibration: nameSchema.exactOptional(),
  test: nameSchema.exactOptional(),
  sparsity: sparsitySchema,
  operations: z.array(z.enum(Object.keys(OPERATIONS) as OperationName[])).max(64),
  operands: z.array(z.enum(Object.keys(OPERANDS) as OperandName[])).max(64),
  seeds: namedMetrics,
  baselines: namedMetrics,
  settings: settingsSchema,
  search: searchSettingsSchema,
});

const reason = z.enum(['no-operand', 'constant', 'not-finite', 'too-large', 'quarantined']);
const invalid = z.strictObject({ kind: z.literal('invalid'), reason, detail: textSchema });

const probeShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ranks'), fingerprint: textSchema, whole: z.boolean() }),
  invalid,
]);

const measureShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('loss'), blocks: countSchema, loss: z.number() }),
  invalid,
]);

const outcome = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('full'), perplexity: positive }),
  z.strictObject({ kind: z.literal('stopped'), rung: countSchema, blocks: countSchema, perplexity: positive }),
  z.strictObject({
    kind: z.literal('shared'),
    of: idSchema,
    by: z.enum(['canonical', 'mask']),
    perplexity: positive,
  }),
  invalid,
]);

const counts = z.strictObject({
  candidates: countSchema,
  invalid: countSchema,
  duplicates: countSchema,
  stoppedEarly: countSchema,
  fullEvaluations: countSchema,
  evaluations: z.number().min(0),
});

/** What every opened search says about its model and text. */
export const openingFields = {
  blocks: countSchema,
  denseLosses: z.array(z.number()).max(10_000_000),
  densePerplexity: positive,
  fingerprint: textSchema,
  device: textSchema,
  parameters: countSchema,
  architecture: textSchema,
};

const openingShape = z.strictObject(openingFields);

/** The shape stays visible, so that it can be joined with the events of other searches. */
export const searchEventShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('opened'), ...openingFields }),
  z.strictObject({
    kind: z.literal('baseline'),
    metric: textSchema,
    expression: metricText,
    perplexity: positive.exactOptional(),
    error: errorSchema.exactOptional(),
  }),
  z.strictObject({ kind: z.literal('probed'), id: idSchema, expression: metricText, probe: probeShape, seconds }),
  z.strictObject({
    kind: z.literal('measured'),
    id: z.int().min(-MAX_METRICS),
    rung: countSchema,
    measure: measureShape,
    seconds,
  }),
  z.strictObject({
    kind: z.literal('candidate'),
    id: idSchema,
    generation: countSchema,
    operator: z.enum([
      'seed',
      'grow',
      'full',
      'crossover',
      'mutate-operation',
      'mutate-operand',
      'mutate-subtree',
      'insert',
      'hoist',
    ]),
    parents: z.array(idSchema).max(8),
    expression: metricText,
    size: countSchema,
    depth: countSchema,
    outcome,
  }),
  z.strictObject({
    kind: z.literal('generation'),
    generation: countSchema,
    best: positive.nullable(),
    mean: positive.nullable(),
    worst: positive.nullable(),
    bestSoFar: z.strictObject({ id: idSchema, perplexity: positive }).nullable(),
    counts,
  }),
  z.strictObject({
    kind: z.literal('finalist'),
    id: idSchema.exactOptional(),
    metric: textSchema,
    expression: metricText,
    result: resultSchema.exactOptional(),
    test: resultSchema.exactOptional(),
    error: errorSchema.exactOptional(),
  }),
  z.strictObject({ kind: z.literal('quarantined'), id: idSchema, expression: textSchema, error: errorSchema }),
  z.strictObject({ kind: z.literal('resumed') }),
  z.strictObject({ kind: z.literal('paused') }),
  z.strictObject({ kind: z.literal('finished'), counts, best: z.array(idSchema).max(MAX_METRICS) }),
  z.strictObject({ kind: z.literal('failed'), error: errorSchema }),
]);

// The shapes under the names of their types; that the two say the same is checked below.
export const searchPlanSchema = searchPlanShape as unknown as z.ZodType<SearchPlan>;
export const searchOpeningSchema = openingShape as unknown as z.ZodType<SearchOpening>;
export const searchEventSchema = searchEventShape as unknown as z.ZodType<SearchEvent>;
export const probeOutcomeSchema = probeShape as unknown as z.ZodType<ProbeOutcome>;
export const measureOutcomeSchema = measureShape as unknown as z.ZodType<MeasureOutcome>;

function isMetricText(text: string): boolean {
  try {
    parsePrefix(text);
    return true;
  } catch {
    return false;
  }
}

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;
type Matches<Schema extends z.ZodType, Type> = Same<Mutable<z.infer<Schema>>, Mutable<Type>>;

// Does not compile where a schema and its type say different things.
[true, true, true, true, true] satisfies [
  Matches<typeof searchPlanShape, SearchPlan>,
  Matches<typeof openingShape, SearchOpening>,
  Matches<typeof searchEventShape, SearchEvent>,
  Matches<typeof probeShape, ProbeOutcome>,
  Matches<typeof measureShape, MeasureOutcome>,
];
