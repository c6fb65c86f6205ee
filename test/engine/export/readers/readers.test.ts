import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/engine/checkpoint/readConfig.ts';
import { readersOfPlan } from '../../../../src/engine/export/readers/readersOfPlan.ts';
import type { StructureEvaluation } from '../../../../src/experiment/planSchema.ts';
import type { ReadersReport } from '../../../../src/experiment/readersSchema.ts';
import { DEFAULT_SETTINGS } from '../../../../src/experiment/settings.ts';
import { FAMILIES, type FamilyName } from '../../../support/generate/families.ts';
import { PRUNED_SHAPES, READER_FAMILIES } from '../../../support/llamaCpp/ggufCases.ts';
import { readersOfShape, readerTable, TABLE_SHAPES } from '../../../support/readerTable.ts';
import { failureOf } from '../../../support/expectCoded.ts';

const DOCS = fileURLToPath(new URL('../../../../docs/export.md', import.meta.url));
const [BEGIN, END] = ['<!-- who can read it: test/engine/export/readers -->', '<!-- end -->'];

const checkpoint = (name: FamilyName) => {
  const values = FAMILIES[name].config;
  return { values, config: parseConfig(values, 'config.json') };
};
const flapAt = (
  roundFor: 'nothing' | 'vllm',
  rates: readonly number[],
): [StructureEvaluation, { roundFor: typeof roundFor }] => [
  {
    metric: 'flap',
    structure: {
      kind: 'scored',
      score: { kind: 'method', method: 'flap' },
      rates: { kind: 'given', rates: [...rates] },
    },
    sparsity: { kind: 'unstructured', share: 0.5 },
  },
  { roundFor },
];
const verdictOf = ({ verdicts }: ReadersReport, name: string) => verdicts.find(({ reader }) => reader === name)!;

it('docs/export.md has the table of who can read what; ESPALIER_WRITE_DOCS=1 writes it', async () => {
  const reports = Object.entries(READER_FAMILIES).flatMap(([title, name]) =>
    TABLE_SHAPES.map(([shape, words]) => {
      return [title, words, readersOfShape(checkpoint(name), shape)] as const;
    }),
  );
  const table = `${BEGIN}\n\n${readerTable(reports)}\n\n${END}`;
  const docs = await readFile(DOCS, 'utf8');
  const stands = docs.slice(docs.indexOf(BEGIN), docs.indexOf(END) + END.length);
  if (process.env['ESPALIER_WRITE_DOCS']) await writeFile(DOCS, docs.replace(stands, table));
  else expect(stands).toBe(table);
});

describe('a verdict', () => {
  it.each<[FamilyName, keyof typeof PRUNED_SHAPES, string, object]>([
    ['gpt-neox', 'single weights', 'transformers', { verdict: 'loads' }],
    ['mistral', 'sizes by block', 'vLLM', { verdict: 'refuses', why: expect.stringContaining('windows') as string }],
    [
      'llama yarn',
      'sizes by block',
      'transformers',
      { verdict: 'refuses', why: expect.stringContaining('yarn') as string },
    ],
    ['qwen2 layer types', 'sizes by block', 'transformers', { verdict: 'loads-with' }],
    ['qwen2 layer types', 'attentions dropped', 'transformers', { verdict: 'refuses' }],
    [
      'llama-2 grouped queries',
      'attentions dropped',
      'vLLM',
      { why: expect.stringContaining('first block') as string },
    ],
  ])('%s, %s: %s', (name, shape, reader, expected) => {
    const report = readersOfPlan(checkpoint(name), PRUNED_SHAPES[shape], DEFAULT_SETTINGS);
    expect(verdictOf(report, reader)).toMatchObject(expected);
  });

  it('of rates that differ is that of vLLM after rounding, which then holds', () => {
    const rates = [0.2, 0.7, 0.4];
    const before = readersOfPlan(checkpoint('mistral 0.3'), ...flapAt('nothing', rates));
    expect(verdictOf(before, 'vLLM')).toMatchObject({ verdict: 'after-rounding', roundFor: 'vllm' });
    const after = readersOfPlan(checkpoint('mistral 0.3'), ...flapAt('vllm', rates));
    expect(verdictOf(after, 'vLLM')).toMatchObject({ verdict: 'loads-with' });
  });

  it('is not exact where scores decide the sizes', () => {
    const global = readersOfPlan(checkpoint('qwen2'), PRUNED_SHAPES['FLAP, by block'], DEFAULT_SETTINGS);
    expect(global.exact).toBe(false);
    expect(readersOfPlan(checkpoint('qwen2'), PRUNED_SHAPES['FLAP, uniform'], DEFAULT_SETTINGS).exact).toBe(true);
  });
});

it('the layout of DeciLM is refused where it cannot have the model', async () => {
  const refused = async (shape: keyof typeof PRUNED_SHAPES, name: FamilyName = 'llama-2 grouped queries') =>
    failureOf(() => readersOfPlan(checkpoint(name), PRUNED_SHAPES[shape], DEFAULT_SETTINGS, 'deci'));
  expect(await refused('sizes by block')).toMatchObject({ code: 'settings/invalid' });
  expect(await refused('single weights')).toMatchObject({ code: 'settings/invalid' });
  expect(await refused('uniform sizes', 'qwen3')).toMatchObject({ code: 'settings/invalid' });
});
