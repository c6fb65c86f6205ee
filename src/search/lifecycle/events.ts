import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type {
  componentsOpeningSchema,
  evaluatedOutcomes,
  finalistEvent,
  fitnessFields,
  generationEvent,
  invalidSchema,
  measuredEvent,
  measureOutcomeSchema,
  openingSchema,
  runEvents,
  sharedOutcome,
} from './schema.ts';

export type SearchOpening = Immutable<z.infer<typeof openingSchema>>;
export type ComponentsOpening = Immutable<z.infer<typeof componentsOpeningSchema>>;
export type MeasureOutcome = Immutable<z.infer<typeof measureOutcomeSchema>>;
/** A loss that was measured. */
export type MeasuredLoss = Extract<MeasureOutcome, { kind: 'loss' }>;
export type InvalidReason = z.infer<typeof invalidSchema>['reason'];
export type StoppedOutcome = Immutable<z.infer<(typeof evaluatedOutcomes)[1]>>;
/** What became of a candidate, as far as all that evolve a population tell the same. */
export type Outcome =
  | Immutable<z.infer<(typeof evaluatedOutcomes)[number] | typeof sharedOutcome>>
  | { readonly kind: 'invalid'; readonly detail: string };
/** A fitness, named by what it is. */
export type Measured = Immutable<z.infer<z.ZodObject<typeof fitnessFields>>>;
export type MeasuredEvent = Immutable<z.infer<typeof measuredEvent>>;
export type GenerationEvent = Immutable<z.infer<typeof generationEvent>>;
export type FinalistEvent = Immutable<z.infer<typeof finalistEvent>>;
export type EveryRunsEvent = Immutable<z.infer<(typeof runEvents)[number]>>;
export type QuarantinedEvent = Extract<EveryRunsEvent, { kind: 'quarantined' }>;
