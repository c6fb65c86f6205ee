import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtCommand, INPUTS, jsonLines } from '../builtCommand.ts';
import type { BuiltCommand } from '../builtCommand.ts';
import { withoutTimes } from '../withoutTimes.ts';

// Evaluations that are asked one by one are reported as those of one sweep.

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand({ family: 'llama-1', characters: 40_000 });
  const write = (name: string, text: string): Promise<void> => writeFile(join(command.folder, name), text);
  await write('table.prune', TABLE);
  await write('questions.jsonl', QUESTIONS.map((question) => JSON.stringify(question)).join('\n'));
}, 180_000);
afterAll(() => command.remove());

const TABLE = `
model m = "model"
corpus text = "text.txt"
defaults { model: m  evaluate: text (blocks: 2, length: 16)  calibrate: text (samples: 2)  device: cpu  threads: 1 }
task facts = "questions.jsonl" (context: "{question}", choices: choices, gold: answer)
metric magnitude = W
metric wanda = W * sqrt(X)
metric taylor = W * G
metric nothing = (-W) ^ 0.5
experiment sparsities { prune: nothing, magnitude, wanda, taylor  at: 30%, 2:4 }
experiment again { prune: wanda, nothing  at: 30% }
experiment asked { prune: magnitude, wanda then sparsegpt  at: 50%  tasks: facts }
experiment whole { prune: structure(wanda-sp), structure(taylor, global), structure(nothing)  at: 20% }
`;
const QUESTIONS = ['door', 'jar', 'shirt'].map((what, i) => ({
  ...{ question: `what is a ${what}`, choices: ['a thing', 'a person'], answer: i % 2 },
}));

describe('processes that share a table of evaluations', () => {
  it.each([
    ['every experiment of a file', ['table.prune']],
    ['with the documents of its tasks', ['table.prune', '--metric', 'asked', '--details']],
    ['the dense model alone', INPUTS],
  ])('%s: the same objects in the same order', async (_, words) => {
    const alone = await command.espalier(['evaluate', ...words, '--json']);
    const apart = await command.espalier(['evaluate', ...words, '--json', '--workers', '2']);
    expect(apart).toMatchObject({ status: alone.status, err: alone.err });
    expect(withoutTimes(jsonLines(apart))).toEqual(withoutTimes(jsonLines(alone)));
    expect(jsonLines(alone).some(({ perplexity }) => perplexity !== undefined)).toBe(true);
  });

  it('tables with what stands under them are the same, too', async () => {
    const tableOf = async (...more: string[]): Promise<string[]> => {
      const { out } = await command.espalier(['evaluate', 'table.prune', ...more]);
      // The times of evaluations, and of questions.
      return out.split('\n').map((line) => line.replaceAll(/ +[\d.]+ (ms|s)\b/g, ' – s'));
    };
    expect(await tableOf('--workers', '3')).toEqual(await tableOf());
  });

  it.each([
    ['a model that is not there', ['--model', 'nowhere'], 'checkpoint/not-found'],
    ['a text that is not there', ['--calibration', 'nowhere'], 'corpus/not-found'],
  ])('%s ends it as it ends one process', async (_, words, code) => {
    const all = ['evaluate', 'table.prune', ...words, '--json'];
    const alone = await command.espalier(all);
    const apart = await command.espalier([...all, '--workers', '2']);
    expect(apart).toEqual(alone);
    expect(apart.out).toContain(code);
  });

  it('those that are stopped leave what was found until then, in its order', async () => {
    const sparsities = Array.from({ length: 60 }, (_, i) => `${i + 1}%`).join(',');
    const words = ['evaluate', '--expression', 'W', ...INPUTS, '--blocks', '200', '--sparsity', sparsities, '--json'];
    const { status, out, err } = await command.espalier([...words, '--workers', '2'], {
      during: (child) => child.stdout.once('data', () => child.kill('SIGINT')),
    });
    expect({ status, err }).toEqual({ status: 130, err: '' });
    const told = jsonLines({ out });
    expect(told.pop()).toMatchObject({ error: { code: 'cancelled' } });
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(60);
    const shares = told.map(({ sparsity }) => parseInt(String(sparsity)));
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  });
});
