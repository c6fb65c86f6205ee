import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { withGenerated } from '../../../src/engine/generation/evaluateGenerated.ts';
import type { PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import type { TaskResult } from '../../../src/experiment/taskSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { generateCheckpoint } from '../../support/generate/generateCheckpoint.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { generateText } from '../../support/generate/text.ts';

const engine = createEngine();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-answers-'));
  const recipe = FAMILIES['llama-2 grouped queries'];
  const config = { ...recipe.config, max_position_embeddings: 280 };
  await generateCheckpoint(path.join(root, 'model'), { ...recipe, config });
  // Texts end soon.
  const ends = Array.from({ length: Number(recipe.config['vocab_size']) }, (_, id) => id).filter((id) => id % 8 === 3);
  await writeFile(path.join(root, 'model', 'generation_config.json'), JSON.stringify({ eos_token_id: ends }));
  await generateCheckpoint(path.join(root, 'short'), recipe);
  await writeFile(path.join(root, 'text.txt'), generateText(1, 110));
});
afterAll(async () => {
  await engine.dispose();
  await rm(root, { recursive: true });
});

const WANDA = {
  metric: 'wanda',
  expression: parsePrefix('mul(W, sqrt(X))'),
  sparsity: { kind: 'unstructured', share: 0.5 },
} as const;

/** A plan whose documents have these solutions. */
async function planOf(answers: readonly string[], evaluations: readonly PlannedEvaluation[], model = 'model') {
  const documents = path.join(root, 'gsm8k.jsonl');
  const lines = answers.map((answer, i) =>
    JSON.stringify({ question: `How many apples has a house with ${i} doors`, answer }),
  );
  await writeFile(documents, lines.join('\n'));
  const settings = { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 2, length: 24, offsets: 'even' } as const;
  const list = [{ task: 'gsm8k', documents, shots: 0, limit: 0 }];
  const tasks = { list, harness: '0.4', beginning: 'none' } as const;
  const text = path.join(root, 'text.txt');
  return {
    model: path.join(root, model),
    text,
    calibration: path.join(root, 'text.txt'),
    evaluations,
    settings,
    tasks,
  };
}

test('answers of the dense and of a pruned model are judged, and compared', async () => {
  // What the dense model answers is made the solution of one document.
  const { served } = await engine.openServed(await planOf([], []));
  const prompt = 'Question: How many apples has a house with 0 doors\nAnswer:';
  const ids = [...engine.tokenizerOf(served).encode(prompt, { special: false }).subarray(-24)];
  const { answers } = await engine.generate({ served, prompts: [ids], most: 256 });
  const text = engine.tokenizerOf(served).decode(answers[0]!.ids);
  await engine.closeServed({ served });
  const last = [...text.matchAll(/(-?[$0-9.,]{2,})|(-?[0-9]+)/g)].at(-1)?.[0] ?? '[invalid]';
  const told: number[] = [];
  const results = await engine.evaluate(await planOf([`#### ${last}`, '#### 12345'], [WANDA]), {
    onResult: (_, index) => told.push(index),
  });
  expect(told).toEqual([0]);
  expect(results[0]!.tasks).toMatchObject([
    {
      ...{ task: 'gsm8k', harness: '0.4', documents: 2, requests: 2, truncated: 2 },
      dense: { strict_match: { value: last === '[invalid]' ? 0.5 : 0 }, flexible_extract: { value: 0.5 } },
      paired: { flexible_extract: expect.objectContaining({ won: 0 }) as object },
    },
  ]);
  const [dense] = await engine.evaluate(await planOf([`#### ${last}`, '#### 12345'], []));
  expect(dense!.tasks![0]!.means).toEqual(results[0]!.tasks![0]!.dense);
  expect(dense!.tasks![0]!.fingerprint).toBe(results[0]!.tasks![0]!.fingerprint);
  const others = await engine.evaluate(await planOf(['#### 12345'], []));
  expect(others[0]!.fingerprint).not.toBe(dense!.fingerprint);
});

test('a result stands for what was generated, too: its tasks in the order of the plan, its fingerprint for all', async () => {
  const { model, text, calibration, settings, evaluations } = await planOf([], []);
  const [result] = await engine.evaluate({ model, text, calibration, settings, evaluations });
  const asked = (task: string) => ({ task, shots: 0, limit: 0 });
  const of = (task: string, fingerprint: string) => ({ task, fingerprint }) as TaskResult;
  const list = [asked('rte'), asked('gsm8k'), asked('boolq')];
  const scored = { ...result!, tasks: [of('rte', 'a'), of('boolq', 'b')] };
  const [first, second] = ['c', 'd'].map((fingerprint) => withGenerated(scored, list, [of('gsm8k', fingerprint)]));
  expect(first!.tasks.map(({ fingerprint }) => fingerprint)).toEqual(['a', 'c', 'b']);
  expect(new Set([scored, first!, second!].map(({ fingerprint }) => fingerprint)).size).toBe(3);
});

test('without a text, and without choices to score, there are answers alone', async () => {
  const { model, settings, tasks, calibration } = await planOf(['#### 1'], []);
  const plan = { model, settings, tasks };
  for (const evaluation of [WANDA, { ...WANDA, metric: 'magnitude', expression: parsePrefix('W') }]) {
    const inputs = evaluation === WANDA ? { ...plan, calibration } : plan;
    const [result] = await engine.evaluate({ ...inputs, evaluations: [evaluation] });
    expect(result).toMatchObject({ metric: evaluation.metric, tasks: [{ task: 'gsm8k', documents: 1 }] });
    expect(result).not.toHaveProperty('perplexity');
  }
  const [dense] = await engine.evaluate({ ...plan, evaluations: [] });
  expect(dense).toMatchObject({ metric: 'dense', tasks: [{ task: 'gsm8k', documents: 1 }] });
});

test('one that fails at its answers fails alone', async () => {
  const plan = await planOf(['#### 1'], [WANDA, { ...WANDA, metric: 'again' }]);
  const [told, failed]: [number[], unknown[]] = [[], []];
  let answered = 0;
  const results = await engine.evaluate(plan, {
    onProgress: ({ detail }) => {
      // The dense model has answered, and the first that was pruned has read its questions: the second finds none.
      if (detail.startsWith('gsm8k, ') && ++answered === 2) rmSync(plan.tasks.list[0]!.documents);
    },
    onResult: (_, index) => told.push(index),
    onFailure: (failure, index) => failed.push([failure.code, index]),
  });
  expect([told, results.map(({ metric }) => metric), failed]).toEqual([[0], ['wanda'], [['tasks/not-found', 1]]]);
});

test('what answers take is told before: keys and values, the pruned model on the disk, time', async () => {
  const plan = await planOf(['#### 1'], [WANDA]);
  const { tasks, ...without } = plan;
  expect(tasks.list).toHaveLength(1);
  const [told, before] = [await engine.preflight(plan), await engine.preflight(without)];
  const { served, cacheBytes } = await engine.openServed({ ...without, evaluations: [] });
  await engine.closeServed({ served });
  // 280 tokens have room for 512.
  expect(told.costs).toContainEqual({
    name: 'keys and values of answers',
    kind: 'memory',
    bytes: 16 * 512 * cacheBytes,
  });
  expect(told.costs.map(({ name }) => name)).toContain('the pruned model while it answers');
  expect(told.flops).toBeGreaterThan(before.flops);
});

test('a model without room for an answer is refused', async () => {
  const plan = await planOf(['#### 1'], [], 'short');
  expect(await failureOf(() => engine.evaluate(plan))).toMatchObject({ code: 'settings/invalid' });
});
