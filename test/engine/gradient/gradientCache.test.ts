import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import type { EvaluationHooks } from '../../../src/engine/evaluation/hooks.ts';
import { GradientFolder } from '../../../src/engine/gradient/gradientFolder.ts';
import { removeTemporary, temporaryBeside } from '../../../src/files/temporary.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import type { EvaluationProgress } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

let family: TemporaryFamily;
let cacheFolder: string;
/** A cache that holds the gradients of the plan, and the result that they were computed for. */
let filled: string;
let first: Awaited<ReturnType<typeof evaluateAnew>>;
beforeAll(async () => {
  family = await temporaryFamily('llama-3.1');
  filled = await mkdtemp(join(tmpdir(), 'espalier-cache-'));
  cacheFolder = filled;
  first = await evaluateAnew();
});
afterAll(async () => {
  await family.remove();
  await rm(filled, { recursive: true });
});
beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'espalier-cache-'));
});
afterEach(() => rm(cacheFolder, { recursive: true }));

describe('a second run', () => {
  test('reads the gradients of the first: no program goes backwards, and the number is the same', async () => {
    await fill();
    const second = await evaluateAnew();
    expect([first.gradients, second.gradients]).toEqual(['computed', 'cached']);
    expect(first.backwardPrograms).toBeGreaterThan(0);
    expect(second.backwardPrograms).toBe(0);
    expect(second.perplexity).toBe(first.perplexity);
    expect(second.fingerprint).toBe(first.fingerprint);
    expect(await entries()).toHaveLength(1);
  });

  test.each<[string, Partial<EvaluationSettings>, 'computed' | 'cached']>([
    ['another text length of the evaluation alone', { blocks: 3 }, 'cached'],
    ['one-shot', { calibrate: 'one-shot' }, 'cached'],
    ['a seed that even offsets do not use', { seed: 5 }, 'cached'],
    ['fewer samples', { samples: 2 }, 'computed'],
    ['shorter samples', { length: 24 }, 'computed'],
    ['random offsets', { offsets: 'random' }, 'computed'],
  ])('with %s', async (_, settings, expected) => {
    await fill();
    expect((await evaluateAnew(settings)).gradients).toBe(expected);
    expect(await entries()).toHaveLength(expected === 'cached' ? 1 : 2);
  });

  test.each<[string, (entry: string) => Promise<void>]>([
    ['a bit of a tensor has turned', (entry) => flipLastByte(join(entry, 'block-1.safetensors'))],
    ['a file is cut off', (entry) => truncate(join(entry, 'block-0.safetensors'), 1000)],
    ['a file is missing', (entry) => rm(join(entry, 'block-2.safetensors'))],
    ['the manifest is no JSON', (entry) => writeFile(join(entry, 'manifest.json'), '{')],
    ['the manifest says other things', (entry) => writeFile(join(entry, 'manifest.json'), '{"blocks": 3}')],
  ])('computes them again where %s', async (_, damage) => {
    await fill();
    const [entry] = await entries();
    await damage(join(cacheFolder, 'gradients', entry!));
    const second = await evaluateAnew();
    expect(second).toMatchObject({ gradients: 'computed', perplexity: first.perplexity });
    // And what is kept now is whole.
    const found = await new GradientFolder(cacheFolder).find(entry!, 3);
    expect(found).toBeDefined();
    found!.close();
  });

  test('has them in memory in one engine, with nothing on disk', async () => {
    const engine = createEngine();
    const [first] = await engine.evaluate(plan());
    const [second] = await engine.evaluate(plan());
    await engine.dispose();
    expect([first!.gradients, second!.gradients]).toEqual(['computed', 'cached']);
    expect(second!.perplexity).toBe(first!.perplexity);
  });
});

test('a cache that cannot be written to harms nothing', async () => {
  await writeFile(join(cacheFolder, 'gradients'), 'a file where the folder should be');
  expect((await evaluateAnew()).gradients).toBe('computed');
});

test('gradients are a stage of their own, every step of which is counted', async () => {
  const seen: EvaluationProgress[] = [];
  await evaluateAnew({}, { onProgress: (progress) => seen.push(progress) });
  const counted = seen.filter(({ stage }) => stage === 'gradients' || stage === 'evaluating');
  expect(counted.map(({ done }) => done)).toEqual(counted.map((_, i) => i + 1));
  expect(counted.at(-1)!.total).toBe(counted.length);
  const first = counted.findIndex(({ stage }) => stage === 'evaluating');
  expect(counted.slice(0, first).every(({ stage }) => stage === 'gradients')).toBe(true);
  // Three blocks forwards and backwards and the head, in one batch of samples.
  expect(first).toBe(7);
});

