import * as z from 'zod';
import { LLM_ROLES, LLM_SETTINGS } from './llm.ts';
import type { LlmUsage, PromptTemplates } from './llm.ts';
import { MASK_SEARCH_SETTINGS } from '../masks/plan.ts';
import type { MaskSearchPlan } from '../masks/plan.ts';
import { RATE_SEARCH_SETTINGS } from './plan.ts';
import type { RateSearchPlan } from './plan.ts';
import { countSchema, textSchema } from '../../base/scalarSchemas.ts';
import { errorSchema } from '../../base/errorSchema.ts';
import { expressionSchema } from '../../experiment/expressionSchema.ts';
import { resultSchema } from '../../experiment/resultSchema.ts';
import { settingsSchema } from '../../experiment/planSchema.ts';
import {
  structureSchema,
  structureScoreSchema,
  componentsSchema,
  MAX_BLOCKS,
  modelMaskSchema,
  ratesSchema,
} from '../../experiment/structureSchema.ts';
import { unstructuredSchema } from '../../experiment/sparsitySchema.ts';
import { measureOutcomeSchema, openingFields } from '../metrics/schema.ts';
import type { LlmReply, MaskEvent, PackedValues, RateEvent, StructureOpening } from './events.ts';
import { settingsSchemaOf } from '../../experiment/settingSchema.ts';

/** Plans and events of searches for rates and for masks as they come from outside; each schema is tied to the type of the same name. */

const MAX_BASELINES = 10_000;
/** Most losses of one step: as many masks as a setting allows. */
const MAX_MASKS = MASK_SEARCH_SETTINGS.masks.maximum;
/** UTF-16 units. A prompt may show a population of thousands; nothing that a person wants to send is longer. */
export const MAX_PROMPT = 16 << 20;
/** UTF-16 units of a reply, about what a million tokens are. What a server sends beyond it is not read. */
export const MAX_REPLY = 4 << 20;
const MAX_TEMPLATE = 256 << 10;
/**
 * Digits of base64, 48 MiB of float32. A model of 13B parameters has 550 000 channels (2.9 million digits), one of 405B 6.7 million
 * (36 million digits).
 */
const MAX_DIGITS = 64 << 20;

const nameSchema = textSchema.min(1);
const positive = z.number().positive();
const amount = z.number().min(0);
/** Of a configuration, or of a baseline where below 0. */
const baselineId = z.int().min(-MAX_BASELINES);
const share = z.number().min(0).max(1);
const rates = z.array(share).max(MAX_BLOCKS);
const values = z
  .string()
  .max(MAX_DIGITS)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'expected base64');

const llmSettingsSchema = settingsSchemaOf(LLM_SETTINGS);
const rateSettingsSchema = settingsSchemaOf(RATE_SEARCH_SETTINGS);
const maskSettingsSchema = settingsSchemaOf(MASK_SEARCH_SETTINGS);

const template = z.string().max(MAX_TEMPLATE);
const promptsShape = z.strictObject({ initialise: template, mutate: template, cross: template, again: template });

const ratePlanShape = z.strictObject({
  kind: z.literal('rates'),
  name: nameSchema,
  model: nameSchema,
  text: nameSchema,
  calibration: nameSchema.exactOptional(),
  test: nameSchema.exactOptional(),
  sparsity: unstructuredSchema,
  target: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('structure'), name: nameSchema, score: structureScoreSchema }),
    z.strictObject({ kind: z.literal('weights'), metric: nameSchema, expression: expressionSchema }),
  ]),
  baselines: z.array(z.strictObject({ name: nameSchema, rates: ratesSchema })).max(MAX_BASELINES),
  settings: settingsSchema,
  search: rateSettingsSchema,
  llm: llmSettingsSchema,
  prompts: promptsShape,
});

const maskPlanShape = z.strictObject({
  kind: z.literal('masks'),
  name: nameSchema,
  model: nameSchema,
  calibration: nameSchema,
  text: nameSchema,
  test: nameSchema.exactOptional(),
  sparsity: unstructuredSchema,
  score: structureScoreSchema,
  baselines: z.array(z.strictObject({ name: nameSchema, structure: structureSchema })).max(MAX_BASELINES),
  settings: settingsSchema,
  search: maskSettingsSchema,
});

const packedShape = z.strictObject({ groups: values, channels: values, blocks: values.exactOptional() });

const opening = {
  ...openingFields,
  components: z.array(componentsSchema).max(MAX_BLOCKS),
  calibrationTokens: countSchema,
  owl: rates.exactOptional(),
};
const openingShape = z.strictObject(opening);

const usageShape = z.strictObject({
  promptTokens: countSchema,
  replyTokens: countSchema,
  estimated: z.literal(true).exactOptional(),
});

const replyShape = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('text'),
    text: z.string().max(MAX_REPLY),
    usage: usageShape,
    cost: amount,
    model: textSchema,
  }),
  z.strictObject({
    kind: z.literal('failed'),
    error: errorSchema,
    usage: usageShape.exactOptional(),
    cost: amount.exactOptional(),
  }),
  z.strictObject({ kind: z.literal('lost') }),
]);

