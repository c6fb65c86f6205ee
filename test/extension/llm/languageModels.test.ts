import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { EndpointKeys } from '../../../src/extension/llm/endpointKeys.ts';
import { llmForecast } from '../../../src/extension/llm/forecast.ts';
import { forecastLines } from '../../../src/extension/llm/confirmLlm.ts';
import { LanguageModels } from '../../../src/extension/llm/languageModels.ts';
import { createRun } from '../../../src/runs/runFolder.ts';
import type { RunFolder } from '../../../src/runs/runFolder.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { syntheticRatePlan } from '../../support/syntheticStructure.ts';

const dialog = vi.hoisted(() => ({ asked: [] as string[], answer: undefined as string | undefined }));
vi.mock('vscode', () => ({
  window: {
    showWarningMessage: (text: string, { detail }: { detail: string }) => {
      dialog.asked.push(`${text}\n${detail}`);
      return Promise.resolve(dialog.answer);
    },
  },
}));

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

describe('a run that asks a language model', () => {
  it('and was begun elsewhere asks first whether it may, once', async () => {
    const root = await mkdtemp(path.join(tmpdir(), 'espalier-agreed-'));
    const secret = { get: () => Promise.resolve(KEY), store: () => Promise.resolve(), delete: () => Promise.resolve() };
    const state = new Map<string, unknown>();
    const memento = {
      get: (name: string, otherwise: unknown) => state.get(name) ?? otherwise,
      update: (name: string, value: unknown) => Promise.resolve(void state.set(name, value)),
    };
    const context = { secrets: secret, globalState: memento, workspaceState: memento };
    const models = new LanguageModels({
      context: context as never,
      blocksOf: () => Promise.resolve(6),
      tell: () => undefined,
    });
    const begin = async (llm: object): Promise<RunFolder> => {
      const plan = syntheticRatePlan();
      return createRun({ ...plan, llm: { ...plan.llm, ...llm } }, { root, createdAt: new Date(0), versions: {} });
    };
    const foreign = await begin({ provider: 'openai', endpoint: 'http://elsewhere.example/v1', llm: 'their-choice' });
    expect((await failureOf(() => models.keyOf(foreign.folder))).code).toBe('cancelled');
    for (const part of [
      'their-choice at http://elsewhere.example/v1',
      'No request is begun beyond',
      'nothing else of yours',
    ])
      expect(dialog.asked[0]).toContain(part);
    dialog.answer = 'Go On';
    expect([await models.keyOf(foreign.folder), await models.keyOf(foreign.folder)]).toEqual([KEY, KEY]);
    expect(dialog.asked).toHaveLength(2);

    const own = await begin({ provider: 'vscode' });
    await models.agreed(own.run.id);
    expect(await models.keyOf(own.folder)).toBeUndefined();
    expect(await models.keyOf((await begin({ provider: 'none' })).folder)).toBeUndefined();
    expect(dialog.asked).toHaveLength(2);
    await rm(root, { recursive: true });
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
