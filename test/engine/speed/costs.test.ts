import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { CostsRequest } from '../../../src/experiment/costsRequestSchema.ts';
import { measuredShapes, tablesOf } from '../../../src/engine/speed/measuredShapes.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { modelSizes } from '../../../src/engine/structure/modelSizes.ts';
import { type TemporaryFamily, temporaryFamily } from '../../support/generate/temporaryFamily.ts';

let family: TemporaryFamily;
let engine: Engine;
let asked: Omit<CostsRequest, 'times'>;

beforeAll(async () => {
  family = await temporaryFamily('llama-3.1');
  engine = createEngine({ cacheFolder: path.join(family.folder, 'cache') });
  const settings = { device: 'cpu', precision: 'float32', threads: 1 } as const;
  asked = { model: family.folder, batch: 2, length: 8, settings };
});

afterAll(async () => {
  await engine.dispose();
  await family.remove();
});

it('times are measured once, kept under what decides them, and left aside where they were damaged', async () => {
  expect((await engine.costs({ ...asked, times: 'known' })).times).toBeUndefined();
  const { times, blocks, kinds } = await engine.costs({ ...asked, times: 'measured' });
  expect(times).toMatchObject({ batch: 2, decodeBatch: 2, length: 8 });
  expect([kinds.length, times!.kinds.length, new Set(blocks.map(({ kind }) => kind)).size]).toEqual([1, 1, 1]);
  expect(await engine.costs({ ...asked, times: 'measured' })).toEqual({ ...{ kinds, blocks }, ...(await engine.costs({ ...asked, times: 'known' })), times }); // prettier-ignore
  expect((await engine.costs({ ...asked, batch: 3, times: 'known' })).times).toBeUndefined();
  const folder = path.join(family.folder, 'cache', 'costs');
  const [name] = await readdir(folder);
  const text = await readFile(path.join(folder, name!), 'utf8');
  for (const damaged of [text.slice(0, -9), text.replace('"decodeBatch":2', '"decodeBatch":1'), '{}']) {
    await writeFile(path.join(folder, name!), damaged);
    expect((await engine.costs({ ...asked, times: 'known' })).times).toBeUndefined();
  }
});

it('all quarters of what a block has are measured, one group besides; what is larger never takes less', async () => {
  const checkpoint = await openCheckpoint(family.folder);
  try {
    const { config } = checkpoint;
    const shapes = measuredShapes(
      { ...config, heads: 24, kvHeads: 12, intermediate: 10 },
      {
        ...modelSizes(checkpoint),
        blocks: [{ kind: 0, groups: 12, channels: 10 }],
      },
    );
    const [table] = shapes.kinds;
    expect(table).toEqual({ groups: [0, 1, 3, 6, 9, 12], channels: [0, 3, 5, 8, 10] });
    expect(shapes.mixed.blocks).toHaveLength(30);
    expect(shapes.alike.map(({ blocks, kvHeads, intermediate }) => [blocks, kvHeads, intermediate])).toEqual([
      [undefined, 3, 3],
      [undefined, 6, 5],
      [undefined, 12, 10],
    ]);
    const time = (seconds: number) => ({ prefill: seconds, decode: 30 - seconds });
    const measured = shapes.mixed.blocks!.map((_, index) => time(index));
    const alike = shapes.alike.map(({ windows }, model) => windows.map(() => time(model)));
    const [first] = tablesOf(shapes, measured, alike);
    expect(first!.alike.at(-1)).toEqual({ groups: 12, channels: 10, time: time(2) });
    // Falling throughout: all come to the middle of the least and the most.
    expect(new Set(first!.times.flat().map(({ decode }) => decode))).toEqual(new Set([15.5]));
    const rows = first!.times.map((row) => row.map(({ prefill }) => prefill));
    for (const [i, row] of rows.entries()) {
      for (const [j, value] of row.entries()) {
        expect(value).toBeGreaterThanOrEqual(Math.max(rows[i - 1]?.[j] ?? 0, row[j - 1] ?? 0));
      }
    }
  } finally {
    checkpoint.close();
  }
});
