import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { GgufReader } from '../../../../src/engine/export/gguf/ggufReader.ts';
import { GGUF_FILE } from '../../../../src/engine/export/gguf/writeGguf.ts';
import type { PlannedEvaluation, TextPlan } from '../../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../../src/experiment/settings.ts';
import { parsePrefix } from '../../../../src/metric/parsePrefix.ts';
import { exportTests } from '../../../support/exports.ts';
import { failureOf } from '../../../support/expectCoded.ts';
import type { FamilyName } from '../../../support/generate/families.ts';
import { PRUNED_SHAPES } from '../../../support/llamaCpp/ggufCases.ts';

const at = exportTests('pruned');

async function planOf(name: FamilyName, evaluation: PlannedEvaluation, length = 24): Promise<TextPlan> {
  const family = await at.family(name);
  return {
    ...{ model: family.folder, text: family.textFile, calibration: family.calibrationFile },
    evaluations: [evaluation],
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 2, blocks: 1, length, offsets: 'even' },
  };
}

describe('a type with fewer bits', () => {
  it('is said, with the perplexity of what was written', async () => {
    const plan = await planOf('llama-2 grouped queries', PRUNED_SHAPES['sizes by block']);
    const report = await at.engine.exportModel(plan, { folder: at.folder, format: 'gguf', type: 'q8_0' });
    // Channels of 17 and 56, and two heads of 8: no multiples of 32.
    expect(report.rounded).toMatchObject({ to: ['Q8_0'], all: true });
    expect(report.notes).toEqual([
      '4 of 23 matrices are float16: their rows are no multiple of 32, which Q8_0 is made of.',
    ]);
    expect(report.rounded!.perplexity).not.toBe(report.result.perplexity);
    // Random weights are sensitive; of a trained model it is 0.04 % (slow tests).
    expect(Math.abs(report.rounded!.perplexity / report.result.perplexity - 1)).toBeLessThan(0.1);
    const card = await readFile(path.join(at.folder, 'README.md'), 'utf8');
    expect(card).toContain('weights rounded to 8 bits (Q8_0)');
    expect(card).toContain('4 of 23 matrices');
    expect((await readdir(at.folder)).sort()).toEqual(['README.md', 'model.gguf', 'tokenizer.json']);
    expect(await readdir(path.dirname(at.folder))).toEqual(['pruned']);
  });

  it('is that of the checkpoint where none is said: only updated weights are rounded then', async () => {
    const update = { method: 'sparsegpt', damping: 0.01, columns: 128 } as const;
    const pruned = { metric: 'sparsegpt', sparsity: { kind: 'unstructured', share: 0.5 }, update } as const;
    const plan = await planOf('qwen2', pruned);
    const report = await at.engine.exportModel(plan, { folder: at.folder, format: 'gguf' });
    expect(report.rounded).toMatchObject({ to: ['BF16'], all: true });
    const file = new GgufReader(path.join(at.folder, GGUF_FILE));
    expect(file.tensors.get('blk.0.attn_q.weight')!.type).toBe('BF16');
    expect(file.tensors.get('blk.0.attn_q.bias')!.type).toBe('F32');
    file.close();
  });
});

describe('refused before anything is computed', () => {
  const wanda = {
    metric: 'wanda',
    expression: parsePrefix('mul(W, sqrt(X))'),
    sparsity: { kind: 'unstructured', share: 0.5 },
  } as const;

  it.each<[FamilyName, string, string]>([
    ['gpt-2', 'export/format', 'GPT2LMHeadModel'],
    ['llama dynamic', 'export/format', 'dynamic'],
    ['mistral', 'settings/invalid', 'a length of 24'],
  ])('%s: %s', async (name, code, actual) => {
    const plan = await planOf(name, wanda);
    const stages = new Set<string>();
    const onProgress = ({ stage }: { readonly stage: string }) => void stages.add(stage);
    const failure = await failureOf(() =>
      at.engine.exportModel(plan, { folder: at.folder, format: 'gguf' }, { onProgress }),
    );
    expect(failure.code).toBe(code);
    expect(failure.data.actual).toContain(actual);
    expect(stages).toEqual(new Set());
    expect(await readdir(path.dirname(at.folder))).toEqual([]);
  });

  it('but inside of a window it is written, with its context as long as that', async () => {
    const plan = await planOf('mistral', wanda, 7);
    const report = await at.engine.exportModel(plan, { folder: at.folder, format: 'gguf' });
    expect(report.notes).toEqual([expect.stringContaining('7 tokens')]);
    const file = new GgufReader(path.join(at.folder, GGUF_FILE));
    expect(file.metadata.get('llama.context_length')).toEqual({ kind: 'uint32', value: 7 });
    file.close();
  });
});
