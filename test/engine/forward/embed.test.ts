import { afterAll, expect, test } from 'vitest';
import type { Checkpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import type { ModelConfig } from '../../../src/engine/families/families.ts';
import { embed } from '../../../src/engine/forward/embed.ts';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import { Device } from '../../../src/engine/runtime/device.ts';

// A table that exists only as a formula, larger than any that a test could write: what is read of it is counted.

const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
afterAll(() => device.dispose());

const [VOCABULARY, WIDTH] = [256_000, 4096];
const entry = (row: number, column: number): number => row + column / WIDTH;

interface Reads {
  rows: number;
  reads: number;
}

function formulaCheckpoint(seen: Reads): Checkpoint {
  const config = {
    architecture: 'LlamaForCausalLM',
    vocabulary: VOCABULARY,
    hidden: WIDTH,
    positions: { kind: 'learned' },
  };
  const readRows: Checkpoint['readRows'] = (_name, _shape, first, count, into) => {
    for (let row = 0; row < count; row++) {
      for (const column of [0, WIDTH - 1]) into![row * WIDTH + column] = entry(first + row, column);
    }
    seen.rows += count;
    seen.reads++;
    return into!;
  };
  return { config: config as unknown as ModelConfig, readRows } as Checkpoint;
}

test.each([
  ['few of a large table', (i: number) => (i * 7919) % VOCABULARY, 32, { rows: 32, reads: 32 }],
  ['the same again and again', (i: number) => i % 2, 32, { rows: 2, reads: 1 }],
  ['its ends', (i: number) => (i % 2) * (VOCABULARY - 1), 8, { rows: 2, reads: 2 }],
  ['neighbours with gaps', (i: number) => 1000 + 3 * i, 32, { rows: 94, reads: 1 }],
  ['more than are held at a time', (i: number) => 9999 - 2 * i, 4200, { rows: 8397, reads: 3 }],
])('rows of tokens are read once: %s', async (_, id, count, expected) => {
  const seen: Reads = { rows: 0, reads: 0 };
  const ids = Array.from({ length: count }, (_, i) => id(i));
  const half = count / 2;
  const checkpoint = formulaCheckpoint(seen);
  const programs = await ModelPrograms.create(checkpoint.config, device, half);
  const sequences = [ids.slice(0, half), ids.slice(half)].map((part) => Int32Array.from(part));
  const stream = await embed({ checkpoint, device, programs }, sequences);
  const rows = stream.batches.flatMap(({ x }) => {
    const values = x.floats();
    return Array.from({ length: values.length / WIDTH }, (_, row) => [
      values[row * WIDTH],
      values[(row + 1) * WIDTH - 1],
    ]);
  });
  expect(rows).toEqual(ids.map((id) => [entry(id, 0), entry(id, WIDTH - 1)].map(Math.fround)));
  expect(seen).toEqual(expected);
});
