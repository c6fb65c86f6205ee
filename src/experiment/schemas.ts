import * as z from 'zod';
import type { ErrorCode, ErrorData } from '../base/errors.ts';
import { MAX_EVALUATIONS } from './plan.ts';
import type { EvaluationPlan, PlannedEvaluation } from './plan.ts';
import type { CheckpointSummary, DeviceReport, EvaluationProgress, EvaluationResult, Provenance } from './result.ts';
import { DEVICES, SETTINGS } from './settings.ts';
import { MAX_GROUP } from './sparsity.ts';
import type { Sparsity } from './sparsity.ts';
import { MAX_BLOCKS, ratesSchema, structureReportSchema, structureSchemas } from './structureSchemas.ts';
import type { Expression } from '../metric/expression.ts';
import { OPERANDS } from '../metric/operands.ts';
import { OPERATIONS } from '../metric/operations.ts';
import { settingsSchemaOf } from './settingSchema.ts';

/**
 * Plans, results and errors as they come from outside (another process, a file of the workspace), checked on arrival. Each
 * schema is tied to the type of the same name: a field added to one without the other does not compile.
 */

/** Longest text field (paths, names, messages) in UTF-16 units: far beyond any path, far below what could hurt. */
const MAX_TEXT = 65_536;
/** Deepest expression; the walk below is iterative, so that a hostile one cannot exhaust the stack. */
const MAX_DEPTH = 512;
const MAX_NODES = 100_000;

export const textSchema = z.string().max(MAX_TEXT);
const nameSchema = textSchema.min(1);
const hashSchema = z.string().regex(/^[0-9a-f]{64}$/, 'expected a sha-256 in hexadecimal');
export const countSchema = z.int().min(0);

export const unstructuredSchema = z.strictObject({ kind: z.literal('unstructured'), share: z.number().min(0).lt(1) });

export const sparsitySchema = z
  .discriminatedUnion('kind', [
    unstructuredSchema,
    z.strictObject({ kind: z.literal('n:m'), keep: z.int().min(1), of: z.int().min(2).max(MAX_GROUP) }),
  ])
  .refine((sparsity) => sparsity.kind === 'unstructured' || sparsity.keep < sparsity.of, 'N:M keeps fewer than M');

export const expressionSchema = z.custom<Expression>(
  isExpression,
  'expected an expression over the operations and operands of the language',
);

export const { structureSchema, structureScoreSchema } = structureSchemas(expressionSchema);

export const settingsSchema = settingsSchemaOf(SETTINGS);

const plannedEvaluationSchema = z.union([
  z.strictObject({
    metric: nameSchema,
    expression: expressionSchema,
    sparsity: sparsitySchema,
    rates: ratesSchema.exactOptional(),
  }),
  z.strictObject({ metric: nameSchema, structure: structureSchema, sparsity: unstructuredSchema }),
]);

const planShape = z.strictObject({
  model: nameSchema,
  text: nameSchema,
  calibration: nameSchema.exactOptional(),
  evaluations: z.array(plannedEvaluationSchema).max(MAX_EVALUATIONS),
  settings: settingsSchema,
});

const provenanceSchema = z.strictObject({
  model: textSchema,
  modelHash: hashSchema,
  architecture: textSchema,
  parameters: countSchema,
  text: textSchema,
  textHash: hashSchema,
  textTokens: countSchema,
  blocks: countSchema,
  length: countSchema,
  calibration: textSchema.exactOptional(),
  calibrationHash: hashSchema.exactOptional(),
  samples: countSchema.exactOptional(),
  calibrationLength: countSchema.exactOptional(),
  offsets: z.enum(['even', 'random']).exactOptional(),
  seed: countSchema.exactOptional(),
  group: z.enum(['row', 'layer']).exactOptional(),
  device: z.enum(DEVICES),
  deviceName: textSchema,
  precision: z.enum(['float32', 'float16']),
  versions: z.record(textSchema, textSchema),
  machine: z.record(textSchema, textSchema).exactOptional(),
  modelLength: countSchema.exactOptional(),
  modelZeros: z.number().min(0).max(1).exactOptional(),
});

