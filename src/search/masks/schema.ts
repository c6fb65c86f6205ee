import * as z from 'zod';
import { amountSchema, countSchema, shareSchema, nameSchema } from '../../base/scalarSchemas.ts';
import { structureSchema, structureScoreSchema, modelMaskSchema } from '../../experiment/structureSchema.ts';
import { componentSparsitySchema } from '../../experiment/sparsitySchema.ts';
import { settingsSchemaOf } from '../../experiment/settingSchema.ts';
import { structureUpdateSchema } from '../../experiment/updateSchema.ts';
import { planFields } from '../lifecycle/planSchema.ts';
import {
  componentsOpeningSchema,
  finalistEvent,
  finishedEvent,
  MAX_NAMED,
  positiveSchema,
  runEvents,
} from '../lifecycle/schema.ts';
import { MASK_SEARCH_SETTINGS } from './settings.ts';

/** Most losses of one step: as many masks as a setting allows. */
const MAX_MASKS = MASK_SEARCH_SETTINGS.masks.maximum;
/**
 * Digits of base64, 48 MiB of float32. A model of 13B parameters has 550 000 channels (2.9 million digits), one of 405B 6.7 million
 * (36 million digits).
 */
const MAX_DIGITS = 64 << 20;

export const namedStructureSchema = z.strictObject({ name: nameSchema, structure: structureSchema });

/**
 * Everything that decides what a search for masks finds. `settings.samples` are those of the scores; `settings.length` is that of evaluation
 * blocks and of the scores' samples.
 */
export const maskPlanSchema = z.strictObject({
  kind: z.literal('masks'),
  ...planFields,
  /** Text that the steps' batches are drawn from; also that of the scores of `initial`. */
  calibration: nameSchema,
  sparsity: componentSparsitySchema,
  /** What keep-probabilities start from where `initial` is `metric`. */
  score: structureScoreSchema,
  /** Structures that the search is compared with. */
  baselines: z.array(namedStructureSchema).max(MAX_NAMED),
  /** What follows each mask of a step before its loss is taken. */
  update: structureUpdateSchema.exactOptional(),
  search: settingsSchemaOf(MASK_SEARCH_SETTINGS),
});

const values = z
  .string()
  .max(MAX_DIGITS)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'expected base64');

/** A number for every component of the model, block after block: float32, little-endian, in base64. */
export const packedValuesSchema = z.strictObject({
  groups: values,
  channels: values,
  /** One for each block, where whole blocks may go. */
  blocks: values.exactOptional(),
});

/** What happens in a search for masks, in order. */
export const maskEventSchema = z.discriminatedUnion('kind', [
  componentsOpeningSchema.extend({ kind: z.literal('opened') }),
  /** What the components score, where keep-probabilities start from a metric. */
  z.strictObject({ kind: z.literal('scores'), scores: packedValuesSchema }),
  z.strictObject({
    kind: z.literal('step'),
    /** Counts from 0. */
    step: countSchema,
    /** Of each mask drawn; null where it was not finite, and left out. */
    losses: z.array(z.number().nullable()).max(MAX_MASKS),
    /** The moving average that they were compared with; null while no loss was finite. */
    baseline: z.number().nullable(),
    seconds: amountSchema,
  }),
  /** The keep-probabilities before step `step`, and what the masks kept by them do on the fitness text. */
  z.strictObject({
    kind: z.literal('probabilities'),
    step: countSchema,
    values: packedValuesSchema,
    /** What the update needs beside them: the moving average of the losses so far; null while no loss was finite. */
    baseline: z.number().nullable(),
    /** Null where it is not finite; of a search by divergence or by tasks that is in the word of its own. */
    perplexity: positiveSchema.nullable().exactOptional(),
    kl: z.number().nullable().exactOptional(),
    taskLoss: z.number().nullable().exactOptional(),
    accuracy: shareSchema.exactOptional(),
    /** Share of the blocks' weights that these masks remove, whole model. */
    removed: shareSchema,
    /** Losses left out so far. */
    leftOut: countSchema,
  }),
  finalistEvent,
  finishedEvent.extend({
    /** Those of the checkpoint that does best on the fitness text; of equal ones the latest. */
    mask: modelMaskSchema,
    steps: countSchema,
    leftOut: countSchema,
  }),
  ...runEvents,
]);
