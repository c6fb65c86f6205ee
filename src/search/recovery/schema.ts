import * as z from 'zod';
import { amountSchema, countSchema, hashSchema, nameSchema, textSchema } from '../../base/scalarSchemas.ts';
import { evaluationSchema, inputFields } from '../../experiment/planSchema.ts';
import { RECOVERY_SETTINGS, STOP_REASONS } from '../../experiment/recovery.ts';
import { recoverySchema } from '../../experiment/recoverySchema.ts';
import { perplexityResultSchema } from '../../experiment/resultSchema.ts';
import { plannedTasksSchema } from '../../experiment/taskSchema.ts';
import { planFields } from '../lifecycle/planSchema.ts';
import { finalistEvent, finishedEvent, openingSchema, positiveSchema, runEvents } from '../lifecycle/schema.ts';

/** Most steps between two states, and so most losses of an event. */
const MAX_CHUNK = RECOVERY_SETTINGS.every.maximum;

/**
 * Everything that decides what a recovery comes to. The model is pruned first as `evaluation` says, then trained on `train`, and at the end
 * evaluated on `text` (and `test`) as an evaluation outside of a run would be.
 */
export const recoveryPlanSchema = z.strictObject({
  kind: z.literal('recovery'),
  ...planFields,
  /** What is pruned, and updated, before anything is trained; without it the checkpoint is trained as it is. Says no recovery itself. */
  evaluation: evaluationSchema.exactOptional(),
  /** Text, or instruction pairs, that is trained on. */
  train: nameSchema,
  /** PEFT folder that training goes on from. */
  adapter: nameSchema.exactOptional(),
  recovery: recoverySchema,
});

/**
 * The pruned model is there. `blocks`, `denseLosses` and `densePerplexity` are of the held-out text; of a plan that prunes nothing the dense
 * model is the one that is trained.
 */
export const recoveryOpeningSchema = openingSchema.extend({
  /** Mean loss on the held-out text before the first step: with the adapter that training goes on from, where there is one. Null: not finite. */
  before: z.number().nullable(),
  /** Numbers that are trained. */
  trainable: countSchema,
  /** Of the training text, without what is held out of it. */
  sequences: countSchema,
  trainingTokens: countSchema,
});

/** Which steps are to be trained, and where the states lie. */
export const trainingSchema = z.strictObject({
  /** Steps that are done: the state `state-<from>` is read; at 0 there is none. */
  from: countSchema,
  /** Steps that are done afterwards: `state-<to>` is written. */
  to: countSchema,
  /** Absolute. */
  folder: nameSchema,
});

/** What became of it. The state is on the disk, flushed, before this is said. */
export const trainedSchema = z.strictObject({
  /** Mean loss of each step's batch before its update. It ends with the first that is not finite, which is null. */
  losses: z.array(z.number().nullable()).max(MAX_CHUNK),
  /** sha-256, hex, of the state's file; null where a loss was not finite: no state is written then. */
  state: hashSchema.nullable(),
  seconds: amountSchema,
});

/** A state of a recovery. */
export const recoveryPointSchema = z.strictObject({
  step: countSchema,
  /** Where `state-<step>` lies; absolute. */
  folder: nameSchema,
});

export const heldOutSchema = z.strictObject({
  /** Mean over the held-out tokens, nats; null where it is not finite. */
  loss: z.number().nullable(),
  seconds: amountSchema,
});

/** What is asked about a state at the end. */
export const recoveredSchema = z.strictObject({
  point: recoveryPointSchema,
  /** Of what was pruned, on the text of `inputs`. */
  before: perplexityResultSchema,
  inputs: z.strictObject(inputFields),
  /** What it is asked beside. */
  tasks: plannedTasksSchema.exactOptional(),
});

/** What a recovery is written as: a PEFT folder, or a checkpoint with the adapter in its weights. */
export const RECOVERED_FORMS = ['adapter', 'merged'] as const;

export const savingSchema = z.strictObject({
  plan: recoveryPlanSchema,
  point: recoveryPointSchema,
  as: z.enum(RECOVERED_FORMS),
  /** Absolute; made by this, or empty. */
  to: nameSchema,
});

export const savedSchema = z.strictObject({
  folder: textSchema,
  as: z.enum(RECOVERED_FORMS),
  /** Bytes of the folder's files. */
  bytes: countSchema,
});

/** What happens in a recovery, in order. */
export const recoveryEventSchema = z.discriminatedUnion('kind', [
  recoveryOpeningSchema.extend({ kind: z.literal('opened') }),
  z.strictObject({
    kind: z.literal('trained'),
    /** Steps that were done before, and that are done now. */
    from: countSchema,
    to: countSchema,
    ...trainedSchema.shape,
    /** Learning rate of the last of these steps. */
    rate: amountSchema,
  }),
  z.strictObject({
    kind: z.literal('validated'),
    step: countSchema,
    ...heldOutSchema.shape,
    perplexity: positiveSchema.nullable(),
    /** Whether it is the best so far: better than every state before, and than before the first step. */
    isBest: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('stopped'),
    /** Steps that are done. */
    step: countSchema,
    reason: z.enum(STOP_REASONS),
    /** For a person: what was seen. */
    detail: textSchema,
  }),
  /** `before` and `after`, on the evaluation text. */
  finalistEvent,
  finishedEvent.extend({
    /** Steps that were done, and those of the state that is kept: 0 where none was better than before. */
    steps: countSchema,
    kept: countSchema,
    /** Of the state that is kept, on the held-out text. */
    loss: z.number().nullable(),
    /** sha-256 of its file; null at step 0, which has none. */
    state: hashSchema.nullable(),
  }),
  ...runEvents,
]);
