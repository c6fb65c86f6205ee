import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../replaceFile.ts';

/** Gives the tensors of a checkpoint other names, in its files and its index. */
export async function renameTensors(folder: string, rename: (name: string) => string): Promise<void> {
  for (const file of await readdir(folder)) {
    const at = join(folder, file);
    if (file.endsWith('.safetensors')) replaceFile(at, renameInHeader(await readFile(at), rename));
    if (file.endsWith('.index.json')) {
      const index = JSON.parse(await readFile(at, 'utf8')) as { weight_map: Record<string, string> };
      const map = Object.entries(index.weight_map).map(([name, shard]) => [rename(name), shard]);
      replaceFile(at, JSON.stringify({ ...index, weight_map: Object.fromEntries(map) as unknown }));
    }
  }
}

function renameInHeader(bytes: Buffer, rename: (name: string) => string): Buffer {
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, unknown>;
  const entries = Object.entries(header).map(([name, entry]) => [name === '__metadata__' ? name : rename(name), entry]);
  const head = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(head.length));
  return Buffer.concat([size, head, bytes.subarray(8 + length)]);
}
