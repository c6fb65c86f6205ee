import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweep } from '../../src/engine/evaluation/sweep.ts';
import { type GeneratedModel, generateModel } from '../../bench/generatedModel.ts';
import { llamaCppFolder } from '../support/llamaCpp/library.ts';
import { type LlamaCppSettings, llamaCppPerplexity } from '../../bench/llamaCpp/perplexity.ts';
import { openInputs, yieldOnce } from '../../bench/openInputs.ts';
import { planOf } from '../../bench/ours.ts';
import { writeBenchGguf } from '../../bench/writeBenchGguf.ts';
import { tokenHash } from '../../bench/tokenHash.ts';
import { ROOT } from '../../bench/work.ts';

const library = llamaCppFolder(ROOT);
const missing = 'missing' in library ? ` (skipped: ${library.missing})` : '';

/** Fewer key-value heads than heads, a head of its own, and a vocabulary that is larger than the tokenizer's. */
const SHAPE = { hidden: 64, intermediate: 96, depth: 2, heads: 4, kvHeads: 2, vocabulary: 512, tied: false };
const [LENGTH, BLOCKS] = [32, 5];

describe.skipIf(missing !== '')(`llama.cpp reads our GGUF and comes to our perplexity${missing}`, () => {
  let model: GeneratedModel;
  let ours: { readonly perplexity: number; readonly tokens: string };

  beforeAll(async () => {
    model = await generateModel(SHAPE, 400);
    const work = { job: 'dense', model: model.folder, text: model.text, calibration: model.text } as const;
    const { inputs, device } = await openInputs(planOf({ ...work, length: LENGTH, blocks: BLOCKS, samples: 1 }, 1));
    const { dense } = await sweep(inputs, true, [], yieldOnce);
    ours = { perplexity: Math.exp(dense!.loss), tokens: tokenHash(inputs.evaluation) };
    await device.dispose();
  });

  afterAll(() => {
    rmSync(model.folder, { recursive: true, force: true });
  });

  // Of a batch of 96 tokens three blocks are sequences of their own; one of 16 takes half a block.
  it.each<[LlamaCppSettings, number]>([
    [{ weights: 'F32', flashAttention: false, batch: 96 }, 1e-6],
    [{ weights: 'F32', flashAttention: false, batch: 16 }, 1e-6],
    [{ weights: 'F32', flashAttention: true, batch: 96 }, 1e-3],
    [{ weights: 'BF16', flashAttention: false, batch: 96 }, 1e-2],
  ])('%j within %d', async (settings, tolerance) => {
    const file = join(model.folder, `${settings.weights}.gguf`);
    await writeBenchGguf(model.folder, file, settings.weights === 'F32' ? 'f32' : 'bf16');
    const { folder } = library as { readonly folder: string };
    const job = { ...settings, folder, model: file, text: model.text, length: LENGTH, blocks: BLOCKS };
    const theirs = await llamaCppPerplexity({ ...job, threads: 1, processor: false });
    expect(theirs.tokens).toBe(ours.tokens);
    expect(Math.abs(theirs.value / ours.perplexity - 1)).toBeLessThan(tolerance);
    expect(theirs.backend).toMatch(/^libggml-cpu-/);
  });
});
