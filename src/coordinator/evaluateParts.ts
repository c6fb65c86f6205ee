import { canonicalJson } from '../base/canonicalJson.ts';
import { EspalierError } from '../base/errors.ts';
import type { ErrorCode, ErrorData } from '../base/errors.ts';
import type { EvaluationPlan } from '../experiment/planSchema.ts';
import type { EvaluationResult } from '../experiment/resultSchema.ts';
import type { Pacing } from './pace.ts';
import type { Answering, Pool } from './pool.ts';
import { ask } from './questions.ts';

/** What became of an evaluation that was asked by itself. */
export type PartOutcome =
  | { readonly kind: 'result'; readonly result: EvaluationResult }
  /** Its own fault: the others go on. */
  | { readonly kind: 'failure'; readonly error: ErrorData };

/**
 * Asks the workers of a pool for each part of a plan, or of several that are opened alike; the same is asked once.
 *
 * @param settle called with each outcome as it comes, and its part's place
 * @throws EspalierError what is no single part's fault, as an evaluation of the whole plan does; why the pool gave up
 */
export async function evaluateParts(
  pool: Pool<unknown>,
  parts: readonly EvaluationPlan[],
  settle: (outcome: PartOutcome, place: number) => void,
): Promise<void> {
  const places = new Map<string, number[]>();
  for (const [place, part] of parts.entries()) {
    const key = canonicalJson(part);
    places.set(key, [...(places.get(key) ?? []), place]);
  }
  await ask<readonly number[], PartOutcome>(pool, {
    items: [...places.values()],
    pace: ONE_BY_ONE,
    ask: async (client, [same]) => [{ answer: await evaluatePart(client, pool, parts[same![0]!]!), seconds: 0 }],
    settle: (answered) => {
      for (const one of answered) {
        const outcome: PartOutcome = 'answer' in one ? one.answer : { kind: 'failure', error: one.quarantined.data };
        for (const place of one.item) settle(outcome, place);
      }
      return Promise.resolve();
    },
  });
}

/** Milliseconds; an evaluation of a large model may take hours, and a recovery in it longer than all others: none says what the next may take. */
const LIMIT = 24 * 3_600_000;

const ONE_BY_ONE: Pacing = { portion: () => 1, limit: () => LIMIT, note: () => undefined };

async function evaluatePart(client: Answering, pool: Pool<unknown>, part: EvaluationPlan): Promise<PartOutcome> {
  try {
    const [result] = await client.request('evaluate', { ...part, settings: pool.settingsOf(part.settings) });
    return { kind: 'result', result: result! };
  } catch (thrown) {
    if (thrown instanceof EspalierError && ITS_OWN.has(thrown.code)) return { kind: 'failure', error: thrown.data };
    throw thrown;
  }
}

/** What inputs and settings are right for was found out when the plan was opened; what is left is this evaluation's own. */
const ITS_OWN: ReadonlySet<ErrorCode> = new Set([
  'metric/invalid-score',
  'settings/invalid',
  'evaluation/not-finite',
  'recovery/ill-conditioned',
  'corpus/too-short',
]);
