import { expect, it } from 'vitest';
import type { ExportReport } from '../../../src/experiment/exportSchema.ts';
import { modelCard } from '../../../src/engine/export/modelCard.ts';
import type { ModelConfig } from '../../../src/engine/families/families.ts';
import { resultUnderProtocol, sampleResult } from '../../protocol/samples.ts';

const report = (model: string, text: string): ExportReport => {
  const result = sampleResult();
  return {
    folder: '/to',
    format: 'huggingface',
    result: { ...result, provenance: { ...result.provenance, model, text, calibration: text, calibrationLength: 77 } },
    parameters: { dense: 2, exported: 1 },
    bytes: 1,
    plain: true,
    leftOut: [],
    readers: [],
    verification: { tokens: 1, rows: 1, difference: 0, largest: 1 },
  };
};

it('names of folders and files are text in the README.md of an export, and nothing else', () => {
  const card = modelCard(report('/a/![x](http:evil)<img src=x>', '/b/`t` | [c](command:d)'), {
    architecture: 'LlamaForCausalLM',
    hidden: 4,
    heads: 2,
  } as ModelConfig);
  expect(card).toContain('# \\!\\[x\\]\\(http:evil\\)\\<img src=x\\>, pruned');
  expect(card).toContain('\\`t\\` \\| \\[c\\]');
  expect(card).toContain('samples of 77 tokens');
});

it('says under which protocol the model was measured', () => {
  const config = { architecture: 'LlamaForCausalLM', hidden: 4, heads: 2 } as ModelConfig;
  const card = modelCard({ ...report('/a/tiny', '/b/t.txt'), result: resultUnderProtocol() }, config);
  expect(card).toContain('| protocol | pruner-zero, but length 256 |');
  expect(card).toMatch(/\| perplexity by word, by byte \| \d[\d.]+, \d[\d.]+ \|/);
  expect(card).toContain('test.txt, 64 blocks of 256 tokens (rows wikitext) |');
  expect(card).toContain('sequential; gradients on train.txt');
  expect(modelCard(report('/a/tiny', '/b/t.txt'), config)).not.toContain('protocol');
});
