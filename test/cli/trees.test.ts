import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMetric } from '../../src/cli/flags/metricText.ts';
import { readSelection } from '../../src/cli/flags/selection.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { printPrefix } from '../../src/metric/print.ts';
import { failureOf } from '../support/expectCoded.ts';

const PUBLISHED = {
  data: 'mul',
  left: { data: 'abs', left: { data: 'mul', left: { data: 'W' }, right: { data: 'W' } } },
  right: { data: 'mms', left: { data: 'G' } },
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'espalier-trees-'));
  writeFileSync(path.join(folder, 'best_tree.json'), JSON.stringify(PUBLISHED, undefined, 4));
  writeFileSync(path.join(folder, 'log.json'), '(W) mul ((X) sqrt (#))\n');
  writeFileSync(path.join(folder, 'bad.json'), '{"data": "quotient", "left": {"data": "W"}, "right": {"data": "X"}}');
  writeFileSync(path.join(folder, 'zero.json'), '{"data": "sub", "left": {"data": "W"}, "right": {"data": "W"}}');
  writeFileSync(path.join(folder, 'm.prune'), 'metric wanda = W * sqrt(X)\nmetric ours = W / X\n');
  mkdirSync(path.join(folder, 'folder.json'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function espalier(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const notAskedFor = (): never => {
    throw new Error('not asked for');
  };
  const code = await runCommandLine(words, {
    terminal: createTerminal(
      { write: (text) => (written.out += text) },
      { write: (text) => (written.err += text) },
      {},
    ),
    folder,
    signal: new AbortController().signal,
    createEngine: notAskedFor,
    forkWorker: notAskedFor,
    keys: {},
    shippedPrompts: folder,
    listDevices: notAskedFor,
  });
  return { code, ...written };
}

describe('--expression takes a tree of Pruner-Zero', () => {
  it.each([
    ['best_tree.json', 'best_tree.json', 'mul(abs(mul(W, W)), mms(G))'],
    [' log.json ', 'log.json', 'mul(W, sqrt(X))'],
    [JSON.stringify(PUBLISHED), 'abs(W * W) * mms(G)', 'mul(abs(mul(W, W)), mms(G))'],
    ['W * sqrt(X)', 'W * sqrt(X)', 'mul(W, sqrt(X))'],
    ['(W) mul ((X) sqrt (#))', 'W * sqrt(X)', 'mul(W, sqrt(X))'],
  ])('%s', async (text, label, prefix) => {
    const given = await readMetric(text, folder);
    expect([given.label, printPrefix(given.expression)]).toEqual([label, prefix]);
    const { expression } = given;
    const { prunings } = await readSelection(undefined, { expression: [text], structure: [text] }, { folder });
    expect(prunings).toMatchObject([
      { label, expression },
      { label: `components by ${label}`, score: { kind: 'metric', expression } },
    ]);
  });

  it.each([
    ['none.json', 'io/read', /none\.json: expected a JSON file with a tree.*no such file/],
    ['folder.json', 'io/read', /a folder/],
    ['bad.json', 'metric/json', /"quotient", which is Espalier’s own/],
    ['zero.json', 'metric/syntax', /cannot rank/],
    ['{"data": "W"', 'metric/json', /JSON/],
  ] as const)('but not %s', async (text, code, says) => {
    const failure = await failureOf(() => readMetric(text, folder));
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(says);
    if (text.endsWith('.json')) expect(failure.data.file).toBe(path.join(folder, text));
  });
});

describe('espalier tree', () => {
  it.each([
    [['best_tree.json'], 'abs(W * W) * mms(G)\n'],
    [['best_tree.json', '--as', 'prefix'], 'mul(abs(mul(W, W)), mms(G))\n'],
    [['best_tree.json', '--as', 'notation'], '(((W) mul (W)) abs (#)) mul ((G) mms (#))\n'],
    [['(W) mul ((X) sqrt (#))', '--as', 'infix'], 'W * sqrt(X)\n'],
    [['abs(W * W) * mms(G)'], `${JSON.stringify(PUBLISHED, undefined, 4)}\n`],
    [['m.prune', '--metric', 'wanda', '--as', 'notation'], '(W) mul ((X) sqrt (#))\n'],
    [['best_tree.json', '--json'], '{"form":"infix","metric":"abs(W * W) * mms(G)","infix":"abs(W * W) * mms(G)"}\n'],
  ])('%j', async (words, out) => {
    expect(await espalier('tree', ...words)).toEqual({ code: 0, out, err: '' });
  });

  it.each([
    [['m.prune', '--metric', 'ours'], 2, /the operation quotient/],
    [['m.prune', '--metric', 'other'], 2, /It has wanda, ours/],
    [['m.prune'], 2, /--metric with one of wanda, ours/],
    [['W * X', '--metric', 'wanda'], 2, /Leave --metric out/],
    [['bad.json'], 2, /Espalier’s own/],
    [['W * Xmax'], 2, /the operand Xmax/],
  ])('refuses %j', async (words, code, says) => {
    const result = await espalier('tree', ...words);
    expect([result.code, result.out]).toEqual([code, '']);
    expect(result.err.replaceAll(/\s+/g, ' ')).toMatch(says);
  });
});
