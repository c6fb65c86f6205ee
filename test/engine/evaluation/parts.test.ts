import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorData } from '../../../src/base/errors.ts';
import { createEngine } from '../../../src/engine/engine.ts';
import { essentialsOf, partsOf } from '../../../src/experiment/parts.ts';
import type { PlanParts } from '../../../src/experiment/parts.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_RECOVERY_SETTINGS } from '../../../src/experiment/recovery.ts';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { RateAllocation, Structure } from '../../../src/experiment/structureSchema.ts';
import type { TaskDocument } from '../../../src/experiment/taskSchema.ts';
import { generateCheckpoint } from '../../support/generate/generateCheckpoint.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { generateText } from '../../support/generate/text.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

// What a table of evaluations gives in one sweep, each gives by itself.

const half = { kind: 'unstructured', share: 0.5 } as const;
const some = { kind: 'unstructured', share: 0.3 } as const;
const OWL: RateAllocation = { kind: 'owl', multiple: 5, spread: 0.1 };
const UNIFORM: RateAllocation = { kind: 'uniform' };

const byMetric = (prefix: string, more: object = {}): PlannedEvaluation => ({
  ...{ metric: prefix, expression: fromPrefix(prefix), sparsity: half },
  ...more,
});
const scored = (score: string, rates: RateAllocation, more: object = {}): PlannedEvaluation => {
  const structure = {
    kind: 'scored',
    rates,
    score: score.includes('(')
      ? { kind: 'metric', expression: fromPrefix(score) }
      : ({ kind: 'method', method: score } as never),
  } as Structure;
  return { metric: score, structure, sparsity: some, ...more };
};

const UPDATE = {
  sparsegpt: { method: 'sparsegpt', damping: 0.01, columns: 128 },
  admm: { method: 'admm', iterations: 5, damping: 0.1 },
  reconstruct: { method: 'reconstruct', damping: 0.01 },
} as const;
const WANDA = 'mul(W, sqrt(X))';
const INVALID = 'sub(W, W)';

const METRICS = [
  byMetric('W'),
  byMetric(WANDA),
  byMetric(INVALID),
  byMetric('mul(W, G)'),
  byMetric('mul(W, Xmax)', { sparsity: some }),
  byMetric(WANDA, { group: 'layer' }),
  byMetric(WANDA, { sparsity: { kind: 'semi-structured', keep: 2, of: 4 } }),
  byMetric(WANDA, { rates: OWL }),
  byMetric('W', { rates: OWL }),
  byMetric('W', { rates: { kind: 'global' } }),
  byMetric(WANDA, { rates: { kind: 'given', rates: [0.2, 0.6] } }),
];
/** Of which the first blocks are the dense model's, or layers are. */
const ONE_AT_A_TIME = [
  byMetric(WANDA, { rates: { kind: 'given', rates: [0, 0.5] } }),
  byMetric(WANDA, { rates: { kind: 'given', rates: [0.5, 0] } }),
  byMetric('W', { rates: { kind: 'given', rates: [0, 0] } }),
  byMetric(WANDA, { layers: ['down_proj'] }),
  byMetric(WANDA, { layers: ['q_proj', 'k_proj'], sparsity: { kind: 'n:m', keep: 2, of: 4 } }),
  byMetric(WANDA, { layers: ['fc_in'] }),
  byMetric(WANDA, { layers: ['q_proj'], rates: OWL }),
  byMetric(WANDA, { layers: ['q_proj'], rates: { kind: 'given', rates: [0, 0.5] }, update: UPDATE.sparsegpt }),
  scored('wanda-sp', { kind: 'given', rates: [0, 0.5] }),
  scored('wanda-sp', { kind: 'given', rates: [0.5, 0] }),
];
const UPDATED = [
  byMetric(WANDA),
  byMetric(WANDA, { update: UPDATE.sparsegpt }),
  byMetric('W', { update: UPDATE.sparsegpt }),
  byMetric('mul(W, G)', { update: UPDATE.admm }),
  { metric: 'sparsegpt', sparsity: half, update: UPDATE.sparsegpt },
];
const STRUCTURES = [
  byMetric('W'),
  scored('wanda-sp', UNIFORM),
  scored('wanda-sp', OWL),
  scored('wanda-sp', { kind: 'global' }, { update: UPDATE.reconstruct }),
  scored('taylor', UNIFORM),
  scored('flap', { kind: 'global' }),
  scored('shortgpt', UNIFORM, { sparsity: half }),
  scored(WANDA, UNIFORM),
  scored(INVALID, UNIFORM),
  scored('mul(W, G)', OWL),
];
const EXPERTS = [
  byMetric('W'),
  byMetric(WANDA),
  scored('reap', UNIFORM),
  scored('routing-frequency', UNIFORM),
  scored('wanda-experts', UNIFORM),
];
const RECOVERED = [
  byMetric('W'),
  byMetric(WANDA, {
    recovery: {
      ...{ method: 'lora', ...DEFAULT_RECOVERY_SETTINGS },
      ...{ rate: 0.01, steps: 4, batch: 2, every: 2, held: 2 },
    },
  }),
  byMetric(WANDA),
];