test.each([1, 4, 7])('cancelled at step %i of the gradients, it leaves nothing behind', async (step) => {
  const controller = new AbortController();
  const onProgress = ({ stage, done }: EvaluationProgress): void => {
    if (stage === 'gradients' && done === step) controller.abort();
  };
  await expect(evaluateAnew({}, { signal: controller.signal, onProgress })).rejects.toMatchObject({
    code: 'cancelled',
  });
  expect(await entries()).toEqual([]);
});

describe('the folder', () => {
  const folderOf = (limit: number) => new GradientFolder(cacheFolder, limit);

  test('drops what was used longest ago when it has grown beyond its limit, never the last one', async () => {
    for (const [name, bytes, used] of [
      ['old', 300, 1],
      ['older', 500, 0],
      ['new', 400, 3],
      ['newer', 600, 4],
    ] as const) {
      const entry = join(cacheFolder, 'gradients', name);
      await mkdir(entry, { recursive: true });
      await writeFile(join(entry, 'block-0.safetensors'), new Uint8Array(bytes));
      await writeFile(join(entry, 'used'), '');
      await utimes(join(entry, 'used'), 1000 + used, 1000 + used);
    }
    await folderOf(1350).tidy();
    expect(await entries()).toEqual(['new', 'newer', 'old']);
    await folderOf(1000).tidy();
    expect(await entries()).toEqual(['new', 'newer']);
    await folderOf(10).tidy();
    expect(await entries()).toEqual(['newer']);
  });

  test('drops what a process that is gone has left half done, and nothing of one that runs', async () => {
    const gone = 2 ** 22 + 1; // beyond the largest process id
    const mine = temporaryBeside('a');
    for (const name of [mine, mine.replace(`${process.pid}-`, `${gone}-`)])
      await mkdir(join(cacheFolder, 'gradients', name), { recursive: true });
    await folderOf(1000).tidy();
    expect(await entries()).toEqual([mine]);
    await removeTemporary(mine);
  });

  test('of two processes that write the same, the first one’s stays', async () => {
    const folder = folderOf(1e9);
    const [one, two] = [await folder.writer('f'), await folder.writer('f')];
    const tensors = (value: number) => new Map([['w', { shape: [2], data: Float32Array.of(value, value) }]]);
    await two.add(0, tensors(2));
    await one.add(0, tensors(1));
    await one.commit();
    await two.commit();
    expect(await entries()).toEqual(['f']);
    const found = await folder.find('f', 1);
    const read = new Float32Array(2);
    found!.read(0, 'w', read);
    expect([...read]).toEqual([1, 1]);
    found!.close();
  });
});

/** Starts with the gradients of the plan in the cache. */
async function fill(): Promise<void> {
  await cp(filled, cacheFolder, { recursive: true });
}

/** In a fresh engine on the cache folder. */
async function evaluateAnew(settings: Partial<EvaluationSettings> = {}, hooks: EvaluationHooks = {}) {
  const programs = vi.spyOn(Device.prototype, 'program');
  const engine = createEngine({ cacheFolder });
  try {
    const [result] = await engine.evaluate(plan(settings), hooks);
    const backwardPrograms = programs.mock.calls.filter(([key]) => key.startsWith('gradient ')).length;
    return { ...result!, backwardPrograms };
  } finally {
    programs.mockRestore();
    await engine.dispose();
  }
}

function plan(settings: Partial<EvaluationSettings> = {}): EvaluationPlan {
  return {
    model: family.folder,
    text: family.textFile,
    calibration: family.calibrationFile,
    evaluations: [
      { metric: 'taylor', expression: fromPrefix('mul(W, G)'), sparsity: { kind: 'unstructured', share: 0.5 } },
    ],
    settings: {
      ...DEFAULT_SETTINGS,
      ...{ device: 'cpu', threads: 1, samples: 3, length: 32, blocks: 2, offsets: 'even' },
      ...settings,
    },
  };
}

async function entries(): Promise<string[]> {
  return (await readdir(join(cacheFolder, 'gradients')).catch(() => [])).sort();
}

async function flipLastByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(file, bytes);
  expect((await stat(file)).size).toBe(bytes.length);
}
