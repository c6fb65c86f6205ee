import { expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { createEngine } from '../../../src/engine/engine.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { OPERAND_NAMES } from '../../../src/metric/operands.ts';
import { OPERATIONS } from '../../../src/metric/operations.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { readOracleConfig } from '../../support/oracle/config.ts';
import { loadOracle, oracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { evenSamples, pruned } from '../../support/oracle/prune.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

const [LENGTH, SAMPLES, BLOCKS] = [40, 3, 3];

/** These leave float32's range or run into its resolution, where float64 still tells scores apart. */
const SATURATING = ['exp', 'tanh', 'power'];
const operations = Object.entries(OPERATIONS).filter(([name]) => !SATURATING.includes(name));
const operands = OPERAND_NAMES.filter((name) => name !== 'G');

/** A random metric in prefix form, at most `depth` operations deep. */
function randomMetric(rng: Rng, depth: number): string {
  if (depth === 0 || rng.uniform() < 0.15) {
    return rng.uniform() < 0.1 ? '0.7' : operands[rng.integer(operands.length)]!;
  }
  const [name, { arity }] = operations[rng.integer(operations.length)]!;
  return `${name}(${Array.from({ length: arity }, () => randomMetric(rng, depth - 1)).join(', ')})`;
}

/** Each family has metrics of its own. */
const NAMES: readonly (readonly [FamilyName, number])[] = [
  ['mistral', 50],
  ['gemma2', 8],
  ['olmo2', 8],
  ['cohere', 8],
];

test.each(NAMES)(
  '%s: engine and oracle agree on %i random metrics, on those that cannot rank too',
  async (name, count) => {
    const family = await temporaryFamily(name);
    const oracle = loadOracle(family.folder);
    const config = readOracleConfig(family.folder);
    const tokens = tokenize(family.folder, family.text);
    const samples = evenSamples(tokenize(family.folder, family.calibration), SAMPLES, LENGTH);
    const sparsity = { kind: 'unstructured', share: 0.5 } as const;
    const rng = new Rng(7 + NAMES.findIndex(([other]) => other === name));
    const metrics = [...new Set(Array.from({ length: count }, () => randomMetric(rng, 3)))];

    const expected = metrics.map((metric) => {
      try {
        const how = {
          expression: fromPrefix(metric),
          sparsity,
          group: 'row',
          calibrate: 'sequential',
          samples,
        } as const;
        const model = pruned(oracle, (tensors) => oracleModel(config, tensors), how);
        return perplexity(model, tokens, LENGTH, BLOCKS);
      } catch (error) {
        if (error instanceof RangeError) return 'metric/invalid-score';
        throw error;
      }
    });

    const engine = createEngine();
    const found: (number | string)[] = [];
    await engine.evaluate(
      {
        model: family.folder,
        text: family.textFile,
        calibration: family.calibrationFile,
        evaluations: metrics.map((metric) => ({ metric, expression: fromPrefix(metric), sparsity })),
        settings: {
          ...{ ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, offsets: 'even' },
          ...{ length: LENGTH, samples: SAMPLES, blocks: BLOCKS },
        },
      },
      {
        onResult: (result, index) => (found[index] = result.perplexity!),
        onFailure: (failure, index) => (found[index] = failure.code),
      },
    );
    await engine.dispose();
    await family.remove();

    const differing = metrics.flatMap((metric, i) => {
      const [ours, theirs] = [found[i]!, expected[i]!];
      const agree =
        typeof ours === 'number' && typeof theirs === 'number' ? Math.abs(ours / theirs - 1) < 1e-4 : ours === theirs;
      return agree ? [] : [{ metric, ours, theirs }];
    });
    expect(differing).toEqual([]);
    expect(expected.filter((value) => typeof value === 'number').length).toBeGreaterThan(metrics.length / 2);
  },
);
