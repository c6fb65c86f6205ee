import { describe, expect, it } from 'vitest';
import { publishedFigure } from '../../src/experiment/published.ts';
import type { EvaluationResult, Provenance } from '../../src/experiment/resultSchema.ts';
import { parseSparsity } from '../../src/experiment/sparsity.ts';
import { publishedBeside } from '../../src/language/check/publishedBeside.ts';
import { sampleResult } from '../protocol/samples.ts';

const LLAMA = 'hf:meta-llama/Llama-2-7b-hf';

function result(expression: string, at: string, provenance: Partial<Provenance> = {}): EvaluationResult {
  const sample = sampleResult({ metric: 'mine', expression, sparsity: parseSparsity(at)! });
  return { ...sample, provenance: { ...sample.provenance, model: LLAMA, protocol: 'wanda', ...provenance } };
}

describe('a published figure stands beside ours', () => {
  it.each<[expression: string, at: string, expected: number | undefined]>([
    ['W * sqrt(X)', '50%', 6.42],
    ['sqrt(X) * W * 3', '50%', 6.42],
    ['W ^ 2 * X', '50%', 6.42],
    ['W * sqrt(X)', '2:4', 11.02],
    ['W * sqrt(X)', '4:8', 7.97],
    ['W * sqrt(X)', '60%', undefined],
    ['W * sqrt(X), group layer', '50%', undefined],
    ['W * X', '50%', undefined],
    ['W, group layer', '50%', 14.89],
    ['abs(Wsigned), group layer', '50%', 14.89],
    ['W', '50%', undefined],
    ['W, group layer', '2:4', 54.59],
    ['W', '2:4', 54.59],
    ['wanda-sp', '30%', undefined],
    ['W * sqrt(X), owl (5, 0.08)', '50%', undefined],
    ['no formula (', '50%', undefined],
    ['mine * W', '50%', undefined],
  ])('of %s at %s', (expression, at, expected) => {
    expect(publishedBeside(result(expression, at))?.perplexity).toBe(expected);
  });

  it('of whole heads and channels, and of the dense model', () => {
    const whole: EvaluationResult['structure'] = {
      method: 'wanda-sp',
      allocation: 'uniform',
      parameters: { dense: 2, pruned: 1 },
      blocks: [],
    };
    const pruned = { ...result('wanda-sp', '30%', { protocol: 'self-pruner' }), structure: whole };
    expect(publishedBeside(pruned)).toEqual({
      perplexity: 24.53,
      source: expect.stringContaining('Self-Pruner') as string,
    });
    const dense = result('dense', '50%');
    Reflect.deleteProperty(dense, 'sparsity');
    expect(publishedBeside({ ...dense, metric: 'dense' })?.perplexity).toBe(5.12);
  });

  it.each<[string, Partial<Provenance>]>([
    ['another length', { deviations: ['length 1024'] }],
    ['another protocol', { protocol: 'sparsegpt' }],
    ['another model', { model: '/models/tiny' }],
  ])('but not with %s', (_, provenance) => {
    expect(publishedBeside(result('W * sqrt(X)', '50%', provenance))).toBeUndefined();
  });

  it('nor without a protocol', () => {
    const plain = result('W * sqrt(X)', '50%');
    Reflect.deleteProperty(plain.provenance, 'protocol');
    expect(publishedBeside(plain)).toBeUndefined();
  });

  it.each<[model: string, expected: number | undefined]>([
    ['hf:meta-llama/Llama-2-7b-hf', 5.12],
    ['hf:meta-llama/Llama-2-7b-hf@0123abc', 5.12],
    ['/home/u/.cache/huggingface/hub/models--meta-llama--Llama-2-7b-hf/snapshots/01d2ab/', 5.12],
    ['/home/u/.cache/huggingface/hub/models--meta-llama--Llama-2-7b-chat-hf/snapshots/01d2ab', undefined],
    ['/models/Llama-2-7b', 5.12],
    ['models/llama2_7b', 5.12],
    ['C:\\models\\llama-2-7b-hf', 5.12],
    ['/models/Llama-2-13b-hf/', 4.57],
    ['hf:meta-llama/Llama-2-70b-hf', 3.12],
    ['/models/Llama-2-7b-chat-hf', undefined],
    ['/models/Llama-2-7b-instruct', undefined],
    ['/models/Llama-2-7b-hf/pruned', undefined],
    ['/models/my-Llama-2-7b', undefined],
    ['/models/llama-7b-hf', undefined],
    ['/models/CodeLlama-7b-hf', undefined],
    ['hf:TheBloke/Llama-2-7B-GPTQ', undefined],
    ['/models/Llama-2-7b-hf-2048', undefined],
    ['', undefined],
  ])('where the model is known by its name: %s', (model, expected) => {
    expect(publishedFigure({ model, protocol: 'wanda' }, 'dense', undefined)?.perplexity).toBe(expected);
  });
});
