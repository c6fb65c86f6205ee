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
  ['proposals: 20%  provider: openai  llm: "x"', []],
  // The editor's settings may name a provider.
  ['proposals: 20%', []],
  ['proposals: 20%  provider: none', ['20%: `proposals` has no effect: with `provider: none` nobody is asked']],
  ['provider: none', []],
  [
    'provider: openai  llm: "x"',
    [
      'openai: `provider` has no effect: nobody is asked while `proposals` is 0',
      '"x": `llm` has no effect: nobody is asked while `proposals` is 0',
    ],
  ],
  ['method: random  proposals: 20%', ['20%: `proposals` has no effect: `method: random` draws all metrics at random']],
])('settings of an evaluation that change nothing about a search are underlined: %s', (properties, expected) => {
  expect(told(properties)).toEqual(expected);
});
