import { expect, test } from 'vitest';
import { numbersOfThreads, threadCase } from '../support/numbersOfThreads.ts';

const llama = { family: 'llama-2 grouped queries', layers: 1 } as const;

// Few rows, where threads take parts of a product that are worked off in another way; sizes that nothing divides; samples beside each other.
test.each([
  threadCase({ ...llama, hidden: 128, intermediate: 320, heads: 4, kvHeads: 2, length: 64, samples: 1, blocks: 1 }),
  threadCase({ ...llama, hidden: 66, intermediate: 259, heads: 3, kvHeads: 1, length: 17, samples: 4, blocks: 3 }),
  threadCase({
    ...{ family: 'opt', layers: 2, hidden: 160, intermediate: 388, heads: 5, kvHeads: 5 },
    ...{ length: 33, samples: 3, blocks: 2 },
  }),
  // Capped scores and logits.
  threadCase({
    ...{ family: 'gemma2', layers: 1, hidden: 99, intermediate: 259, heads: 3, kvHeads: 3 },
    ...{ length: 33, samples: 3, blocks: 2 },
  }),
  // Norms of single heads, and neighbours that turn together.
  threadCase({
    ...{ family: 'cohere', layers: 1, hidden: 66, intermediate: 259, heads: 3, kvHeads: 1 },
    ...{ length: 33, samples: 3, blocks: 2 },
  }),
])('of $name, one thread and many give the same numbers, to the last bit', async (sizes) => {
  const one = await numbersOfThreads(sizes, 1);
  for (const threads of [2, 5]) expect(await numbersOfThreads(sizes, threads)).toEqual(one);
});
