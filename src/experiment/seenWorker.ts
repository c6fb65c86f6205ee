import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { plainLine } from '../base/plainText.ts';
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

/** More are not told of one by one. */
const MOST_SEEN = 1000;
/** Characters of a name or a device, and of a reason. */
const LONGEST_NAME = 120;
const LONGEST_DETAIL = 600;

export const seenWorkersSchema = z.array(seenWorkerSchema).max(MOST_SEEN);

/** As they can be shown: what workers call themselves is text of somebody else's, and there may be very many of them. */
export function shownWorkers(workers: readonly SeenWorker[]): SeenWorker[] {
  return workers.slice(0, MOST_SEEN).map(({ detail, ...worker }) => ({
    ...worker,
    name: plainLine(worker.name, LONGEST_NAME) || '(no name)',
    device: plainLine(worker.device, LONGEST_NAME),
    ...(detail !== undefined && { detail: plainLine(detail, LONGEST_DETAIL) }),
  }));
}
