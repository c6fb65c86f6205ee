import { closeSync, openSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Rng } from '../../../src/base/rng.ts';
import { writeSettings } from './generateCheckpoint.ts';
import { tensorInventory, type RawConfig, type TensorSpec } from './tensorInventory.ts';

/**
 * Writes a sharded bf16 checkpoint of any size without ever holding it: the weights are cut out of one pool of random bytes, at a
 * place of its own for every tensor. Only for tests of memory; as a model it knows nothing.
 *
 * @param config of the LLaMA family
 * @returns bytes of weights
 */
export async function generateLargeCheckpoint(folder: string, config: RawConfig, shards: number): Promise<number> {
  await writeSettings(folder, { config, beginToken: false });
  const rng = new Rng(1);
  const weights = bfloat16(POOL, () => 0.03 * rng.normal());
  const specs = tensorInventory(config);
  const weightMap: Record<string, string> = {};
  let total = 0;
  for (let shard = 0; shard < shards; shard++) {
    const file = shards === 1 ? 'model.safetensors' : `model-${shard + 1}-of-${shards}.safetensors`;
    const inside = specs.slice((shard * specs.length) / shards, ((shard + 1) * specs.length) / shards);
    for (const { name } of inside) weightMap[name] = file;
    total += writeShard(join(folder, file), inside, weights, rng);
  }
  const index = { metadata: { total_size: total }, weight_map: weightMap };
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  return total;
}

/** Values of the pool: 8 MB. */
const POOL = 2 ** 22;

function writeShard(path: string, specs: readonly TensorSpec[], pool: Buffer, rng: Rng): number {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const { name, shape } of specs) {
    const begin = end;
    end += bytesOf(shape);
    header[name] = { dtype: 'BF16', shape, data_offsets: [begin, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));

  const descriptor = openSync(path, 'w');
  try {
    writeSync(descriptor, size);
    writeSync(descriptor, json);
    for (const { shape, role } of specs) {
      const bytes = bytesOf(shape);
      const source = role === 'norm' ? bfloat16(bytes / 2, () => 1) : pool;
      for (let done = 0; done < bytes;) {
        const start = role === 'norm' ? 0 : 2 * rng.integer(source.length / 4);
        done += writeSync(descriptor, source, start, Math.min(bytes - done, source.length - start));
      }
    }
  } finally {
    closeSync(descriptor);
  }
  return end;
}

function bytesOf(shape: readonly number[]): number {
  return 2 * shape.reduce((product, extent) => product * extent, 1);
}

/** The upper halves of float32 values, truncated: precise enough for noise. */
function bfloat16(count: number, draw: () => number): Buffer {
  const values = Float32Array.from({ length: count }, draw);
  const bits = new Uint32Array(values.buffer);
  const halves = Uint16Array.from(bits, (word) => word >>> 16);
  return Buffer.from(halves.buffer);
}
