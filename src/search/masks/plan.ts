import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type { maskPlanSchema, namedStructureSchema } from './schema.ts';

export type MaskSearchPlan = Immutable<z.infer<typeof maskPlanSchema>>;
export type NamedStructure = Immutable<z.infer<typeof namedStructureSchema>>;
