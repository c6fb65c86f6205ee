import { readdirSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';

let family: TemporaryFamily;
let root: string;
let engine: Engine;
beforeAll(async () => {
  family = await temporaryFamily('llama-2 grouped queries');
  root = await mkdtemp(path.join(tmpdir(), 'espalier-served-test-'));
  engine = createEngine({ startFresh: () => createEngine() });
});
afterAll(async () => {
  await engine.dispose();
  await family.remove();
  await rm(root, { recursive: true });
});

const half = { kind: 'unstructured', share: 0.5 } as const;
const expression = parsePrefix('mul(W, sqrt(X))');
type Evaluations = EvaluationPlan['evaluations'];
const PRUNED: readonly (readonly [string, Evaluations[number]])[] = [
  ['Wanda', { metric: 'wanda', expression, sparsity: half }],
  ['SparseGPT', { metric: 'sparsegpt', sparsity: half, update: { method: 'sparsegpt', damping: 0.01, columns: 128 } }],
  [
    'Wanda-sp',
    {
      metric: 'wanda-sp',
      structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'uniform' } },
      sparsity: half,
    },
  ],
];

function planOf(evaluations: Evaluations): EvaluationPlan {
  const settings = {
    ...DEFAULT_SETTINGS,
    device: 'cpu',
    threads: 1,
    samples: 2,
    blocks: 2,
    length: 24,
    offsets: 'even',
  } as const;
  return { model: family.folder, text: family.textFile, calibration: family.calibrationFile, evaluations, settings };
}

/** What an open model says, which is closed again. */
async function idsOf(
  plan: EvaluationPlan,
  prompts: readonly (string | readonly number[])[],
): Promise<readonly (readonly number[])[]> {
  const { served } = await engine.openServed(plan);
  const { answers } = await engine.generate({ served, prompts, most: 16 });
  await engine.closeServed({ served });
  return answers.map(({ ids }) => ids);
}

describe('a pruned model', () => {
  test.each(PRUNED)(
    '%s goes on as the exported one does, and otherwise than the dense one',
    async (name, evaluation) => {
      const prompts = ['the river and', 'a house', [5, 9, 30]];
      const folder = path.join(root, name);
      await engine.exportModel(planOf([evaluation]), { folder, format: 'huggingface' });
      const pruned = await idsOf(planOf([evaluation]), prompts);
      expect(pruned).toEqual(await idsOf({ ...planOf([]), model: folder }, prompts));
      expect(pruned).not.toEqual(await idsOf(planOf([]), prompts));
      expect(
        (await readdir(tmpdir())).filter(
          (entry) => entry.includes('espalier-served.') && entry.includes(`.${process.pid}-`),
        ),
      ).toEqual([]);
    },
  );
});

describe('a temporary folder that cannot be written to', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test.each(PRUNED)('is said, and nothing is left behind: %s', async (name, evaluation) => {
    const folder = path.join(root, `temporary ${name}`);
    await mkdir(folder);
    vi.stubEnv('TMPDIR', folder);
    const emptied = (): void => {
      for (const entry of readdirSync(folder)) rmSync(path.join(folder, entry), { recursive: true });
    };
    const { data } = await failureOf(() => engine.openServed(planOf([evaluation]), { onProgress: emptied }));
    expect(data).toMatchObject({ code: 'io/write', actual: expect.stringContaining('ENOENT') as string });
    expect(data.remedy).toContain('TMPDIR');
    expect(await readdir(folder)).toEqual([]);
  });

  test('or made', async () => {
    vi.stubEnv('TMPDIR', path.join(root, 'file', 'below'));
    await writeFile(path.join(root, 'file'), '');
    const { data } = await failureOf(() => engine.openServed(planOf([PRUNED[0]![1]])));
    expect(data).toMatchObject({ code: 'io/write', actual: expect.stringContaining('ENOTDIR') as string });
  });
});

