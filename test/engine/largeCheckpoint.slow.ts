import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateLargeCheckpoint } from '../support/generate/largeCheckpoint.ts';
import { generateText } from '../support/generate/text.ts';

/**
 * What a process may hold in memory of its own, in MB: `ulimit -d`, which the Linux kernel enforces for every user, in containers too. It
 * counts all private writable memory, from the moment it is allocated; files that are merely mapped can be dropped and do not count.
 */
const LIMIT = 400;

const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_act: 'silu',
  hidden_size: 512,
  intermediate_size: 1376,
  max_position_embeddings: 2048,
  num_attention_heads: 8,
  num_hidden_layers: 256,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  vocab_size: 384,
};

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));
const linux = process.platform === 'linux';
const title = `a checkpoint several times larger than the ${LIMIT} MB that a process is allowed`;

describe.skipIf(!linux)(linux ? title : `${title} (skipped: ulimit -d is enforced on Linux only)`, () => {
  let folder: string;
  let bytes: number;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'espalier-large-'));
    bytes = await generateLargeCheckpoint(folder, CONFIG, 4);
    await writeFile(join(folder, 'text.txt'), generateText(1, 200));
    await writeFile(join(folder, 'calibration.txt'), generateText(2, 200));
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true }));

  test('is at least four times as large', () => {
    expect(bytes).toBeGreaterThan(4 * LIMIT * 1e6);
  });

  test('the limit bites: a process that takes more fails, one that takes less does not', async () => {
    const takes = (megabytes: number) => limited(['-e', `Buffer.alloc(${megabytes} * 1e6, 1); console.log('took it')`]);
    expect(await takes(LIMIT / 2)).toMatchObject({ code: 0, output: 'took it\n' });
    expect(await takes(LIMIT)).not.toMatchObject({ code: 0 });
  });

  test('is pruned and evaluated block by block', async () => {
    // Each thread has a stack of its own, which counts: their number is given, so that the machine’s cores do not matter.
    const result = await limited([
      ...[CLI, 'evaluate', '--expression', 'W * sqrt(X)', '--sparsity', '50%', '--device', 'cpu', '--threads', '1'],
      ...['--model', folder, '--text', join(folder, 'text.txt'), '--calibration', join(folder, 'calibration.txt')],
      ...['--samples', '2', '--length', '32', '--blocks', '2', '--json'],
    ]);
    expect(result, result.output + result.errors).toMatchObject({ code: 0 });
    const [line] = result.output.trim().split('\n');
    const { perplexity, densePerplexity, actualSparsity } = JSON.parse(line!) as Record<string, number>;
    expect(perplexity).toBeGreaterThan(1);
    expect(densePerplexity).toBeGreaterThan(1);
    expect(perplexity).not.toBe(densePerplexity);
    expect(actualSparsity).toBeGreaterThanOrEqual(0.5);
  });

  test('has its gradients taken block by block, kept on disk, and read by the next run', async () => {
    const arguments_ = [
      ...[CLI, 'evaluate', '--expression', 'W * G', '--sparsity', '50%', '--device', 'cpu', '--threads', '1'],
      ...['--model', folder, '--text', join(folder, 'text.txt'), '--calibration', join(folder, 'calibration.txt')],
      ...['--samples', '2', '--length', '32', '--blocks', '2', '--json'],
    ];
    const results: Record<string, unknown>[] = [];
    for (let run = 0; run < 2; run++) {
      const result = await limited(arguments_, { XDG_CACHE_HOME: join(folder, 'cache') });
      expect(result, result.output + result.errors).toMatchObject({ code: 0 });
      results.push(JSON.parse(result.output.trim().split('\n')[0]!) as Record<string, unknown>);
    }
    expect(results.map(({ gradients }) => gradients)).toEqual(['computed', 'cached']);
    expect(results[0]!['perplexity']).toBeGreaterThan(1);
    expect(results[1]!['perplexity']).toBe(results[0]!['perplexity']);
  }, 1_200_000);
});

/** Runs Node with `args` under the limit. */
function limited(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    // ulimit counts in units of 1024 bytes.
    const command = `ulimit -d ${Math.floor((LIMIT * 1e6) / 1024)} && exec "$0" "$@"`;
    const child = spawn('sh', ['-c', command, process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, output, errors });
    });
  });
}
