import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { cancelledError, EspalierError } from '../../../src/base/errors.ts';
import type { ExportReport, SpeedReport } from '../../../src/experiment/exportSchema.ts';
import { measureSpeed } from '../../../src/extension/results/measureSpeed.ts';
import type { SpeedParts } from '../../../src/extension/results/measureSpeed.ts';
import type { SpeedMeasurement } from '../../../src/experiment/speedTable.ts';
import { sampleCosts, samplePlan, sampleResult } from '../../protocol/samples.ts';

const root = mkdtempSync(path.join(tmpdir(), 'espalier-speed-test-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const report = (model: string, median: number): SpeedReport => ({
  ...{ model, parameters: 100, bytes: 400, peakMemory: 1000, speedUp: median / 100, length: 256, modelLength: 256 },
  tokensPerSecond: { median, lowest: median, highest: median },
  decode: { batch: 4, tokensPerSecond: { median: 10, lowest: 9, highest: 11 }, speedUp: median / 80 },
});

/** Measures with a worker that does what the changes say. */
async function measured(changes: Partial<SpeedParts> = {}): Promise<{ all: SpeedMeasurement[]; folders: string[] }> {
  const all: SpeedMeasurement[] = [];
  const folders: string[] = [];
  const parts: SpeedParts = {
    exportModel: ({ target: { folder } }, { onProgress } = {}) => {
      mkdirSync(folder);
      folders.push(folder);
      onProgress?.({ stage: 'pruning', done: 1, total: 2, detail: 'block 1 of 2' });
      return Promise.resolve({ result: sampleResult() } as ExportReport);
    },
    measureSpeed: ({ models }) => {
      expect(models.every((model) => existsSync(model) || model === '/models/tiny')).toBe(true);
      return Promise.resolve(models.map((model, i) => report(model, 100 + 50 * i)));
    },
    costs: () => Promise.resolve(sampleCosts()),
    scratch: path.join(root, 'scratch'),
    now: () => 0,
    ...changes,
  };
  await measureSpeed(samplePlan(), parts, (speed) => all.push(speed), new AbortController().signal);
  return { all, folders };
}

it('a pruned model is written, measured beside the dense one, and gone', async () => {
  const { all, folders } = await measured();
  expect(all.map(({ state, share }) => [state, share])).toEqual([
    ['measuring', 0],
    ['measuring', 0.2],
    ['done', 1],
  ]);
  const row = { parameters: 100, bytes: 400, memory: 1000 };
  expect(all.at(-1)?.rows).toEqual([
    { name: 'dense', ...row, tokensPerSecond: 100, speedUp: 1, decodePerSecond: 10, decodeSpeedUp: 1.25 },
    { name: 'pruned', ...row, tokensPerSecond: 150, speedUp: 1.5, decodePerSecond: 10, decodeSpeedUp: 1.875 },
  ]);
  expect(all.at(-1)?.fingerprint).toBe(sampleResult().fingerprint);
  expect(folders).toHaveLength(1);
  expect(readdirSync(path.join(root, 'scratch'))).toEqual([]);
});

it.each<[string, EspalierError, SpeedMeasurement['state'], RegExp]>([
  ['cancelled', cancelledError('measuring'), 'cancelled', /^$/],
  [
    'fails',
    new EspalierError({
      ...{ code: 'io/write', operation: 'writing', expected: 'room', actual: 'none', remedy: 'Make room.' },
    }),
    'failed',
    /writing: expected room, got none\. Make room\./,
  ],
])('one that is %s says so and leaves nothing behind', async (_, error, state, detail) => {
  const { all } = await measured({ measureSpeed: () => Promise.reject(error) });
  expect(all.at(-1)).toMatchObject({ state });
  expect(all.at(-1)?.detail).toMatch(detail);
  expect(readdirSync(path.join(root, 'scratch'))).toEqual([]);
});