const QUESTIONS = ['door', 'jar', 'shirt'].flatMap((what, i) =>
  ['open', 'dry'].map((how, j) => ({
    ...{ goal: `${how} a ${what}`, sol1: `put the ${what} in the sun`, sol2: 'turn it to the left' },
    label: (i + j) % 2,
  })),
);
const NUMBERS = [0, 1].map((i) => ({ question: `How many apples has house ${i}`, answer: `#### ${i}` }));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-parts-'));
  for (const name of ['llama-2 grouped queries', 'mixtral'] as const) {
    const { config, ...recipe } = FAMILIES[name];
    await generateCheckpoint(path.join(folder, name), {
      ...recipe,
      config: { ...config, max_position_embeddings: 280 },
    });
  }
  const ends = Array.from({ length: 512 }, (_, id) => id).filter((id) => id % 8 === 3);
  await writeFile(
    path.join(folder, 'llama-2 grouped queries', 'generation_config.json'),
    JSON.stringify({ eos_token_id: ends }),
  );
  await writeFile(path.join(folder, 'text.txt'), generateText(1, 110));
  await writeFile(path.join(folder, 'calibration.txt'), generateText(2, 110));
  const lines = (documents: readonly object[]): string => documents.map((one) => JSON.stringify(one)).join('\n');
  await writeFile(path.join(folder, 'piqa.jsonl'), lines(QUESTIONS));
  await writeFile(path.join(folder, 'gsm8k.jsonl'), lines(NUMBERS));
});
afterAll(() => rm(folder, { recursive: true }));

interface Table {
  readonly name: string;
  readonly evaluations: readonly PlannedEvaluation[];
  readonly model?: 'mixtral';
  readonly settings?: Partial<EvaluationPlan['settings']>;
  readonly tasks?: readonly string[];
  readonly more?: Partial<EvaluationPlan>;
  readonly withoutText?: true;
}

const oneShot = { calibrate: 'one-shot' } as const;
const TABLES: readonly Table[] = [
  { name: 'nothing but the dense model', evaluations: [] },
  { name: 'metrics, sequential', evaluations: METRICS },
  { name: 'metrics that need no samples', evaluations: [byMetric('W'), byMetric('sqrt(W)', { sparsity: some })] },
  { name: 'gradients of samples of their own', evaluations: METRICS, settings: { gradientSamples: 2 } },
  { name: 'a protocol', evaluations: METRICS, more: { protocol: 'wanda' } },
  { name: 'one block or layer at a time, sequential', evaluations: ONE_AT_A_TIME },
  { name: 'one block or layer at a time, one-shot', evaluations: ONE_AT_A_TIME, settings: oneShot },
  { name: 'updates, sequential', evaluations: UPDATED },
  { name: 'updates, one-shot', evaluations: UPDATED, settings: oneShot },
  { name: 'structures', evaluations: STRUCTURES },
  { name: 'structures among metrics, one-shot', evaluations: [...METRICS, ...STRUCTURES], settings: oneShot },
  { name: 'experts, one-shot', evaluations: EXPERTS, model: 'mixtral', settings: oneShot },
  { name: 'recoveries', evaluations: RECOVERED },
  { name: 'tasks', evaluations: [...METRICS, ...STRUCTURES], tasks: ['piqa'] },
  { name: 'tasks without a text', evaluations: METRICS.slice(0, 3), tasks: ['piqa'], withoutText: true },
  { name: 'generated answers', evaluations: RECOVERED, tasks: ['gsm8k', 'piqa'] },
];

function planOf({ evaluations, model, settings, tasks, more, withoutText }: Table): EvaluationPlan {
  const file = (name: string): string => path.join(folder, name);
  return {
    model: file(model ?? 'llama-2 grouped queries'),
    ...(!withoutText && { text: file('text.txt') }),
    ...{ calibration: file('calibration.txt'), train: file('text.txt') },
    settings: {
      ...DEFAULT_SETTINGS,
      ...{ device: 'cpu', threads: 1, samples: 3, length: 20, blocks: 3, offsets: 'even' },
      ...settings,
    },
    evaluations,
    ...(tasks && {
      tasks: {
        list: tasks.map((task) => ({ task, documents: file(`${task}.jsonl`), shots: 0, limit: 0 })),
        ...{ harness: '0.4', beginning: 'none' },
      },
    }),
    ...more,
  };
}

/** What became of an evaluation. */
type Told = { readonly result: object; readonly documents: readonly TaskDocument[] } | { readonly failure: ErrorData };

async function together(plan: EvaluationPlan): Promise<ReadonlyMap<number, Told>> {
  const engine = createEngine();
  const told = new Map<number, Told>();
  const documents = new Map<number, TaskDocument[]>();
  try {
    await engine.evaluate(plan, {
      onTaskDocument: (document, index) => documents.set(index, [...(documents.get(index) ?? []), document]),
      onResult: (result, index) => told.set(index, { result: shown(result), documents: documents.get(index) ?? [] }),
      onFailure: (failure, index) => told.set(index, { failure }),
    });
  } finally {
    await engine.dispose();
  }
  return told;
}

/** Asks as a worker is asked: one engine opens the plan, and gets any of the parts in any order. */
async function apart({ opening, parts }: PlanParts): Promise<ReadonlyMap<number, Told>> {
  const engine = createEngine();
  const ask = async (part: EvaluationPlan): Promise<Told> => {
    try {
      const [result] = await engine.evaluate(part);
      return { result: shown(result!), documents: result!.documents ?? [] };
    } catch (thrown) {
      return { failure: (thrown as { readonly data: ErrorData }).data };
    }
  };
  try {
    const opened = await ask(opening);
    if (parts.length === 0) return new Map([[0, opened]]);
    const told = new Map<number, Told>();
    for (const [index, part] of [...parts.entries()].reverse()) told.set(index, await ask(part));
    return told;
  } finally {
    await engine.dispose();
  }
}

/** All of a result but what it took. */
function shown(result: EvaluationResult): object {
  return essentialsOf(result);
}

describe.each(TABLES)('$name', (table) => {
  test('each evaluation is to the last digit what it is among the others', async () => {
    const plan = planOf(table);
    const expected = await together(plan);
    const own = await apart(partsOf(plan, table.tasks !== undefined));
    expect(own).toEqual(expected);
    expect([...own.values()].some((told) => 'result' in told)).toBe(true);
  }, 120_000);
});
