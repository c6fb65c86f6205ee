import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import type { TaskDocument } from '../../../src/experiment/taskSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { forward, loadOracle } from '../../support/oracle/model.ts';
import { row } from '../../support/oracle/matrix.ts';

// Tasks in an evaluation: beside a text and without one, for every kind of variant; a pruned model is that which its export is.

const FAMILIES: readonly FamilyName[] = ['llama-2 grouped queries', 'opt', 'gemma2'];
const DOCUMENTS = [
  { goal: 'open a door', sol1: 'turn the handle', sol2: 'paint the wall', label: 0 },
  { goal: 'open a jar', sol1: 'sing', sol2: 'turn the lid to the left', label: 1 },
  { goal: 'cool a drink', sol1: 'put ice in it', sol2: 'put fire under it', label: 0 },
];
const expression = parsePrefix('mul(W, sqrt(X))');
const sparsity = { kind: 'unstructured', share: 0.5 } as const;
const VARIANTS: Readonly<Record<string, PlannedEvaluation>> = {
  metric: { metric: 'wanda', expression, sparsity },
  update: { metric: 'sparsegpt', sparsity, update: { method: 'sparsegpt', damping: 0.01, columns: 128 } },
  components: {
    metric: 'wanda-sp',
    structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'uniform' } },
    sparsity,
  },
};

describe.each(FAMILIES)('%s', (name) => {
  const engine = createEngine({ startFresh: () => createEngine() });
  let family: TemporaryFamily;
  let folder: string;
  let plan: EvaluationPlan;
  beforeAll(async () => {
    family = await temporaryFamily(name);
    folder = await mkdtemp(path.join(tmpdir(), 'espalier-tasks-'));
    const documents = path.join(folder, 'piqa.jsonl');
    await writeFile(documents, DOCUMENTS.map((document) => `${JSON.stringify(document)}\n`).join(''));
    plan = {
      model: family.folder,
      text: family.textFile,
      calibration: family.calibrationFile,
      tasks: { list: [{ task: 'piqa', documents, shots: 0, limit: 0 }], harness: '0.4', beginning: 'none' },
      evaluations: [],
      settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 2, blocks: 2, length: 24, offsets: 'even' },
    };
  });
  afterAll(async () => {
    await engine.dispose();
    await family.remove();
    await rm(folder, { recursive: true });
  });

  async function documentsOf(asked: EvaluationPlan): Promise<{ results: unknown[]; documents: TaskDocument[] }> {
    const documents: TaskDocument[] = [];
    const results = await engine.evaluate(asked, { onTaskDocument: (document) => documents.push(document) });
    return { results: [...results], documents };
  }

  test('log-likelihoods are those of plain loops in float64, alone', async () => {
    const { documents } = await documentsOf(plan);
    const oracle = loadOracle(family.folder);
    const tokenizer = await loadTokenizer(family.folder);
    const around = tokenizer.around;
    const encode = (text: string): number[] =>
      [...tokenizer.encode(text)].slice(around.before.length, tokenizer.encode(text).length - around.after.length);
    expect(documents.map(({ row: place, gold }) => [place, gold])).toEqual([
      [0, 0],
      [1, 1],
      [2, 0],
    ]);
    for (const { row: place, logLikelihoods, greedy } of documents) {
      const { goal, sol1, sol2 } = DOCUMENTS[place]!;
      for (const [choice, text] of [sol1, sol2].entries()) {
        const context = encode(`Question: ${goal}\nAnswer:`);
        const ids = encode(`Question: ${goal}\nAnswer: ${text}`);
        const logits = forward(oracle, ids.slice(0, -1));
        let [sum, isGreedy] = [0, true];
        for (let i = context.length; i < ids.length; i++) {
          const values = [...row(logits, i - 1)];
          const largest = Math.max(...values);
          sum += values[ids[i]!]! - largest - Math.log(values.reduce((s, value) => s + Math.exp(value - largest), 0));
          isGreedy &&= values[ids[i]!] === largest;
        }
        expect(Math.abs(logLikelihoods[choice]! / sum - 1)).toBeLessThan(1e-4);
        expect(greedy[choice]).toBe(isGreedy);
      }
    }
  });

  test('what is asked is counted before, and told while it is answered', async () => {
    const { tasks } = await engine.preflight(plan);
    expect(tasks).toMatchObject({ list: [{ task: 'piqa', documents: 3 }], requests: 6 });
    const details: string[] = [];
    await engine.evaluate(plan, { onProgress: ({ detail }) => details.push(detail) });
    expect(details).toContainEqual(expect.stringMatching(/^dense, block 1 of \d+, tasks$/));
  });

  test.each(Object.entries(VARIANTS))('%s: as the model that is exported', async (_, evaluation) => {
    const pruned = { ...plan, evaluations: [evaluation] };
    const { results, documents } = await documentsOf(pruned);
    const exported = path.join(folder, `exported-${evaluation.metric}`);
    const { tasks, ...withoutTasks } = pruned;
    await engine.exportModel(withoutTasks, { folder: exported, format: 'huggingface' });
    const { documents: ofExported } = await documentsOf({ ...plan, model: exported, evaluations: [] });
    // A checkpoint is written in the types that it was read in.
    for (const [i, { logLikelihoods }] of documents.entries()) {
      for (const [choice, likelihood] of logLikelihoods.entries()) {
        expect(Math.abs(likelihood / ofExported[i]!.logLikelihoods[choice]! - 1)).toBeLessThan(5e-3);
      }
    }
    const { documents: dense } = await documentsOf(plan);
    expect(documents[0]!.logLikelihoods[0]).not.toBeCloseTo(dense[0]!.logLikelihoods[0]!, 3);
    const withoutText: EvaluationPlan = { ...pruned };
    delete (withoutText as { text?: string }).text;
    const alone = await documentsOf(withoutText);
    expect(alone.documents).toEqual(documents);
    expect(results).toMatchObject([{ tasks: [{ documents: 3, requests: 6, truncated: 0, dense: {}, paired: {} }] }]);
    expect(alone.results).toMatchObject([{ tasks: [{ documents: 3, requests: 6 }] }]);
    expect((alone.results[0] as { perplexity?: number }).perplexity).toBeUndefined();
    expect(tasks).toBeDefined();
  });

  test('what is asked is part of the fingerprint; progress counts it; it can be cancelled', async () => {
    const [all] = await engine.evaluate(plan);
    const limited = { ...plan.tasks!, list: [{ ...plan.tasks!.list[0]!, limit: 2 }] };
    const [fewer] = await engine.evaluate({ ...plan, tasks: limited });
    expect(fewer!.fingerprint).not.toBe(all!.fingerprint);
    expect(fewer!.tasks![0]!.documents).toBe(2);
    let last = { done: 0, total: 0 };
    await engine.evaluate(
      { ...plan, evaluations: [VARIANTS['metric']!] },
      {
        onProgress: ({ stage, done, total }) => {
          if (stage === 'evaluating') last = { done, total };
        },
      },
    );
    expect(last.done).toBe(last.total);
    const controller = new AbortController();
    const cancelled = engine.evaluate(
      { ...plan, evaluations: [VARIANTS['metric']!] },
      {
        signal: controller.signal,
        onProgress: ({ detail }) => {
          if (detail === 'likelihoods') controller.abort();
        },
      },
    );
    await expect(cancelled).rejects.toMatchObject({ data: { code: 'cancelled' } });
  });
});
