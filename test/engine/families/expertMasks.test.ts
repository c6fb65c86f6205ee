import { describe, expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { parseSparsity } from '../../../src/experiment/sparsity.ts';
import { temporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { readOracleConfig } from '../../support/oracle/config.ts';
import { loadOracle, oracleModel } from '../../support/oracle/model.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { evenSamples, pruned } from '../../support/oracle/prune.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

// Which weights of every expert go, against loops: all statistics, rows, whole matrices and N:M.

const [SAMPLES, LENGTH] = [3, 40];

describe.each(['mixtral', 'qwen2-moe', 'qwen3-moe', 'olmoe'] as const)('%s: the weights that go', (name) => {
  test.each([
    ['mul(W, sqrt(X))', '50%', 'row'],
    ['mul(W, sqrt(X))', '2:4', 'row'],
    ['mul(W, add(Xabs, Xmax))', '40%', 'layer'],
    ['mul(W, add(Xvar, sqr(Xmean)))', '50%', 'row'],
  ] as const)('by %s, %s, compared by %s', async (text, asked, group) => {
    const family = await temporaryFamily(name);
    const engine = createEngine();
    const [expression, sparsity] = [fromPrefix(text), parseSparsity(asked)!];
    const kept = new Map<string, string>();
    const { folder, textFile, calibrationFile } = family;
    const settings = {
      ...DEFAULT_SETTINGS,
      ...({ device: 'cpu', threads: 1, samples: SAMPLES, length: LENGTH, blocks: 1, offsets: 'even' } as const),
      ...({ calibrate: 'one-shot', group } as const),
    };
    await engine.evaluate(
      {
        model: folder,
        text: textFile,
        calibration: calibrationFile,
        evaluations: [{ metric: text, expression, sparsity }],
        settings,
      },
      { onPruned: ({ tensor, weight }) => kept.set(tensor, bitsOf(weight)) },
    );
    const samples = evenSamples(tokenize(folder, family.calibration), SAMPLES, LENGTH);
    const config = readOracleConfig(folder);
    const how = { expression, sparsity, group, calibrate: 'one-shot', samples } as const;
    const expected = pruned(loadOracle(folder), (tensors) => oracleModel(config, tensors), how);
    const experts = [...kept.keys()].filter((tensor) => tensor.includes('experts.'));
    expect(experts.length).toBeGreaterThan(3 * 4);
    for (const tensor of kept.keys())
      expect(kept.get(tensor), tensor).toBe(bitsOf(expected.tensors.get(tensor)!.values));
    await engine.dispose();
    await family.remove();
  });
});

function bitsOf(weights: Float32Array | Float64Array): string {
  return Array.from(weights, (value) => (value === 0 ? '0' : '1')).join('');
}
