import type { Rng } from '../../src/base/rng.ts';

/** What mutated texts are made of. */
export const WORDS = [
  ...'metric model corpus parameter experiment search defaults prune: at: model: evaluate: calibrate: samples: at device test: operands: operations: from: baselines: method: random pruner-zero population: seed: crossover: mutation: target: score: self-pruner policy-gradient structure( weights( rates: wanda-sp uniform owl( global steps: provider: endpoint: llm: protocol: gradients: (group: layer (field: (rows: wikitext join: blank-line first:'.split(
    ' ',
  ),
  ...'W X G sqrt add mms div( a b c foo wanda ( ) { } [ ] , = : + - * / ^ 2 0.5 1e9 50% 2:4 "x" " // /// \n \n \r\n \t $ é ²'.split(
    ' ',
  ),
  ...['\n', '\n', '"', '\u0000', '\ud83d', '\u2028'],
];

/** A few edits at random places: characters removed, words put in, stretches moved and repeated. */
export function mutate(text: string, rng: Rng): string {
  let result = text;
  for (let i = rng.integer(4); i >= 0; i--) {
    const at = rng.integer(result.length + 1);
    const length = rng.integer(3) === 0 ? rng.integer(200) : rng.integer(4);
    const piece = result.slice(at, at + length);
    const inserted = [
      WORDS[rng.integer(WORDS.length)]!,
      '',
      piece + piece,
      result.slice(rng.integer(result.length)).slice(0, 20),
    ][rng.integer(4)]!;
    result = result.slice(0, at) + inserted + result.slice(at + length);
  }
  return result;
}