const resultShape = z.strictObject({
  metric: textSchema,
  expression: textSchema,
  sparsity: sparsitySchema.exactOptional(),
  calibrate: z.enum(['sequential', 'one-shot']),
  perplexity: z.number(),
  densePerplexity: z.number(),
  actualSparsity: z.number().min(0).max(1),
  structure: structureReportSchema.exactOptional(),
  rates: z.array(z.number()).max(MAX_BLOCKS).exactOptional(),
  seconds: z.number().min(0),
  gradients: z.enum(['computed', 'cached']).exactOptional(),
  fingerprint: hashSchema,
  provenance: provenanceSchema,
});

const progressShape = z.strictObject({
  stage: z.enum([
    'reading',
    'tokenising',
    'device',
    'gradients',
    'pruning',
    'evaluating',
    'writing',
    'verifying',
    'measuring',
  ]),
  done: z.number().min(0),
  total: z.number().min(0),
  detail: textSchema,
});

const deviceReportShape = z.strictObject({
  name: z.enum(DEVICES),
  works: z.boolean(),
  detail: textSchema,
  gigaflops: z.number().min(0).exactOptional(),
  float16: z.boolean(),
});

const checkpointSummaryShape = z.strictObject({
  folder: textSchema,
  architecture: textSchema,
  parameters: countSchema,
  prunableParameters: countSchema,
  blocks: countSchema,
  hidden: countSchema,
  vocabulary: countSchema,
  modelLength: countSchema,
  storedAs: z.array(textSchema).max(64),
});

const errorShape = z.strictObject({
  // Codes grow from version to version; an unknown one is shown as it is.
  code: nameSchema as unknown as z.ZodType<ErrorCode>,
  operation: textSchema,
  expected: textSchema,
  actual: textSchema,
  remedy: textSchema,
  file: textSchema.exactOptional(),
});

// The shapes under the names of their types; that the two say the same is checked at the end of this file.
export const planSchema = planShape as unknown as z.ZodType<EvaluationPlan>;
export const resultSchema = resultShape as unknown as z.ZodType<EvaluationResult>;
export const deviceReportSchema = deviceReportShape as unknown as z.ZodType<DeviceReport>;
export const checkpointSummarySchema = checkpointSummaryShape as unknown as z.ZodType<CheckpointSummary>;
export const errorSchema = errorShape as unknown as z.ZodType<ErrorData>;
export const progressSchema = progressShape as unknown as z.ZodType<EvaluationProgress>;

function isExpression(value: unknown): value is Expression {
  const open: { node: unknown; depth: number }[] = [{ node: value, depth: 1 }];
  let nodes = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.depth > MAX_DEPTH || ++nodes > MAX_NODES) return false;
    const node = next.node;
    if (typeof node !== 'object' || node === null) return false;
    const fields = node as Record<string, unknown>;
    switch (fields['kind']) {
      case 'operand':
        if (typeof fields['name'] !== 'string' || !Object.hasOwn(OPERANDS, fields['name'])) return false;
        break;
      case 'number':
        if (!Number.isFinite(fields['value'])) return false;
        break;
      case 'operation': {
        const name = fields['operation'];
        const parts: unknown = fields['arguments'];
        if (typeof name !== 'string' || !Object.hasOwn(OPERATIONS, name) || !Array.isArray(parts)) return false;
        if (parts.length !== OPERATIONS[name as keyof typeof OPERATIONS].arity) return false;
        for (const part of parts as unknown[]) open.push({ node: part, depth: next.depth + 1 });
        break;
      }
      default:
        return false;
    }
  }
  return true;
}

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;
type Matches<Schema extends z.ZodType, Type> = Same<Mutable<z.infer<Schema>>, Mutable<Type>>;

// Does not compile where a schema and its type say different things.
[true, true, true, true, true, true, true, true, true] satisfies [
  Matches<typeof sparsitySchema, Sparsity>,
  Matches<typeof plannedEvaluationSchema, PlannedEvaluation>,
  Matches<typeof planShape, EvaluationPlan>,
  Matches<typeof provenanceSchema, Provenance>,
  Matches<typeof resultShape, EvaluationResult>,
  Matches<typeof progressShape, EvaluationProgress>,
  Matches<typeof errorShape, ErrorData>,
  Matches<typeof deviceReportShape, DeviceReport>,
  Matches<typeof checkpointSummaryShape, CheckpointSummary>,
];
