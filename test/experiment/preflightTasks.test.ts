import { expect, it } from 'vitest';
import { preflightTasks } from '../../src/experiment/preflightTasks.ts';

it.each([
  [
    [
      { task: 'piqa', documents: 1838 },
      { task: 'mmlu_astronomy', documents: 1 },
      { task: 'mine', documents: 3 },
    ],
    'PIQA 1838 documents, MMLU astronomy 1 document, mine 3 documents: 12 requests, 402k tokens for each model',
  ],
  [[{ task: 'boolq', documents: 2 }], 'BoolQ 2 documents: 12 requests, 402k tokens for each model'],
])('what tasks will ask is told: %#', (list, words) => {
  expect(preflightTasks({ list, requests: 12, tokens: 402_345 })).toBe(words);
});
