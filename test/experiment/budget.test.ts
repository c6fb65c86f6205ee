import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUDGET_FORMS, parseBudget, printBudget } from '../../src/experiment/budget.ts';
import { budgetSchema, type Budget } from '../../src/experiment/budgetSchema.ts';

describe('budgets', () => {
  it.each<[string, Budget | undefined, string?]>([
    ['1.5x faster', { quantity: 'prefill', times: 1.5 }],
    ['2 x faster', { quantity: 'prefill', times: 2 }, '2x faster'],
    ['1.5x faster prefill', { quantity: 'prefill', times: 1.5 }, '1.5x faster'],
    ['1.25x  faster decode', { quantity: 'decode', times: 1.25 }, '1.25x faster decode'],
    ['40% fewer parameters', { quantity: 'parameters', share: 0.4 }],
    ['7 % fewer parameters', { quantity: 'parameters', share: 0.07 }, '7% fewer parameters'],
    ['2 GB', { quantity: 'bytes', bytes: 2e9 }],
    ['2000MB', { quantity: 'bytes', bytes: 2e9 }, '2 GB'],
    ['1.5 GiB', { quantity: 'bytes', bytes: 1_610_612_736 }],
    ['512 MiB', { quantity: 'bytes', bytes: 536_870_912 }],
    ['0.02 MB', { quantity: 'bytes', bytes: 20_000 }],
    ['1x faster', undefined],
    ['0.5x faster', undefined],
    ['1001x faster', undefined],
    ['1.5 faster', undefined],
    ['1.5xfaster', undefined],
    ['0% fewer parameters', undefined],
    ['100% fewer parameters', undefined],
    ['40% fewer', undefined],
    ['0 GB', undefined],
    ['2gb', undefined],
    ['2 TB', undefined],
    ['50%', undefined],
  ])('reads %s', (text: string, budget: Budget | undefined, printed: string = text) => {
    expect(parseBudget(text)).toEqual(budget);
    if (budget) expect(printBudget(budget)).toBe(printed);
  });

  it('prints what it reads back to the same', () => {
    const budgets = fc.oneof(
      fc.record({
        quantity: fc.constantFrom('prefill', 'decode'),
        times: fc.double({ min: 1, max: 1000, minExcluded: true, noNaN: true }),
      }),
      fc.record({ quantity: fc.constant('bytes'), bytes: fc.integer({ min: 1, max: 1e15 }) }),
      fc.record({
        quantity: fc.constant('parameters'),
        // As a text says it: a percentage of few digits.
        share: fc.integer({ min: 1, max: 999_999 }).map((units) => units / 1e4 / 100),
      }),
    );
    fc.assert(
      fc.property(budgets, (made) => {
        const budget = budgetSchema.parse(made);
        expect(parseBudget(printBudget(budget))).toEqual(budget);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('explains forms that it reads', () => {
    for (const { example } of BUDGET_FORMS) expect(printBudget(parseBudget(example)!)).toBe(example);
  });
});
