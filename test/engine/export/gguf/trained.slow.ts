import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { GGUF_FILE } from '../../../../src/engine/export/gguf/writeGguf.ts';
import type { GgufWeights } from '../../../../src/experiment/ggufTypes.ts';
import type { PlannedEvaluation, TextPlan } from '../../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../../src/experiment/settings.ts';
import { parsePrefix } from '../../../../src/metric/parsePrefix.ts';
import { exportTests } from '../../../support/exports.ts';
import { perplexityOf } from '../../../support/llamaCpp/ggufOutcome.ts';
import { LlamaModel, llamaCppMissing } from '../../../support/llamaCpp/llamaModel.ts';

const shared = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../../../shared');
const model = path.join(shared, 'models/wikitext-llama-6m');
const text = path.join(shared, 'data/wikitext-2/wiki.test.raw');
const missing = llamaCppMissing || (existsSync(model) && existsSync(text) ? '' : ' (skipped: no ../shared)');

const [LENGTH, BLOCKS] = [256, 4];
const third = { kind: 'unstructured', share: 0.3 } as const;
const FLAP: PlannedEvaluation = {
  metric: 'flap',
  structure: { kind: 'scored', score: { kind: 'method', method: 'flap' }, rates: { kind: 'global' } },
  sparsity: third,
};
const WANDA: PlannedEvaluation = { metric: 'wanda', expression: parsePrefix('mul(W, sqrt(X))'), sparsity: third };

describe.skipIf(missing !== '')(`a trained model in llama.cpp${missing}`, () => {
  const at = exportTests('pruned');

  // With Q8_0 llama.cpp rounds what weights are multiplied with, too.
  it.each<[string, GgufWeights | undefined, number, PlannedEvaluation]>([
    ['sizes by block and biases', 'f32', 1e-5, FLAP],
    ['sizes by block and biases', undefined, 1e-3, FLAP],
    ['sizes by block and biases', 'q8_0', 5e-3, FLAP],
    ['zeros in place', 'f16', 1e-3, WANDA],
    ['zeros in place', 'q8_0', 5e-3, WANDA],
  ])('%s, %s within %d', async (_, type, bound, evaluation) => {
    const calibration = path.join(shared, 'data/wikitext-2/valid.txt');
    const settings = { ...DEFAULT_SETTINGS, device: 'cpu', samples: 8, blocks: BLOCKS, length: LENGTH } as const;
    const plan: TextPlan = { model, text, calibration, evaluations: [evaluation], settings };
    const target = { folder: at.folder, format: 'gguf', ...(type && { type }) } as const;
    const report = await at.engine.exportModel(plan, target);
    const theirs = await LlamaModel.open(path.join(at.folder, GGUF_FILE));
    const ids = theirs.tokenise((await readFile(text, 'utf8')).slice(0, 8 * LENGTH * BLOCKS));
    let loss = 0;
    for (let block = 0; block < BLOCKS; block++) {
      const part = ids.slice(block * LENGTH, (block + 1) * LENGTH);
      loss += Math.log(perplexityOf(theirs.logits(part), part)) / BLOCKS;
    }
    theirs.close();
    const ours = report.rounded?.perplexity ?? report.result.perplexity;
    expect(Math.abs(Math.exp(loss) / ours - 1)).toBeLessThan(bound);
  });
});
