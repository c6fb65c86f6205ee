import { expect, it } from 'vitest';
import { preflightTasks } from '../../src/experiment/preflightTasks.ts';

it.each([
  [
    [
      { task: 'piqa', documents: 1838 },
      { task: 'mmlu_astronomy', documents: 1 },
      { task: 'mine', documents: 3 },
    ],
    'PIQA 1838 documents, MMLU astronomy 1 document, mine 3 documents: ' +
      '12 requests, 402k tokens for each model, about 3 min; 410 MB of hidden states for each in memory',
    'memory',
  ],
  [
    [{ task: 'boolq', documents: 2 }],
    'BoolQ 2 documents: 12 requests, 402k tokens for each model, about 3 min; 410 MB of hidden states for each on disk',
    'disk',
  ],
] as const)('what tasks will ask is told: %#', (list, words, kept) => {
  expect(preflightTasks({ list, requests: 12, tokens: 402_345, seconds: 180, bytes: 411_600_000, kept })).toBe(words);
});
