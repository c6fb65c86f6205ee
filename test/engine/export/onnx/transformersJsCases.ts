import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, expect } from 'vitest';
import { writeOnnxFolder } from '../../../../src/engine/export/onnx/writeOnnxFolder.ts';
import { compareLogits } from '../../../../src/engine/export/verify.ts';
import { LoadedModels } from '../../../../src/engine/forward/loadedModels.ts';
import { logitsOf } from '../../../../src/engine/forward/logits.ts';
import { Device } from '../../../../src/engine/runtime/device.ts';
import type { PlannedEvaluation } from '../../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../../src/experiment/settings.ts';
import { exportTests } from '../../../support/exports.ts';
import type { FamilyName } from '../../../support/generate/families.ts';
import { TransformersJsModel } from '../../../support/transformersJs/transformersJsModel.ts';

const SETTINGS = {
  ...DEFAULT_SETTINGS,
  ...({ device: 'cpu', threads: 1, samples: 2, blocks: 1, length: 24, offsets: 'even' } as const),
};
/** Of different lengths, so that a batch of them is padded. */
const PROMPTS = [3, 11, 6].map((length, i) => Int32Array.from({ length }, (_, at) => ((at + 1) * (37 + i)) % 300));
const ANSWER = 12;

/**
 * Sets up tests that export a family, pruned or as it is, and compare what transformers.js computes of the folder with what we compute of the same model as a
 * checkpoint: logits, and the likeliest tokens that follow, alone and in a padded batch.
 */
export function transformersJsTests(): (name: FamilyName, evaluation?: PlannedEvaluation) => Promise<void> {
  const at = exportTests('pruned');
  const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
  afterAll(() => device.dispose());

  return async (name, evaluation) => {
    const family = await at.family(name);
    const plan = { text: family.textFile, calibration: family.calibrationFile, settings: SETTINGS };
    let model = family.folder;
    if (evaluation) {
      model = at.folder;
      const planned = { ...plan, model: family.folder, evaluations: [evaluation] };
      const { readers } = await at.engine.exportModel(planned, { folder: model, format: 'huggingface' });
      for (const { format, verdict } of readers) if (format === 'onnx') expect(verdict).toBe('loads');
    }
    const folder = `${at.folder}-onnx`;
    await mkdir(folder, { recursive: true });
    await writeOnnxFolder(model, folder, SETTINGS.length);
    const reader = await TransformersJsModel.open(path.resolve(folder));
    const models = new LoadedModels({});
    const open = await at.engine.openServed({ ...plan, model, evaluations: [] });
    try {
      const loaded = await models.load(model, device, undefined);
      const ids = PROMPTS[1]!;
      const ours = await logitsOf(loaded, device, ids, ids.length, () => Promise.resolve());
      const { difference, largest } = compareLogits(ours, await reader.logits(ids));
      expect(difference).toBeLessThan(1e-4 * Math.max(1, largest));

      const prompts = PROMPTS.map((prompt) => [...prompt]);
      const { answers } = await at.engine.generate({ served: open.served, prompts, most: ANSWER });
      const expected = answers.map((answer) => answer.ids);
      // Ours ends with the token that ends texts.
      const asFar = (made: number[][]): number[][] => made.map((written, i) => written.slice(0, expected[i]!.length));
      const alone = [];
      for (const prompt of PROMPTS) alone.push(...(await reader.generate([prompt], ANSWER)));
      expect(asFar(alone)).toEqual(expected);
      expect(asFar(await reader.generate(PROMPTS, ANSWER))).toEqual(expected);
    } finally {
      models.dispose();
      await at.engine.closeServed({ served: open.served });
      await reader.close();
    }
  };
}
