import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type {
  heldOutSchema,
  recoveredSchema,
  recoveryEventSchema,
  recoveryOpeningSchema,
  recoveryPointSchema,
  savedSchema,
  savingSchema,
  trainedSchema,
  trainingSchema,
} from './schema.ts';

export type RecoveryEvent = Immutable<z.infer<typeof recoveryEventSchema>>;
export type RecoveryOpening = Immutable<z.infer<typeof recoveryOpeningSchema>>;
/** What a session is asked, and what it says. */
export type Training = Immutable<z.infer<typeof trainingSchema>>;
export type Trained = Immutable<z.infer<typeof trainedSchema>>;
export type RecoveryPoint = Immutable<z.infer<typeof recoveryPointSchema>>;
export type HeldOut = Immutable<z.infer<typeof heldOutSchema>>;
export type AskRecovered = Immutable<z.infer<typeof recoveredSchema>>;
export type Saving = Immutable<z.infer<typeof savingSchema>>;
export type Saved = Immutable<z.infer<typeof savedSchema>>;
export type RecoveredForm = Saving['as'];

export type TrainedEvent = Extract<RecoveryEvent, { kind: 'trained' }>;
export type ValidatedEvent = Extract<RecoveryEvent, { kind: 'validated' }>;
export type StoppedEvent = Extract<RecoveryEvent, { kind: 'stopped' }>;
export type RecoveryFinished = Extract<RecoveryEvent, { kind: 'finished' }>;
