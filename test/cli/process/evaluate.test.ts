import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtCommand, inputsOf, jsonLines } from '../builtCommand.ts';
import type { BuiltCommand } from '../builtCommand.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { generateCheckpoint } from '../../support/generate/generateCheckpoint.ts';

const INPUTS = inputsOf({ samples: 4, blocks: 8 });

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand({ family: 'llama-1', characters: 40_000 });
}, 180_000);
afterAll(() => command.remove());

describe('evaluating a generated checkpoint', () => {
  it('the file and the flags give the same number, and the same fingerprint', async () => {
    const fromFile = await command.espalier(['evaluate', 'metrics.prune', '--metric', 'wanda', ...INPUTS, '--json']);
    expect(fromFile).toMatchObject({ status: 0, err: '' });
    const fromFlags = await command.espalier(['evaluate', '--expression', 'mul(W, sqrt(X))', ...INPUTS, '--json']);
    const [a, b] = [jsonLines(fromFile)[0]!, jsonLines(fromFlags)[0]!];
    expect(a).toMatchObject({ metric: 'wanda', expression: 'W * sqrt(X)', sparsity: '50%', calibrate: 'sequential' });
    expect(b).toMatchObject({ metric: 'mul(W, sqrt(X))', expression: 'W * sqrt(X)', perplexity: a['perplexity'] });
    expect(b['fingerprint']).toBe(a['fingerprint']);
    expect(a['actualSparsity']).toBeCloseTo(0.5, 2);
  });

  it('every metric of a file, in a table with its provenance', async () => {
    const { status, out, err } = await command.espalier([
      'evaluate',
      'metrics.prune',
      ...INPUTS,
      '--sparsity',
      '50%,2:4',
    ]);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    const rows = out.split('\n').slice(1, 5);
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 2).join(' '))).toEqual([
      ...['magnitude 50%', 'magnitude 2:4', 'wanda 50%', 'wanda 2:4'],
    ]);
    expect(out).toContain('8 blocks of 16 tokens');
  });

  it('the dense perplexity', async () => {
    const { out } = await command.espalier(['evaluate', ...INPUTS, '--json']);
    const [dense] = jsonLines({ out });
    expect(dense).toMatchObject({ metric: 'dense', sparsity: null, actualSparsity: 0 });
    expect(dense!['perplexity']).toBe(dense!['densePerplexity']);
  });

  it('a metric that cannot rank fails alone', async () => {
    const words = ['evaluate', '--expression', '(-W) ^ 0.5', '--expression', 'W', ...INPUTS, '--json'];
    const { status, out } = await command.espalier(words);
    expect(status).toBe(1);
    expect(jsonLines({ out })).toMatchObject([
      { metric: '(-W) ^ 0.5', error: { code: 'metric/invalid-score' } },
      { metric: 'W' },
    ]);
  });
});

describe('a text cut into blocks that are longer than the model was made for', () => {
  const beyond = (json: readonly string[]) =>
    command.espalier([
      'evaluate',
      '--model',
      'short',
      '--text',
      'text.txt',
      '--blocks',
      '2',
      '--device',
      'cpu',
      ...json,
    ]);

  it('is warned of on standard error, and in JSON as a field; without --length the model’s is taken', async () => {
    const family = FAMILIES['llama-1'];
    const config = { ...family.config, max_position_embeddings: 20 };
    await generateCheckpoint(join(command.folder, 'short'), { ...family, config });
    const open = await beyond([]);
    expect(open).toMatchObject({ status: 0, err: '' });
    expect(open.out).toContain("2 blocks of 20 tokens, the model's");
    const long = await beyond(['--length', '40']);
    expect(long.err).toMatch(/^warning: blocks of 40 tokens are longer than the model was made for.* says 20/);
    expect(long.out).toContain("2 blocks of 40 tokens, longer than the model's 20");
    const json = await beyond(['--length', '40', '--json']);
    expect(json.err).toBe('');
    expect(jsonLines(json)[0]).toMatchObject({
      provenance: { length: 40, modelLength: 20 },
      warnings: [expect.stringContaining('longer than the model')],
    });
    expect(jsonLines(await beyond(['--json']))[0]).not.toHaveProperty('warnings');
  });

  it('a run records the length that it was begun with', async () => {
    const words = ['evolve', '--model', 'short', '--text', 'text.txt', '--operands', 'W', '--device', 'cpu'];
    words.push('--blocks', '2', '--population', '4', '--elites', '1', '--generations', '1', '--finalists', '1');
    const { status, out } = await command.espalier([...words, '--json']);
    expect(status).toBe(0);
    const { run } = jsonLines({ out })[0] as { run: string };
    const record = JSON.parse(readFileSync(join(command.folder, '.espalier/runs', run, 'run.json'), 'utf8')) as {
      plan: { settings: { length: number } };
    };
    expect(record.plan.settings.length).toBe(20);
    const long = await command.espalier([...words, '--length', '40']);
    expect(long.err).toMatch(/^warning: blocks of 40 tokens are longer/m);
  });
});

describe('tokens', () => {
  it('counts, and lists, the same ids', async () => {
    const words = ['tokens', '--model', 'model', '--text', 'text.txt'];
    const [count, ids, json] = await Promise.all([
      command.espalier(words),
      command.espalier([...words, '--ids']),
      command.espalier([...words, '--ids', '--json']),
    ]);
    const listed = ids.out.trim().split('\n').map(Number);
    expect(count.out).toMatch(new RegExp(`^${listed.length} tokens: \\d+ blocks of \\d+ tokens, the model.s\n$`));
    expect(jsonLines(json)).toMatchObject([{ tokens: listed.length, ids: listed }]);
  });
});

describe('devices', () => {
  it('tries every one, and the CPU works', async () => {
    const { status, out } = await command.espalier(['devices', '--json']);
    expect(status).toBe(0);
    const reports = jsonLines({ out });
    expect(reports.map(({ name }) => name)).toEqual(expect.arrayContaining(['cpu', 'webgpu', 'cuda', 'dml', 'coreml']));
    expect(reports.find(({ name }) => name === 'cpu')).toMatchObject({ works: true });
  });
});
