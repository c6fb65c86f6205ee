import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { parquetOf } from '../../support/parquet.ts';

let files: TemporaryFamily;
let engine: Engine;
beforeAll(async () => {
  files = await temporaryFamily('llama-3.1');
  engine = createEngine();
});
afterAll(async () => {
  await engine.dispose();
  await files.remove();
});

const wanda = {
  metric: 'wanda',
  expression: fromPrefix('mul(W, mul(sqrt(X), abs(G)))'),
  sparsity: { kind: 'unstructured', share: 0.5 },
} as const;

function plan(text: string, calibration: string): EvaluationPlan {
  const { length } = FAMILIES['llama-3.1'];
  const settings = { ...DEFAULT_SETTINGS, device: 'cpu', samples: 3, blocks: 4, length } as const;
  return { model: files.folder, text, calibration, evaluations: [wanda], settings };
}

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(files.folder, name);
  writeFileSync(file, content);
  return file;
}

/** Cut where no line feed is, so that joining puts one pair in between. */
function rowsOf(file: string): readonly { readonly text: string }[] {
  const text = readFileSync(file, 'utf8');
  return Array.from({ length: 10 }, (_, i) => ({
    text: text.slice(Math.floor((i * text.length) / 10), Math.floor(((i + 1) * text.length) / 10)),
  }));
}

test('a plan may name Parquet for its text and a shard of JSON lines for its calibration', async () => {
  const [text, calibration] = [rowsOf(files.textFile), rowsOf(files.calibrationFile)];
  const joined = (rows: readonly { readonly text: string }[]): string => rows.map((row) => row.text).join('\n\n');
  const [ofData] = await engine.evaluate(
    plan(
      write('test-00000-of-00001.parquet', parquetOf(text, { rowGroupSize: 3 })),
      write('c4-train.json.gz', gzipSync(calibration.map((row) => JSON.stringify(row)).join('\n'))),
    ),
  );
  const [ofText] = await engine.evaluate(plan(write('text', joined(text)), write('calibration', joined(calibration))));
  const numbers = ({ perplexity, densePerplexity, actualSparsity }: NonNullable<typeof ofData>): object => ({
    ...{ perplexity, densePerplexity, actualSparsity },
  });
  expect(numbers(ofData!)).toEqual(numbers(ofText!));
  expect(ofData!.fingerprint).not.toBe(ofText!.fingerprint);
  expect(ofData!.provenance.textTokens).toBe(ofText!.provenance.textTokens);
});

test('tokens of a data set are those of its rows, joined', async () => {
  const rows = rowsOf(files.textFile);
  // A few blocks of it are evaluated, and the result tells how many tokens all of it has.
  const data = write('rows.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
  const text = write('rows.txt', rows.map((row) => row.text).join('\n\n'));
  const [result] = await engine.evaluate(plan(data, text));
  const ids = await engine.tokens(files.folder, data);
  expect(ids).toEqual(await engine.tokens(files.folder, text));
  expect(result!.provenance.textTokens).toBe(ids.length);
  expect(result!.provenance.blocks * result!.provenance.length).toBeLessThan(ids.length);
});
