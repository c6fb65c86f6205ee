import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { createEngine } from '../../src/engine/engine.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { temporaryFamily, type TemporaryFamily } from '../support/generate/temporaryFamily.ts';

let family: TemporaryFamily;
beforeAll(async () => {
  family = await temporaryFamily('llama-2 grouped queries');
});
afterAll(() => family.remove());

async function run(
  words: readonly string[],
  { input, engine = () => createEngine() }: { input?: string; engine?: () => Engine } = {},
) {
  let [out, err] = ['', ''];
  const code = await runCommandLine(['generate', ...words], {
    terminal: createTerminal({ write: (text) => (out += text) }, { write: (text) => (err += text) }, {}),
    folder: family.folder,
    keys: {},
    shippedPrompts: '',
    signal: new AbortController().signal,
    readInput: () => Promise.resolve(input),
    createEngine: () => Promise.resolve(engine()),
    listDevices: () => Promise.resolve([]),
    forkWorker: () => {
      throw new Error('nothing is to be started');
    },
  });
  return { code, out, err };
}

const FEW = ['--most', '6', '--device', 'cpu', '--threads', '1'];

describe('espalier generate', () => {
  it('goes on from a prompt, of the command line or of standard input', async () => {
    const said = await run(['.', '--prompt', 'the river', ...FEW]);
    expect([said.code, said.err]).toEqual([
      0,
      expect.stringMatching(/6 tokens \(as many as asked for\), .* tokens\/s, prompt of \d+ tokens/),
    ]);
    expect(said.out).toMatch(/^the river.+\n$/s);
    expect((await run(['.', ...FEW], { input: 'the river\n' })).out).toBe(said.out);
    expect((await run(['--model', '.', '--prompt', '-', ...FEW], { input: 'the river' })).out).toBe(said.out);
  });

  it('shows dense and pruned one after the other, in JSON one object each', async () => {
    const pruned = [
      '--expression',
      'W * sqrt(X)',
      '--sparsity',
      '50%',
      '--calibration',
      'calibration.txt',
      '--samples',
      '2',
      '--length',
      '24',
    ];
    const words = ['.', '--prompt', 'the river', ...FEW, ...pruned];
    const { out } = await run(words);
    expect(out).toMatch(/^dense\nthe river[^]*\n\nW \* sqrt\(X\) at 50%\nthe river[^]*\n/);
    const lines = (await run([...words, '--json'])).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { name: 'dense', end: 'most', prompt: 'the river', cacheBytes: expect.any(Number) as number },
      { name: 'W * sqrt(X) at 50%', end: 'most', decode: { tokens: 5 } },
    ]);
    const texts = lines.map(({ text }) => text as string);
    expect(texts[0]).not.toBe(texts[1]);
    for (const text of texts) expect(out).toContain(`the river${text}`);
  });

  it('refuses a prompt of a million tokens, and has not repeated it before', async () => {
    const { code, out, err } = await run(['.', ...FEW], { input: 'river '.repeat(1_000_000) });
    expect(err).toMatch(/reading prompt 1: .*settings\/invalid/);
    expect([code, out]).toEqual([2, '']);
  });

  test.each<[string, readonly string[], RegExp]>([
    ['no model', ['--prompt', 'a'], /a checkpoint folder/],
    ['two models', ['.', '--model', 'other', '--prompt', 'a'], /one model/],
    ['no prompt', ['.'], /--prompt with a text/],
    ['no tokens', ['.', '--prompt', 'a', '--most', '0'], /whole number from 1/],
    ['a share of more than all', ['.', '--prompt', 'a', '--top-p', '1.5'], /from 0 to 1/],
    ['a stop that is everywhere', ['.', '--prompt', 'a', '--stop', ''], /--stop with a text/],
    [
      'two ways of pruning',
      ['.', '--prompt', 'a', '--expression', 'W', '--sparsity', '50%,2:4', '--text', 'text.txt'],
      /one way of pruning, got 2/,
    ],
    [
      'a share without a metric',
      ['.', '--prompt', 'a', '--sparsity', '50%', '--text', 'text.txt'],
      /a metric with --sparsity/,
    ],
  ])('%s: exit 2, before anything is loaded', async (_, words, says) => {
    const engine = (): Engine => {
      throw new Error('nothing is to be loaded');
    };
    const { code, err } = await run(words, { engine });
    expect(err).toMatch(says);
    expect(code).toBe(2);
  });
});