const role = z.enum([...LLM_ROLES]);
const counts = z.strictObject({
  configurations: countSchema,
  evaluations: amount,
  duplicates: countSchema,
  invalid: countSchema,
  calls: countSchema,
  failedCalls: countSchema,
  listsUsed: countSchema,
  listsRepaired: countSchema,
  listsRefused: countSchema,
  fallbacks: countSchema,
  promptTokens: countSchema,
  replyTokens: countSchema,
  cost: amount,
});

const openedShape = z.strictObject({ kind: z.literal('structure-opened'), ...opening });
const finalistShape = z.strictObject({
  kind: z.literal('structure-finalist'),
  id: countSchema.exactOptional(),
  name: nameSchema,
  result: resultSchema.exactOptional(),
  test: resultSchema.exactOptional(),
  error: errorSchema.exactOptional(),
});

const rateEventShapes = [
  z.strictObject({
    kind: z.literal('rate-baseline'),
    id: z.int().min(-MAX_BASELINES).max(-1),
    name: nameSchema,
    rates,
    perplexity: positive.exactOptional(),
    error: errorSchema.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('configuration-measured'),
    id: baselineId,
    measure: measureOutcomeSchema,
    seconds: amount,
  }),
  z.strictObject({
    kind: z.literal('configuration'),
    id: countSchema,
    generation: countSchema,
    operator: z.enum([
      'llm-initialise',
      'llm-mutate',
      'llm-cross',
      'uniform',
      'owl',
      'random',
      'spread',
      'gaussian',
      'blend',
    ]),
    parents: z.array(countSchema).max(8),
    rates,
    repaired: z.literal(true).exactOptional(),
    call: countSchema.exactOptional(),
    outcome: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('full'), perplexity: positive }),
      z.strictObject({ kind: z.literal('shared'), of: baselineId, perplexity: positive }),
      z.strictObject({ kind: z.literal('invalid'), detail: textSchema }),
    ]),
  }),
  z.strictObject({
    kind: z.literal('iteration'),
    generation: countSchema,
    best: positive.nullable(),
    mean: positive.nullable(),
    worst: positive.nullable(),
    bestSoFar: z.strictObject({ id: countSchema, perplexity: positive }).nullable(),
    counts,
  }),
  z.strictObject({
    kind: z.literal('llm-asked'),
    call: countSchema,
    generation: countSchema,
    role,
    attempt: countSchema,
    wanted: countSchema,
    prompt: z.string().max(MAX_PROMPT),
  }),
  z.strictObject({ kind: z.literal('llm-replied'), call: countSchema, reply: replyShape, seconds: amount }),
  z.strictObject({
    kind: z.literal('fallback'),
    generation: countSchema,
    role,
    count: countSchema,
    reason: textSchema,
  }),
  z.strictObject({ kind: z.literal('rates-finished'), counts, best: z.array(countSchema).max(MAX_BASELINES) }),
] as const;

const maskEventShapes = [
  z.strictObject({ kind: z.literal('scores'), scores: packedShape }),
  z.strictObject({
    kind: z.literal('step'),
    step: countSchema,
    losses: z.array(z.number().nullable()).max(MAX_MASKS),
    baseline: z.number().nullable(),
    seconds: amount,
  }),
  z.strictObject({
    kind: z.literal('probabilities'),
    step: countSchema,
    values: packedShape,
    baseline: z.number().nullable(),
    perplexity: positive.nullable(),
    removed: share,
    leftOut: countSchema,
  }),
  z.strictObject({
    kind: z.literal('masks-finished'),
    mask: modelMaskSchema,
    steps: countSchema,
    leftOut: countSchema,
  }),
] as const;

const structureEventShape = z.discriminatedUnion('kind', [
  openedShape,
  ...rateEventShapes,
  ...maskEventShapes,
  finalistShape,
]);
const structurePlanShape = z.discriminatedUnion('kind', [ratePlanShape, maskPlanShape]);

// The shapes under the names of their types; that the two say the same is checked below.
export const packedValuesSchema = packedShape as unknown as z.ZodType<PackedValues>;
export const structureOpeningSchema = openingShape as unknown as z.ZodType<StructureOpening>;
export const llmUsageSchema = usageShape as unknown as z.ZodType<LlmUsage>;
export const structurePlanSchema = structurePlanShape as unknown as z.ZodType<RateSearchPlan | MaskSearchPlan>;
/** One of a search for rates or for masks; the shape stays visible, so that it can be joined with others. */
export const structureEventSchema = structureEventShape;

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;
type Matches<Schema extends z.ZodType, Type> = Same<Mutable<z.infer<Schema>>, Mutable<Type>>;

// Does not compile where a schema and its type say different things.
[true, true, true, true, true, true, true, true] satisfies [
  Matches<typeof ratePlanShape, RateSearchPlan>,
  Matches<typeof maskPlanShape, MaskSearchPlan>,
  Matches<typeof promptsShape, PromptTemplates>,
  Matches<typeof openingShape, StructureOpening>,
  Matches<typeof packedShape, PackedValues>,
  Matches<typeof usageShape, LlmUsage>,
  Matches<typeof replyShape, LlmReply>,
  Matches<typeof structureEventShape, RateEvent | MaskEvent>,
];
