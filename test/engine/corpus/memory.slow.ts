import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';

/** Megabytes of memory beyond those of a process that has done nothing yet. */
const LIMIT = 300;
/** Documents of 2 KB in the middle, as C4's are: 800 MB of text. */
const DOCUMENTS = 270_000;

let folder: string;
let script: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'espalier-memory-'));
  script = path.join(folder, 'measure.mjs');
  await build({
    entryPoints: ['test/support/measureDataSet.ts'],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  await writeShards(path.join(folder, 'c4.json.gz'), path.join(folder, 'c4.parquet'));
}, 600_000);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

// What a process held at its peak only Linux says.
describe.skipIf(process.platform !== 'linux')('a shard of 350 MB (skipped elsewhere than on Linux)', () => {
  it.each([
    ['c4.json.gz', 'joined'],
    ['c4.json.gz', 'documents'],
    ['c4.parquet', 'joined'],
    ['c4.parquet', 'documents'],
  ])(`%s takes at most ${LIMIT} MB of memory: %s`, (name, way) => {
    const file = path.join(folder, name);
    const printed = execFileSync(process.execPath, [script, file, way, folder], { encoding: 'utf8' });
    console.log(name, way, `${Math.round(statSync(file).size / 1e6)} MB`, printed.trim());
    const { over, taken } = JSON.parse(printed) as { readonly over: number; readonly taken: number };
    expect(taken).toBeGreaterThan(way === 'joined' ? 1e6 : 127);
    expect(over).toBeLessThan(LIMIT);
    expect(readdirSync(folder).filter((each) => each.endsWith('.tmp'))).toEqual([]);
  });
});

/** The same documents as JSON lines in members of gzip, and as Parquet in groups of 100 000 rows. */
async function writeShards(json: string, parquet: string): Promise<void> {
  const rng = new Rng(1);
  const words = Array.from({ length: 20_000 }, () => rng.integer(36 ** 5).toString(36));
  // Repeated further apart than gzip looks back.
  const documents = Array.from({ length: 2000 }, () =>
    Array.from({ length: 20 + rng.integer(720) }, () => words[rng.integer(words.length)]!).join(' '),
  );
  const lines = openSync(json, 'w');
  const schema = [
    { name: 'root', num_children: 1 },
    { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  ] as const;
  const compressors = { GZIP: (bytes: Uint8Array) => gzipSync(bytes, { level: 1 }) };
  const writer = new ParquetWriter({
    writer: fileWriter(parquet),
    schema: [...schema],
    codec: 'GZIP',
    compressors,
    statistics: false,
  });
  for (let left = DOCUMENTS; left > 0; left -= 100_000) {
    const data: string[] = [];
    while (data.length < Math.min(left, 100_000)) data.push(...documents);
    for (let at = 0; at < data.length; at += 2000)
      writeSync(lines, gzipSync(jsonLines(data.slice(at, at + 2000)), { level: 1 }));
    await writer.write({ columnData: [{ name: 'text', data, encoding: 'PLAIN' }], rowGroupSize: data.length });
  }
  await writer.finish();
  closeSync(lines);
}

function jsonLines(texts: readonly string[]): string {
  return texts
    .map((text, i) => `${JSON.stringify({ text, timestamp: '2019-04-25T12:57:54Z', url: `https://x/${i}` })}\n`)
    .join('');
}
