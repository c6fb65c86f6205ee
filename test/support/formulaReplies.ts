import { operation, operand } from '../../src/metric/expression.ts';
import type { Expression } from '../../src/metric/expression.ts';
import { printInfix, printPrefix } from '../../src/metric/print.ts';
import type { Rng } from '../../src/base/rng.ts';

/** How a language model answers where formulas are asked for; `none` is as it was asked to. */
export const FORMULA_STYLES = [
  'none',
  'numbered',
  'prefix',
  'chatty',
  'json',
  'thinking',
  'latex',
  'torch',
  'known',
  'repeated',
  'foreign',
  'too-few',
  'words',
  'empty',
] as const;
export type FormulaStyle = (typeof FORMULA_STYLES)[number];

/** Whether a prompt asks for formulas. */
export function asksForFormulas(prompt: string): boolean {
  return prompt.includes('pruning metric');
}

/**
 * What a language model would say to our prompt: some changed from those that it is shown, some of its own, and often something that is of no
 * use.
 */
export function formulaReply(prompt: string, rng: Rng, style: FormulaStyle): string {
  const count = Number(/as many as (\d+)/.exec(prompt)?.[1] ?? 1);
  const shown = [...prompt.matchAll(/^(.+): [\d.e+]+$/gm)].map(([, formula]) => formula!);
  const trees = Array.from({ length: style === 'too-few' ? Math.max(1, count >> 1) : count }, () => tree(rng, 3));
  return SAID[style](trees, shown);
}

const SAID: Readonly<Record<FormulaStyle, (trees: readonly Expression[], shown: readonly string[]) => string>> = {
  none: (trees) => lines(trees, printInfix),
  numbered: (trees) => lines(trees, (one, i) => `${i + 1}. \`${printInfix(one)}\` - uses the inputs`),
  prefix: (trees) => lines(trees, printPrefix),
  chatty: (trees) =>
    `Sure! Here are ${trees.length} metrics:\n\n\`\`\`\n${lines(trees, printInfix)}\n\`\`\`\nLet me know if you need more of W.`,
  json: (trees) => JSON.stringify(trees.map(printInfix)),
  thinking: (trees) => `<think>\nW * G was tried.\n</think>\n${lines(trees, printInfix)}`,
  latex: (trees) => lines(trees, (one) => `\\[ ${printInfix(one).replaceAll('*', '\\cdot')} \\]`),
  torch: (trees) => lines(trees, (one) => `torch.abs(${printInfix(one)}) * W.sqrt()`),
  known: (trees, shown) => [...shown.slice(0, trees.length), printInfix(trees[0]!)].join('\n'),
  repeated: (trees) => lines(trees, () => printInfix(trees[0]!)),
  foreign: (trees) =>
    lines(trees, (one, i) => (i % 2 === 0 ? `${printInfix(one)} / X` : `Xmax * (${printInfix(one)})`)),
  'too-few': (trees) => lines(trees, printInfix),
  words: () => 'I would look at weights and activations together.',
  empty: () => '',
};

function lines(trees: readonly Expression[], show: (tree: Expression, index: number) => string): string {
  return trees.map(show).join('\n');
}

const UNARY = ['sqrt', 'sqr', 'mms', 'zsn', 'log', 'abs', 'tanh'] as const;
const BINARY = ['mul', 'add', 'sub', 'mul'] as const;

function tree(rng: Rng, depth: number): Expression {
  if (depth === 1 || rng.uniform() < 0.2) return operand((['W', 'X', 'G'] as const)[rng.integer(3)]!);
  const below = (): Expression => tree(rng, depth - 1);
  return rng.uniform() < 0.5
    ? operation(UNARY[rng.integer(UNARY.length)]!, below())
    : operation(BINARY[rng.integer(BINARY.length)]!, below(), below());
}
