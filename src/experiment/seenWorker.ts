import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { amountSchema, countSchema, nameSchema, textSchema } from '../base/scalarSchemas.ts';

/** A worker of a queue as whoever asks sees it: for the panel and the command line. */
export const seenWorkerSchema = z.strictObject({
  id: textSchema,
  /** Host, and what tells it from others there. */
  name: nameSchema,
  /** Its device, as a person names it; empty until it has opened something. */
  device: textSchema,
  /**
   * What it does, for the run that is looked at: works for it, works for another one, waits, has not been seen for a while, or does not answer this run
   * (then `detail` says why, both sides named).
   */
  state: z.enum(['ours', 'elsewhere', 'idle', 'opening', 'lost', 'refused']),
  detail: textSchema.exactOptional(),
  /** Questions of this run that it has answered, and how many of all runs in the last minutes, by minute. */
  answered: countSchema,
  perMinute: amountSchema,
  /** Seconds since its last sign of life. */
  silent: amountSchema,
});
export type SeenWorker = Immutable<z.infer<typeof seenWorkerSchema>>;
