import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/engine/checkpoint/readConfig.ts';
import { ggufForm, ggufReadable } from '../../../../src/engine/export/gguf/readable.ts';
import { blockShape } from '../../../../src/engine/families/config.ts';
import type { ModelConfig } from '../../../../src/engine/families/families.ts';
import { FAMILIES, type FamilyName } from '../../../support/generate/families.ts';

function configOf(name: FamilyName, changed: (config: ModelConfig) => Partial<ModelConfig> = () => ({})): ModelConfig {
  const config = parseConfig(FAMILIES[name].config, 'config.json');
  return { ...config, ...changed(config) };
}

/** The second block without half of its channels. */
function unlike(config: ModelConfig): Partial<ModelConfig> {
  const blocks = config.windows.map((_, index) => blockShape(config, index));
  return { blocks: blocks.map((shape, i) => (i === 1 ? { ...shape, intermediate: shape.intermediate / 2 } : shape)) };
}

/** What FLAP adds. */
function compensated({ bias }: ModelConfig): Partial<ModelConfig> {
  return { bias: { ...bias, attentionOutput: true, mlpOutput: true } };
}

describe('the architecture of llama.cpp that computes a model', () => {
  it.each<[FamilyName, string, ((config: ModelConfig) => Partial<ModelConfig>)?]>([
    ['llama-1', 'llama'],
    ['llama-3.1', 'llama', compensated],
    ['llama biases', 'deci', unlike],
    ['mistral 0.3', 'llama'],
    ['qwen2', 'qwen2'],
    ['qwen2', 'llama', compensated],
    ['qwen2', 'llama', () => ({ heads: 2, kvHeads: 1 })],
    ['qwen2', 'deci', unlike],
    ['qwen3', 'openelm', unlike],
    ['qwen3', 'qwen3'],
    ['qwen3', 'qwen3', (config) => ({ blocks: config.windows.map((_, index) => blockShape(config, index)) })],
  ])('%s: %s', (name, architecture, changed) => {
    const config = configOf(name, changed);
    expect(ggufForm(config)).toMatchObject({ architecture, contextLength: config.maxPositions, notes: [] });
    expect(ggufReadable(config)).toMatchObject({ verdict: 'loads' });
  });
});

it('a window is as far as the file goes', () => {
  const form = ggufForm(configOf('qwen2 window'));
  expect(form).toMatchObject({ architecture: 'qwen2', contextLength: 5, notes: [expect.stringContaining('5 tokens')] });
});

describe('a model that llama.cpp would compute otherwise is refused, with the reason', () => {
  it.each<[FamilyName, string, ((config: ModelConfig) => Partial<ModelConfig>)?]>([
    ['opt', 'only LLaMA, Mistral, Qwen2 and Qwen3'],
    ['mixtral', 'only LLaMA, Mistral, Qwen2 and Qwen3'],
    ['llama dynamic', 'dynamic'],
    ['llama longrope, short', 'longrope'],
    ['llama yarn, every option', 'YaRN'],
    ['llama-1', 'SiLU', () => ({ activation: 'gelu' })],
    ['qwen3', 'no biases', compensated],
    ['qwen3', 'no biases', (config) => ({ ...unlike(config), ...compensated(config) })],
  ])('%s: %s', (name, why, changed) => {
    const verdict = ggufReadable(configOf(name, changed));
    expect(verdict.verdict).toBe('refuses');
    expect(verdict.why).toContain(why);
  });

  it('or rounded, where only sizes of single blocks are in the way', () => {
    const verdict = ggufReadable(configOf('qwen3', (config) => ({ ...unlike(config), tiedEmbeddings: false })));
    expect(verdict).toMatchObject({ verdict: 'after-rounding', roundFor: 'llama.cpp' });
  });
});
