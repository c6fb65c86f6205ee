import type { Preflight } from './preflightSchema.ts';

/** An evaluation that takes longer is worth a question. */
const LONG_SECONDS = 120;

/** Whether somebody should be asked before it begins. */
export function needsConfirmation({ seconds, problems, warnings }: Preflight): boolean {
  return seconds > LONG_SECONDS || problems.length > 0 || warnings.length > 0;
}
