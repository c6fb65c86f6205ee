import { watch } from 'node:fs';
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
    let inTheMiddle = 0;
    for (const milliseconds of [0, 50, 100, 200, 300, 500, 800]) {
      const to = `killed-${milliseconds}`;
      const words = ['export', 'metrics.prune', '--metric', 'wanda', ...INPUTS, '--to', to];
      await command.espalier(words, {
        during: (child) => {
          // Counted from when something is written.
          const watcher = watch(command.folder, (_, name) => {
            if (name?.startsWith(`${to}.`)) setTimeout(() => child.kill('SIGKILL'), milliseconds);
          });
          child.on('close', () => {
            watcher.close();
          });
        },
      });
      // The folder is not there, or it is whole.
      const there = await readdir(command.folder);
      if (there.includes(to)) expect(await readdir(join(command.folder, to))).toContain('README.md');
      else if (there.some((name) => name.startsWith(`${to}.`))) inTheMiddle++;
    }
    expect(inTheMiddle).toBeGreaterThan(1);
  });
});
