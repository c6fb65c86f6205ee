import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SelfPrunerPlan } from '../../../src/search/rates/selfPruner/plan.ts';
import { EndpointKeys } from '../../../src/extension/llm/endpointKeys.ts';
import { forecastOfFormulas, forecastOfRates } from '../../../src/extension/llm/forecast.ts';
import { forecastLines } from '../../../src/extension/llm/confirmLlm.ts';
import { LanguageModels } from '../../../src/extension/llm/languageModels.ts';
import { createRun, RUN_FILE } from '../../../src/runs/runFolder.ts';
import type { RunFolder } from '../../../src/runs/runFolder.ts';
import { createRunRecord, planOf } from '../../../src/runs/runRecord.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { syntheticProposingPlan } from '../../support/syntheticSearch.ts';
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
  const THEIRS = { provider: 'openai', endpoint: 'http://ELSEWHERE.example.:80/v1/', llm: 'their-choice' };
  let root: string;
  let models: LanguageModels;
  const stored = new Map<string, unknown>();

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'espalier-agreed-'));
    const secret = {
      get: (name: string) => Promise.resolve(name === 'espalier.llm.key:http://elsewhere.example/v1' ? KEY : undefined),
      store: () => Promise.resolve(),
      delete: () => Promise.resolve(),
    };
    stored.clear();
    const memento = {
      get: (name: string, otherwise: unknown) => stored.get(name) ?? otherwise,
      update: (name: string, value: unknown) => Promise.resolve(void stored.set(name, value)),
    };
    const context = { secrets: secret, globalState: memento, workspaceState: memento };
    models = new LanguageModels({
      context: context as never,
      blocksOf: () => Promise.resolve(6),
      tell: () => undefined,
    });
    dialog.asked.length = 0;
    dialog.answer = 'Go On';
  });
  afterEach(() => rm(root, { recursive: true }));

  const begin = async (llm: object, name = 'rates'): Promise<RunFolder> => {
    const plan = { ...syntheticRatePlan(), name };
    return createRun({ ...plan, llm: { ...plan.llm, ...llm } }, { root, createdAt: new Date(0), versions: {} });
  };
  /** As somebody who knows how writes into a run.json: fingerprint and all. */
  const change = async ({ record: run, folder }: RunFolder, llm: object): Promise<void> => {
    const plan = planOf(run, root) as SelfPrunerPlan;
    const other = { ...plan, llm: { ...plan.llm, ...llm } };
    const record = createRunRecord(run.id, other, { root, createdAt: new Date(0), versions: {} });
    await writeFile(path.join(folder, RUN_FILE), JSON.stringify(record));
  };

  it('and was begun elsewhere asks first whether it may, once, and tells the endpoint as it is asked', async () => {
    const foreign = await begin(THEIRS, 'two\nlines');
    dialog.answer = undefined;
    expect((await failureOf(() => models.accessOf(foreign.folder))).code).toBe('cancelled');
    for (const part of [
      'two lines was not begun in this window',
      'their-choice at http://elsewhere.example/v1',
      'The key that you keep for this endpoint is sent along',
      'No request is begun beyond',
      'nothing else of yours',
    ])
      expect(dialog.asked[0]).toContain(part);
    dialog.answer = 'Go On';
    const access = { grant: { endpoint: 'http://elsewhere.example/v1', key: KEY }, editor: false };
    expect([await models.accessOf(foreign.folder), await models.accessOf(foreign.folder)]).toEqual([access, access]);
    expect(dialog.asked).toHaveLength(2);
  });

  it('for formulas is asked about before it begins, and can do without', async () => {
    dialog.answer = 'Without Language Model';
    expect(await models.confirm(syntheticProposingPlan())).toMatchObject({
      kind: 'metrics',
      llm: { provider: 'none' },
    });
    expect(dialog.asked).toEqual([
      expect.stringContaining('asks qwen2.5-coder:14b at http://localhost:11434/v1 for formulas of metrics'),
    ]);
    dialog.answer = 'Start';
    const plan = await models.confirm(syntheticProposingPlan());
    const own = await createRun(plan!, { root, createdAt: new Date(0), versions: {} });
    await models.agreed(own);
    expect(await models.accessOf(own.folder)).toEqual({
      grant: { endpoint: 'http://localhost:11434/v1' },
      editor: false,
    });
    expect(dialog.asked).toHaveLength(2);
  });

  it('and was begun here asks nothing', async () => {
    const own = await begin({ provider: 'vscode' });
    await models.agreed(own);
    expect(await models.accessOf(own.folder)).toEqual({ editor: true });
    expect(await models.accessOf((await begin({ provider: 'none' })).folder)).toEqual({ editor: false });
    expect(dialog.asked).toHaveLength(0);
  });

  it.each<readonly [what: string, change: object, told: string]>([
    ['endpoint', { endpoint: 'http://other.example/v1' }, 'http://other.example/v1'],
    ['port', { endpoint: 'http://elsewhere.example:81/v1' }, 'http://elsewhere.example:81/v1'],
    ['scheme', { endpoint: 'https://elsewhere.example/v1' }, 'https://elsewhere.example/v1'],
    ['path', { endpoint: 'http://elsewhere.example/v2' }, 'http://elsewhere.example/v2'],
    ['letters that look alike', { endpoint: 'http://еlsewhere.example/v1' }, 'http://xn--lsewhere-b8g.example/v1'],
    ['model', { llm: 'dearer' }, 'dearer at'],
    ['cap', { tokenCap: 0, costCap: 0 }, 'no cap'],
    ['provider', { provider: 'vscode' }, 'the editor’s language model'],
  ])('and whose %s was changed since asks anew', async (what, changed, told) => {
    const own = await begin(THEIRS);
    await models.agreed(own);
    await models.accessOf(own.folder);
    expect(dialog.asked).toHaveLength(0);
    await change(own, changed);
    const { grant } = await models.accessOf(own.folder);
    expect(dialog.asked).toEqual([expect.stringContaining(told)]);
    // A key is one endpoint’s: to another there is none to send.
    expect(grant?.key).toBe(['model', 'cap'].includes(what) ? KEY : undefined);
    if (grant) expect(dialog.asked[0]).toContain(grant.endpoint);
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
    expect(forecastOfRates(syntheticRatePlan(search), 32)).toMatchObject({ requests, most });
  });

  it('of formulas: one request a generation, and prompts without rates', () => {
    const plan = syntheticProposingPlan({ generations: 12 });
    const forecast = forecastOfFormulas(plan);
    expect(forecast).toMatchObject({ requests: 12, most: 36 });
    expect(forecast.cost).toBeCloseTo((forecast.promptTokens + 4 * forecast.replyTokens) / 1e6, 5);
    const lines = forecastLines(plan, forecast).join('\n');
    for (const part of [
      'About 12 requests',
      '400k tokens',
      'Prompts hold formulas, perplexities',
      '(wikitext-llama-6m)',
    ])
      expect(lines).toContain(part);
    expect(lines).not.toContain('/workspace');
  });

  it('with tokens in proportion to blocks and population, and cost where prices are known', () => {
    const plan = syntheticRatePlan();
    const [small, large] = [forecastOfRates(plan, 6), forecastOfRates(plan, 12)];
    expect(large.replyTokens / small.replyTokens).toBeCloseTo(2, 0);
    expect(forecastOfRates(plan, 500).promptTokens).toBe(forecastOfRates(plan, 400).promptTokens);
    expect(small.cost).toBeCloseTo((small.promptTokens * 0.4 + small.replyTokens * 1.6) / 1e6, 5);
    const free = syntheticRatePlan(
      {},
      { llm: { ...plan.llm, promptPrice: 0, replyPrice: 0, tokenCap: 0, costCap: 0 } },
    );
    expect(forecastOfRates(free, 6).cost).toBeUndefined();
    expect(forecastLines(free, forecastOfRates(free, 6)).join('\n')).toContain('no cap');
    const lines = forecastLines(plan, small).join('\n');
    for (const part of ['About 43 requests', 'at most 129', '400k tokens or a cost of 0.5', '(wikitext-llama-6m)'])
      expect(lines).toContain(part);
    expect(lines).not.toContain('/workspace');
  });
});
