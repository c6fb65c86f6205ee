import type { EspalierError } from '../base/errors.ts';
import { Pace } from './pace.ts';
import type { Pacing } from './pace.ts';
import { ask } from './questions.ts';
import type { Answering } from './pool.ts';
import type { Drive } from './searchRun.ts';

/**
 * A candidate that ends two workers is left out. Here nothing can go on without the answer, and workers are ended from outside, too: by a person, or
 * where memory is short. So it is asked this many times over.
 */
const ATTEMPTS = 3;

/**
 * Asks one worker one thing, which is no candidate's.
 *
 * @param pace how long such things take, where several are asked
 * @throws EspalierError why the last worker ended, where it ended one each time; why the pool gave up
 */
export async function askOne<Answer>(
  drive: Pick<Drive, 'pool'>,
  question: (client: Answering) => Promise<Answer>,
  pace: Pacing = new Pace(),
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await askOnce(drive, question, pace);
    if ('answer' in outcome) return outcome.answer;
    if (attempt === ATTEMPTS) throw outcome.ended;
  }
}

async function askOnce<Answer>(
  { pool }: Pick<Drive, 'pool'>,
  question: (client: Answering) => Promise<Answer>,
  pace: Pacing,
): Promise<{ readonly answer: Answer } | { readonly ended: EspalierError }> {
  const found: ({ readonly answer: Answer } | { readonly ended: EspalierError })[] = [];
  await ask<undefined, Answer>(pool, {
    items: [undefined],
    pace,
    // Nobody asks how long it took.
    ask: async (client) => [{ answer: await question(client), seconds: 0 }],
    settle: (answered) => {
      for (const one of answered)
        found.push('quarantined' in one ? { ended: one.quarantined } : { answer: one.answer });
      return Promise.resolve();
    },
  });
  return found[0]!;
}
