import { expect, it } from 'vitest';
import { compile } from '../../src/language/check/compile.ts';

/** What is underlined of a search with these properties: the text, and why. */
function told(properties: string): string[] {
  const text = `search s { model: "m" evaluate: "t" calibrate: "c" ${properties} }`.replace(
    /calibrate: "c" (?=.*calibrate:)/,
    '',
  );
  return compile(text)
    .diagnostics.filter(({ code }) => code === 'search/no-effect')
    .map(({ start, end, message }) => `${text.slice(start, end)}: ${message}`);
}

it.each<[properties: string, told: readonly string[]]>([
  ['at: 50%  group: layer', []],
  ['at: 2:4  group: layer', ['layer: `group` has no effect on `s`: no percentage of single weights is pruned']],
  [
    'operands: W  from: W  baselines: W  samples: 4',
    ['4: `samples` has no effect on `s`: nothing needs more than the weights'],
  ],
  ['operands: W  from: W  baselines: W * sqrt(X)  samples: 4', []],
  ['calibrate: "c" (offsets: even, seed: 3)', ['3: `seed` has no effect on `s`: even offsets are not drawn']],
  ['seed: 3', []],
  [
    'method: self-pruner  at: 30%  group: layer',
    ['layer: `group` has no effect on `s`: no percentage of single weights is pruned'],
  ],
  ['method: self-pruner  at: 30%  target: weights(W)  group: layer', []],
])('settings of an evaluation that change nothing about a search are underlined: %s', (properties, expected) => {
  expect(told(properties)).toEqual(expected);
});
