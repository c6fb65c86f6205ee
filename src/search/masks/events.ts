import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type { maskEventSchema, packedValuesSchema } from './schema.ts';

export type MaskEvent = Immutable<z.infer<typeof maskEventSchema>>;
export type PackedValues = Immutable<z.infer<typeof packedValuesSchema>>;
export type StepEvent = Extract<MaskEvent, { kind: 'step' }>;
export type ProbabilitiesEvent = Extract<MaskEvent, { kind: 'probabilities' }>;
export type MaskFinished = Extract<MaskEvent, { kind: 'finished' }>;
