import type { ProtocolClient } from '../protocol/client.ts';
import { Pace } from './pace.ts';
import type { Pacing } from './pace.ts';
import { ask } from './questions.ts';
import type { Drive } from './searchRun.ts';

/**
 * Asks one worker one thing, which is no candidate's: where it ends two workers, nothing can go on without it.
 *
 * @param pace how long such things take, where several are asked
 * @throws EspalierError why the second worker ended
 */
export async function askOne<Answer>(
  { pool, clock }: Pick<Drive, 'pool' | 'clock'>,
  question: (client: ProtocolClient) => Promise<Answer>,
  pace: Pacing = new Pace(() => clock.now()),
): Promise<Answer> {
  const found: Answer[] = [];
  await ask<undefined, Answer>(pool, {
    items: [undefined],
    pace,
    ask: async (client) => {
      const began = clock.now();
      const answer = await question(client);
      return [{ answer, seconds: (clock.now() - began) / 1000 }];
    },
    settle: (answered) => {
      for (const one of answered) {
        if ('quarantined' in one) return Promise.reject(one.quarantined);
        found.push(one.answer);
      }
      return Promise.resolve();
    },
  });
  return found[0]!;
}
