import { expect } from 'vitest';
import { readConfig } from '../../src/engine/checkpoint/readConfig.ts';
import { prunedConfig } from '../../src/engine/export/prunedConfig.ts';
import { expectedMask } from '../../src/engine/export/readers/expectedMask.ts';
import { readersOf } from '../../src/engine/export/readers/readersOf.ts';
import type { WrittenConfig } from '../../src/engine/export/writtenConfig.ts';
import { modelComponents } from '../../src/engine/models/components.ts';
import { isStructural } from '../../src/experiment/planned.ts';
import type { ReaderVerdict } from '../../src/experiment/readersSchema.ts';
import { PRUNED_SHAPES, type PrunedShape } from './llamaCpp/ggufCases.ts';

/** No shape is asked for by a budget. */
export const NO_COSTS = (): never => expect.fail('costs are asked for');

/** Who can read a checkpoint, pruned to a shape; as if it came of rates, which can be rounded. */
export function readersOfShape({ values, config }: WrittenConfig, shape: PrunedShape): readonly ReaderVerdict[] {
  const evaluation = PRUNED_SHAPES[shape];
  if (!isStructural(evaluation)) return readersOf({ values, config });
  const { mask } = expectedMask(evaluation, modelComponents(config), undefined, NO_COSTS);
  return readersOf(prunedConfig(values, config, mask, evaluation.metric === 'flap'));
}

/** The same of a checkpoint's folder. */
export async function readersOfFolder(folder: string, shape: PrunedShape): Promise<readonly ReaderVerdict[]> {
  return readersOfShape(await readConfig(folder), shape);
}

/** Ways of pruning that docs/export.md has a row for. */
export const TABLE_SHAPES: readonly (readonly [shape: PrunedShape, words: string])[] = [
  ['single weights', 'zeros in place'],
  ['uniform sizes', 'sizes alike'],
  ['sizes by block', 'sizes by block'],
  ['attentions dropped', 'attentions dropped'],
  ['MLPs dropped', 'MLPs dropped'],
  ['blocks dropped', 'blocks dropped'],
  ['FLAP, uniform', 'FLAP’s biases'],
];

const COLUMNS = ['transformers', 'vLLM', 'llama.cpp', 'onnxruntime', 'transformers.js'] as const;

/** How far logits were from ours where the reader itself was run, as tests have it. */
const COMPARED: Readonly<Record<(typeof COLUMNS)[number], string>> = {
  transformers: 'file: 10⁻⁴',
  vLLM: 'not run',
  'llama.cpp': '10⁻³',
  onnxruntime: '10⁻⁴',
  'transformers.js': '10⁻⁴',
};

/** Cells of the table of docs/export.md. */
function cell({ verdict, with: what, roundFor }: ReaderVerdict): string {
  switch (verdict) {
    case 'loads':
      return 'yes';
    case 'loads-with':
      return what?.startsWith('--layout') ? '`deci`' : 'file';
    case 'after-rounding':
      return `round \`${roundFor!}\``;
    case 'refuses':
      return 'no';
  }
}

/** @param reports of each row: family, shape in words, verdicts */
export function readerTable(reports: readonly (readonly [string, string, readonly ReaderVerdict[]])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(['', 'what was pruned', ...COLUMNS]),
    row(['', '', ...COLUMNS].map(() => '---')).replaceAll(' ', ''),
    ...reports.map(([family, words, verdicts]) =>
      row([family, words, ...COLUMNS.map((name) => cell(verdicts.find(({ reader }) => reader === name)!))]),
    ),
    row(['', 'logits within', ...COLUMNS.map((name) => COMPARED[name])]),
  ].join('\n');
}
