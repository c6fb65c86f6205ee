import { expect, it } from 'vitest';
import { compile } from '../../src/language/check/compile.ts';
import { plansFor } from '../../src/language/plan/plan.ts';

const file = (model: string, corpus: string): string => `model m = "${model}"
corpus c = "${corpus}"
metric w = abs(W) * X
experiment e { model: m evaluate: c calibrate: c prune: w at: 50% }
`;

it('names on the hub stay as they are in plans', () => {
  const document = compile(file('hf:o/m@v1', 'hf:o/d/en:test'));
  expect(document.diagnostics).toEqual([]);
  expect(plansFor(document, 'e', { folder: '/here' })).toMatchObject([{ model: 'hf:o/m@v1', text: 'hf:o/d/en:test' }]);
});

it.each([
  ['hf:o/../m', 'hf:o/d:test', '"..", where names neither begin nor end with - or .: this has to be hf:owner/name'],
  ['hf:o/m', 'hf:o/d', 'a data set without a split or a file of it: this has to be hf:owner/name/config:split'],
])('%s and %s: what is no name is underlined', (model, corpus, message) => {
  const [mistake] = compile(file(model, corpus)).diagnostics;
  expect(mistake).toMatchObject({ code: 'property/type', message: expect.stringContaining(message) as string });
});
