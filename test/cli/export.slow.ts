import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltCommand, builtCommand, INPUTS, jsonLines } from './builtCommand.ts';

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand();
}, 120_000);
afterAll(() => command.remove());

describe('espalier export and espalier speed', () => {
  it('writes a model that evaluates as what it was made from', async () => {
    const exported = await command.espalier([
      'export',
      '--structure',
      'wanda-sp',
      ...INPUTS,
      '--to',
      'smaller',
      '--json',
    ]);
    expect(exported).toMatchObject({ status: 0, err: '' });
    const [report] = jsonLines(exported);
    expect(report).toMatchObject({ format: 'huggingface', verification: { tokens: 16, rows: 16 } });
    const { perplexity } = report!['result'] as { perplexity: number };
    const evaluated = await command.espalier(['evaluate', ...INPUTS.with(1, 'smaller'), '--json']);
    expect(jsonLines(evaluated)[0]!['perplexity'] as number).toBeCloseTo(perplexity, 1);

    const speed = ['speed', 'model', 'smaller', '--device', 'cpu', '--threads', '1', '--length', '16'];
    const [dense, pruned] = jsonLines(await command.espalier([...speed, '--batch', '2', '--rounds', '2', '--json']));
    expect(dense).toMatchObject({ model: 'model', speedUp: 1, batch: 2, length: 16, rounds: 2 });
    expect(pruned!['parameters']).toBeLessThan(dense!['parameters'] as number);
    expect(pruned!['peakMemory']).toBeGreaterThan(1e7);
  });

  it('a kill leaves no half of a model under the name', async () => {
    for (const milliseconds of [200, 300, 400, 500, 600, 700, 800, 1000]) {
      const to = `killed-${milliseconds}`;
      await command.espalier(['export', 'metrics.prune', '--metric', 'wanda', ...INPUTS, '--to', to], milliseconds);
      // The folder is not there, or it is whole.
      if (existsSync(join(command.folder, to))) expect(await readdir(join(command.folder, to))).toContain('README.md');
    }
  });
});
