import * as z from 'zod';
import { RECOVERY_METHOD_NAMES, RECOVERY_SETTINGS } from './recovery.ts';
import { settingsSchemaOf } from './settingSchema.ts';

export const recoverySchema = z.strictObject({
  method: z.enum(RECOVERY_METHOD_NAMES),
  ...settingsSchemaOf(RECOVERY_SETTINGS).shape,
});
