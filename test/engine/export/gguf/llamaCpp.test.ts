import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareLogits } from '../../../../src/engine/export/verify.ts';
import { LoadedModels } from '../../../../src/engine/forward/loadedModels.ts';
import { DEFAULT_SETTINGS } from '../../../../src/experiment/settings.ts';
import type { TextPlan } from '../../../../src/experiment/planSchema.ts';
import { exportTests } from '../../../support/exports.ts';
import { FAMILIES } from '../../../support/generate/families.ts';
import { GGUF_FAMILIES, PRUNED_SHAPES, type PrunedShape } from '../../../support/llamaCpp/ggufCases.ts';
import { LlamaModel, llamaCppMissing } from '../../../support/llamaCpp/llamaModel.ts';

const at = exportTests('pruned');

const cases = GGUF_FAMILIES.flatMap((family) =>
  (Object.keys(PRUNED_SHAPES) as PrunedShape[]).map((shape) => [family, shape] as const),
);

describe.skipIf(llamaCppMissing !== '')(`llama.cpp${llamaCppMissing}`, () => {
  it.each(cases)('%s, %s', async (name, shape) => {
    const family = await at.family(name);
    const plan: TextPlan = {
      model: family.folder,
      text: family.textFile,
      calibration: family.calibrationFile,
      evaluations: [PRUNED_SHAPES[shape]],
      settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 2, blocks: 1, length: 24, offsets: 'even' },
    };
    const report = await at.engine.exportModel(plan, { folder: at.folder, format: 'gguf', type: 'f32' });
    const model = await LlamaModel.open(path.join(at.folder, 'model.gguf'));
    const ids = await model.tokenise(family.text);
    const block = ids.slice(0, 24);
    const logits = model.logits(block);
    model.close();
    const width = logits.length / 24;
    let loss = 0;
    for (let i = 0; i < 23; i++) {
      const row = logits.subarray(i * width, (i + 1) * width);
      const m = Math.max(...row);
      loss += Math.log(row.reduce((s, v) => s + Math.exp(v - m), 0)) + m - row[block[i + 1]!]!;
    }
    const theirs = Math.exp(loss / 23);
    console.log(name, shape, report.verification.difference, theirs / report.result.perplexity - 1);
    expect(Math.abs(theirs / report.result.perplexity - 1)).toBeLessThan(1e-3);
  });
});
