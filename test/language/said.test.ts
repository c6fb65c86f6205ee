import { describe, expect, it } from 'vitest';
import { compile } from '../../src/language/check/compile.ts';
import { readSaid } from '../../src/language/check/said.ts';
import type { SaidProperty } from '../../src/language/check/said.ts';
import { printInfix } from '../../src/metric/print.ts';

const FILE = compile('parameter share = 0.25\nmetric mine = W * X\nmetric other = W\n');

const read = (keyword: 'search' | 'defaults', said: readonly SaidProperty[]) => {
  const { content, context, text } = readSaid(FILE, keyword, said, (source) => `typed ${source}`);
  const found = context.findings.diagnostics.sorted();
  return { content, told: found.map(({ code, start, end }) => [code, text.slice(start, end)]) };
};

describe('properties that are said outside of a file', () => {
  it('mean in its names what they mean there, each value by itself', () => {
    const { content, told } = read('search', [
      { name: 'from', values: ['mine', 'abs( mine )'] },
      { name: 'crossover', values: ['share'] },
      { name: 'operands', values: ['W, X', 'G'] },
    ]);
    expect(told).toEqual([]);
    expect(content).toMatchObject({ search: { crossover: 0.25 }, operands: ['W', 'X', 'G'] });
    expect(content.from?.map(({ label, expression }) => [label, printInfix(expression)])).toEqual([
      ['typed mine', 'W * X'],
      ['typed abs( mine )', 'abs(W * X)'],
    ]);
  });

  it('hold texts as they are', () => {
    const path = '/a "b" {c} // d\n';
    expect(read('defaults', [{ name: 'model', values: [path], isText: true }])).toEqual({
      content: expect.objectContaining({ model: path }) as object,
      told: [],
    });
  });

  it.each<[SaidProperty[], [string, string][]]>([
    [[{ name: 'samples', values: ['0'] }], [['property/range', '0']]],
    [
      [
        { name: 'length', values: ['64'] },
        { name: 'offsets', values: ['evn'] },
      ],
      [['property/type', 'evn']],
    ],
    [[{ name: 'at', values: ['50%', '2:4, 4:2'] }], [['sparsity/range', '4:2']]],
    [[{ name: 'at', values: ['50%', '30% blocks: 3'] }], [['syntax/expected', 'blocks']]],
  ])('are told where they are wrong: %j', (said, expected) => {
    expect(read('defaults', said).told).toEqual(expected);
  });
});
