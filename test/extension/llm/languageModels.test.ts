import { describe, expect, it, vi } from 'vitest';
import { EndpointKeys } from '../../../src/extension/llm/endpointKeys.ts';
import { llmForecast } from '../../../src/extension/llm/forecast.ts';
import { forecastLines } from '../../../src/extension/llm/confirmLlm.ts';
import { syntheticRatePlan } from '../../support/syntheticStructure.ts';

vi.mock('vscode', () => ({}));

const KEY = 'sk-secret-0123456789';

describe('keys', () => {
  const stored = new Map<string, string>();
  let endpoints: readonly string[] = [];
  const keys = new EndpointKeys({
    secrets: {
      get: (name) => Promise.resolve(stored.get(name)),
      store: (name, value) => Promise.resolve(void stored.set(name, value)),
      delete: (name) => Promise.resolve(void stored.delete(name)),
    },
    index: { get: () => endpoints, set: (all) => Promise.resolve(void (endpoints = all)) },
  });

  it('belong to an endpoint, however it is spelled, and to no other', async () => {
    await keys.set('http://localhost:8000/v1/', KEY);
    await keys.set('', 'sk-openai');
    expect(await keys.get('http://LOCALHOST:8000/v1')).toBe(KEY);
    expect(await keys.get('http://localhost:8001/v1')).toBeUndefined();
    expect(await keys.get('https://api.openai.com/v1')).toBe('sk-openai');
    expect(keys.endpoints).toEqual(['http://localhost:8000/v1', 'https://api.openai.com/v1']);
    // What is listed is no secret.
    expect(JSON.stringify(endpoints)).not.toContain('sk-');
    await keys.remove('http://localhost:8000/v1');
    expect([await keys.get('http://localhost:8000/v1'), keys.endpoints]).toEqual([
      undefined,
      ['https://api.openai.com/v1'],
    ]);
  });
});

describe('what a search will ask is said before', () => {
  it.each([
    // The first 30 lists are asked for ten at a time.
    ['by default', {}, 43, 129],
    ['without mutation', { mutate: 'classical' }, 23, 69],
    ['of first configurations alone', { mutate: 'off', cross: 'classical' }, 3, 9],
    ['of nobody', { initialise: 'off', mutate: 'off', cross: 'off' }, 0, 0],
    ['where a role has nothing to make', { crossovers: 0 }, 23, 69],
    ['where a role has more to make than a reply has room for', { crossovers: 11, mutations: 0 }, 43, 129],
  ] as const)('%s', (_, search, requests, most) => {
    expect(llmForecast(syntheticRatePlan(search), 32)).toMatchObject({ requests, most });
  });

  it('with tokens in proportion to blocks and population, and cost where prices are known', () => {
    const plan = syntheticRatePlan();
    const [small, large] = [llmForecast(plan, 6), llmForecast(plan, 12)];
    expect(large.replyTokens / small.replyTokens).toBeCloseTo(2, 0);
    expect(llmForecast(plan, 500).promptTokens).toBe(llmForecast(plan, 400).promptTokens);
    expect(small.cost).toBeCloseTo((small.promptTokens * 0.4 + small.replyTokens * 1.6) / 1e6, 5);
    const free = syntheticRatePlan(
      {},
      { llm: { ...plan.llm, promptPrice: 0, replyPrice: 0, tokenCap: 0, costCap: 0 } },
    );
    expect(llmForecast(free, 6).cost).toBeUndefined();
    expect(forecastLines(free, llmForecast(free, 6)).join('\n')).toContain('no cap');
    const lines = forecastLines(plan, small).join('\n');
    for (const part of ['About 43 requests', 'at most 129', '400k tokens or a cost of 0.5', '(wikitext-llama-6m)'])
      expect(lines).toContain(part);
    expect(lines).not.toContain('/workspace');
  });
});
