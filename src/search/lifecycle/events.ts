import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type {
  componentsOpeningSchema,
  finalistEvent,
  generationEvent,
  invalidSchema,
  measuredEvent,
  measureOutcomeSchema,
  openingSchema,
  runEvents,
} from './schema.ts';

export type SearchOpening = Immutable<z.infer<typeof openingSchema>>;
export type ComponentsOpening = Immutable<z.infer<typeof componentsOpeningSchema>>;
export type MeasureOutcome = Immutable<z.infer<typeof measureOutcomeSchema>>;
export type InvalidReason = z.infer<typeof invalidSchema>['reason'];
export type MeasuredEvent = Immutable<z.infer<typeof measuredEvent>>;
export type GenerationEvent = Immutable<z.infer<typeof generationEvent>>;
export type FinalistEvent = Immutable<z.infer<typeof finalistEvent>>;
export type EveryRunsEvent = Immutable<z.infer<(typeof runEvents)[number]>>;
export type QuarantinedEvent = Extract<EveryRunsEvent, { kind: 'quarantined' }>;
