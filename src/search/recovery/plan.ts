import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type { recoveryPlanSchema } from './schema.ts';

export type RecoveryPlan = Immutable<z.infer<typeof recoveryPlanSchema>>;
