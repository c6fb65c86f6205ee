import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/engine/checkpoint/readConfig.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { modelLength } from '../../../src/engine/forward/modelLength.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { resultWarnings } from '../../../src/experiment/resultWarnings.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { FAMILIES } from '../../support/generate/families.ts';
import { generateCheckpoint } from '../../support/generate/generateCheckpoint.ts';
import { generateText } from '../../support/generate/text.ts';
import { TINY_LLAMA, TINY_MISTRAL } from '../checkpoint/tinyConfigs.ts';

describe('how long a text the model was made for', () => {
  const factors = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 };
  const long = { short_factor: [1, 1, 1, 1], long_factor: [2, 2, 2, 2], original_max_position_embeddings: 128 };
  it.each<[string, object, number]>([
    ['as config.json says', TINY_LLAMA, 512],
    ['not shorter for a window of attention', TINY_MISTRAL, 512],
    ['linear scaling reaches further', { ...TINY_LLAMA, rope_scaling: { type: 'linear', factor: 4 } }, 2048],
    ['dynamic scaling reaches further', { ...TINY_LLAMA, rope_scaling: { type: 'dynamic', factor: 2 } }, 1024],
    ['YaRN written beside the length before', { ...TINY_LLAMA, rope_scaling: { type: 'yarn', factor: 4 } }, 2048],
    [
      'YaRN with the scaled length written',
      { ...TINY_LLAMA, rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 128 } },
      512,
    ],
    ['LLaMA 3.1', { ...TINY_LLAMA, rope_scaling: { rope_type: 'llama3', factor: 8, ...factors } }, 512],
    ['LongRoPE', { ...TINY_LLAMA, rope_scaling: { rope_type: 'longrope', factor: 4, ...long } }, 512],
  ])('%s', (_, config, expected) => {
    expect(modelLength(parseConfig({ ...config }, 'config.json'))).toBe(expected);
  });
});

let root: string;
let engine: Engine;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'espalier-length-'));
  for (const [name, family, maximum] of [
    ['llama', FAMILIES['llama-1'], 24],
    ['opt', FAMILIES.opt, 40],
  ] as const) {
    const config = { ...family.config, max_position_embeddings: maximum };
    await generateCheckpoint(join(root, name), { ...family, config });
  }
  writeFileSync(join(root, 'text.txt'), generateText(1, 4000));
  engine = createEngine();
});
afterAll(async () => {
  await engine.dispose();
  rmSync(root, { recursive: true });
});

function plan(model: string, settings: Partial<EvaluationSettings>): EvaluationPlan {
  return {
    ...{ model: join(root, model), text: join(root, 'text.txt'), evaluations: [] },
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, blocks: 2, ...settings },
  };
}

describe('an evaluation', () => {
  it('takes the length of the model where nothing else is said, with the number and the fingerprint of that length', async () => {
    expect(DEFAULT_SETTINGS.length).toBe(0);
    const [open] = await engine.evaluate(plan('llama', {}));
    const [said] = await engine.evaluate(plan('llama', { length: 24 }));
    expect(open!.provenance).toMatchObject({ length: 24, modelLength: 24 });
    expect([open!.perplexity, open!.fingerprint]).toEqual([said!.perplexity, said!.fingerprint]);
    expect(resultWarnings(open!.provenance)).toEqual([]);
    expect((await engine.preflight(plan('llama', {}))).warnings).toEqual([]);
  });

  it('obeys a longer one, and says so before and after', async () => {
    const long = plan('llama', { length: 48 });
    const [result] = await engine.evaluate(long);
    const warnings = resultWarnings(result!.provenance);
    expect(warnings).toEqual([expect.stringMatching(/48 tokens are longer than the model was made for.* 24/)]);
    expect((await engine.preflight(long)).warnings).toEqual(warnings);
  });

  it('refuses what a table of learned positions has no rows for, before anything is computed', async () => {
    expect((await engine.evaluate(plan('opt', {})))[0]!.provenance.length).toBe(40);
    const long = plan('opt', { length: 41 });
    for (const ask of [() => engine.evaluate(long), () => engine.preflight(long)]) {
      const failure = await failureOf(ask);
      expect(failure.code).toBe('settings/invalid');
      expect(failure.message).toMatch(/at most 40 tokens.*a length of 41/);
    }
  });

  it('never takes more than the papers’ length by itself', async () => {
    const file = join(root, 'llama/config.json');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(before) as object), max_position_embeddings: 131_072 }));
    try {
      const failure = await failureOf(() => engine.evaluate(plan('llama', { blocks: 1000 })));
      expect(failure.message).toMatch(/blocks of 2048 tokens/);
    } finally {
      writeFileSync(file, before);
    }
  });
});