describe('a question', () => {
  test('dense and pruned are open side by side, under numbers and fingerprints of their own', async () => {
    const dense = await engine.openServed(planOf([]));
    const pruned = await engine.openServed(planOf([PRUNED[0]![1]]));
    expect(dense).toMatchObject({ name: 'dense', streams: false, vocabulary: 384 });
    expect(pruned).toMatchObject({ name: 'wanda', parameters: dense.parameters });
    expect(pruned.fingerprint).not.toBe(dense.fingerprint);
    const ask = (served: number) => engine.generate({ served, prompts: ['the'], most: 8 });
    const before = await ask(dense.served);
    await ask(pruned.served);
    expect((await ask(dense.served)).answers).toEqual(before.answers);
    await engine.closeServed(dense);
    expect(await failureOf(() => ask(dense.served))).toMatchObject({ code: 'engine/invariant' });
    await engine.closeServed(pruned);
  });

  test('tokens come as they are chosen, their texts make the answer, stops end it across the borders of tokens', async () => {
    const { served } = await engine.openServed(planOf([]));
    const whole = (await engine.generate({ served, prompts: ['the river'], most: 24 })).answers[0]!;
    const told: string[] = [];
    const onToken = ({ text }: { readonly text: string }): void => void told.push(text);
    const again = await engine.generate({ served, prompts: ['the river'], most: 24, alternatives: 2 }, { onToken });
    expect(told).toHaveLength(24);
    expect(told.join('')).toBe(whole.text);
    expect(again.answers[0]!.tokens!.map(({ alternatives }) => alternatives[0]!.id)).toEqual(whole.ids);
    const text = whole.text;
    const stop = text.slice(Math.floor(text.length / 2), Math.floor(text.length / 2) + 3);
    const stopped = (await engine.generate({ served, prompts: ['the river'], most: 24, stops: ['never', stop] }))
      .answers[0]!;
    expect(stopped).toMatchObject({ text: text.slice(0, text.indexOf(stop)), end: 'stop' });
    expect(whole.ids.slice(0, stopped.ids.length)).toEqual(stopped.ids);
    expect(stopped.ids.length).toBeLessThan(24);
    await engine.closeServed({ served });
  });

  test('draws by its seed: the same again, another with another one, the likeliest where little is left of the others', async () => {
    const { served } = await engine.openServed(planOf([]));
    const ids = async (asked: object): Promise<readonly number[]> =>
      (await engine.generate({ served, prompts: ['the'], most: 12, ...asked })).answers[0]!.ids;
    const drawn = await ids({ temperature: 1.5, seed: 3 });
    expect(await ids({ temperature: 1.5, seed: 3 })).toEqual(drawn);
    expect(await ids({ temperature: 1.5, seed: 4 })).not.toEqual(drawn);
    expect(await ids({ temperature: 1.5, seed: 4, topP: 0 })).toEqual(await ids({}));
    await engine.closeServed({ served });
  });

  test.each([
    ['a prompt without tokens', { prompts: [[]] }, 'settings/invalid'],
    ['an id beyond the vocabulary', { prompts: [[384]] }, 'settings/invalid'],
    ['a prompt as long as the model', { prompts: [Array.from({ length: 64 }, () => 5)] }, 'settings/invalid'],
  ])('%s is refused', async (_, asked, code) => {
    const { served } = await engine.openServed(planOf([]));
    expect(await failureOf(() => engine.generate({ served, most: 4, ...asked }))).toMatchObject({ code });
    await engine.closeServed({ served });
  });

  test('ends where the model’s length is used up, and when it is not wanted any more', async () => {
    const { served, length } = await engine.openServed(planOf([]));
    const prompt = Array.from({ length: length - 3 }, (_, i) => 5 + (i % 50));
    const answer = (await engine.generate({ served, prompts: [prompt], most: 100 })).answers[0]!;
    expect([answer.ids.length, answer.end]).toEqual([3, 'length']);
    const controller = new AbortController();
    let tokens = 0;
    const stopping = engine.generate(
      { served, prompts: ['the'], most: 50 },
      {
        signal: controller.signal,
        onToken: () => {
          if (++tokens === 3) controller.abort();
        },
      },
    );
    expect(await failureOf(() => stopping)).toMatchObject({ code: 'cancelled' });
    expect(tokens).toBe(3);
    expect((await engine.generate({ served, prompts: ['the'], most: 2 })).answers[0]!.ids).toHaveLength(2);
    await engine.closeServed({ served });
  });
});
