import { rateSpace } from '../../../../src/search/rates/rates.ts';
import { describe, expect, it } from 'vitest';
import { RATE_ROLES } from '../../../../src/search/rates/selfPruner/roles.ts';
import { parsePrefix } from '../../../../src/metric/parsePrefix.ts';
import { fillTemplate } from '../../../../src/search/llm/fillTemplate.ts';
import { checkPrompts, writePrompt } from '../../../../src/search/rates/selfPruner/prompts.ts';
import { failureOf } from '../../../support/expectCoded.ts';
import { PROMPTS, rateProblem, ratePlan } from '../simulation.ts';

const values = { model: 'toy', count: '3', nested: '{{model}} $& $1' };

describe('a template', () => {
  it.each<readonly [string, string]>([
    ['nothing to fill in', 'nothing to fill in'],
    ['{{count}} of {{model}}', '3 of toy'],
    ['{{ count }}{{count}}', '33'],
    ['{{nested}}', '{{model}} $& $1'],
    ['{count} } }} { {{model}}}}', '{count} } }} { toy}}'],
    ['', ''],
  ])('%j becomes %j', (template, expected) => {
    expect(fillTemplate('mutate', template, values)).toBe(expected);
  });

  it.each<readonly [string, string]>([
    ['{{modle}}', '{{modle}}'],
    ['{{}}', '{{}}'],
    ['{{model', '{{model without }}'],
    ['{{constructor}}', '{{constructor}}'],
    ['{{__proto__}}', '{{__proto__}}'],
    ['{{{model}}}', '{{{model}}'],
    ['{{MODEL}}', '{{MODEL}}'],
    [`{{${'x'.repeat(100_000)}}}`, `{{${'x'.repeat(40)}…}}`],
  ])('%.30j is refused by name', async (template, actual) => {
    const { data } = await failureOf(() => fillTemplate('mutate', template, values));
    expect(data).toMatchObject({ code: 'settings/invalid', actual });
    expect(data.operation).toContain('mutate');
    expect(data.expected).toBe('only {{model}}, {{count}}, {{nested}}');
    expect(data.remedy).toContain('mutate.md');
  });
});

describe('the prompts that ship', () => {
  const { opening } = rateProblem(1);
  const context = { options: { opening }, space: rateSpace(opening.components, 0.3) };
  const plan = ratePlan();
  const population = [
    { rates: [0.1, 0.5, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3], fitness: 12.3456 },
    { rates: [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3], fitness: 250.987 },
  ];

  it.each(RATE_ROLES)('%s says all that there is to know', (role) => {
    const prompt = writePrompt(plan, context, { role, count: 7, population });
    expect(prompt).toContain('toy (llama) has 8 decoder blocks');
    for (const part of ['exactly 8 numbers', '0.30000', 'wanda-sp', '7', 'square brackets'])
      expect(prompt).toContain(part);
    expect(prompt).not.toContain('{{');
    expect(prompt).not.toContain('/models');
    const shows = prompt.includes('[0.10000, 0.50000, 0.30000, 0.30000, 0.30000, 0.30000, 0.30000, 0.30000] 12.346\n');
    expect(shows).toBe(role !== 'initialise');
  });

  it('ask again with the reasons, each once', () => {
    const reasons = ['it has 7 numbers instead of 8', 'it was there already', 'it has 7 numbers instead of 8'];
    const prompt = writePrompt(plan, context, { role: 'mutate', count: 2, population, reasons });
    expect(prompt.startsWith(writePrompt(plan, context, { role: 'mutate', count: 2, population }).trimEnd())).toBe(
      true,
    );
    expect(prompt).toContain('- it has 7 numbers instead of 8 (2 times)\n- it was there already\n');
  });

  it('show as much of a population as there is room for, and two at least', () => {
    const many = Array.from({ length: 400 }, () => population[0]!);
    const prompt = writePrompt(plan, context, { role: 'cross', count: 2, population: many });
    const shown = prompt.split('\n').filter((line) => line.startsWith('['));
    expect(shown.join('\n').length).toBeLessThanOrEqual(24_000);
    expect(shown.length).toBeGreaterThan(250);
    const wide = many.map(({ fitness }) => ({ rates: Array<number>(5000).fill(0.3), fitness }));
    const wider = writePrompt(plan, context, { role: 'cross', count: 2, population: wide });
    expect(wider.split('\n').filter((line) => line.startsWith('['))).toHaveLength(2);
  });

  it('name a metric where single weights go', () => {
    const target = { kind: 'weights', metric: 'wanda', expression: parsePrefix('mul(W, sqrt(X))') } as const;
    const prompt = writePrompt(ratePlan({}, {}, { target }), context, { role: 'initialise', count: 1, population: [] });
    expect(prompt).toContain('single weights of the linear layers, those with the lowest scores (wanda) first');
  });

  it.each<readonly [keyof typeof PROMPTS, string]>([
    ['initialise', 'population'],
    ['mutate', 'reason'],
    ['cross', 'reason'],
    ['again', 'parents'],
  ])('%s has no {{%s}}', async (name, placeholder) => {
    const prompts = { ...PROMPTS, [name]: `Now {{${placeholder}}}` };
    const { data } = await failureOf(() => {
      checkPrompts(ratePlan({}, {}, { prompts }), context);
    });
    expect(data.operation).toContain(`template ${name}`);
    expect(data.actual).toBe(`{{${placeholder}}}`);
  });
});
