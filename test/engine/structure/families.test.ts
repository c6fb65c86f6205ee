import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { packBits } from '../../../src/experiment/components.ts';
import type { StructureEvaluation } from '../../../src/experiment/planSchema.ts';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type DeviceName, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { OWL, UNIFORM } from '../../../src/experiment/structure.ts';
import type { RateAllocation, StructureScore } from '../../../src/experiment/structureSchema.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { readOracleConfig } from '../../support/oracle/config.ts';
import { LANGUAGE_METRICS, METRICS } from '../../support/oracle/metrics.ts';
import { loadOracle, oracleModel, type OracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { evenSamples } from '../../support/oracle/prune.ts';
import {
  calibrate,
  keptAtRates,
  type OracleCalibration,
  type OracleParts,
  outlierRates,
  partScores,
  removedShare,
  withParts,
} from '../../support/oracle/structure.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

// Engine and float64 oracle read the same files and share nothing else: what goes, and what the model then computes.

const [SAMPLES, BLOCKS, LENGTH] = [2, 2, 24];

/** Grouped queries, biases, a window and wider heads, norms of heads, OPT's two orders of norms, fused and turned matrices, ALiBi. */
const FAMILY_NAMES: readonly FamilyName[] = [
  ...(['llama biases', 'mistral', 'qwen3', 'opt', 'opt-350m', 'gpt-neox'] as const),
  ...(['phi-4', 'gpt-2', 'bloom, added to the norms', 'falcon 7b', 'falcon 40b', 'falcon rw'] as const),
  // Norms behind what is removed, norms that see all heads, factors, norms of single heads, blocks that do not turn.
  ...(['gemma', 'gemma2', 'gemma3', 'olmo2', 'granite', 'stablelm', 'stablelm 12b'] as const),
  ...(['smollm3, windows', 'cohere', 'cohere2'] as const),
];

interface Way {
  readonly name: string;
  readonly score: StructureScore;
  /** How the oracle scores. */
  readonly expression: string;
  readonly rates: RateAllocation;
  readonly share: number;
  readonly compensated?: boolean;
}

const method = (name: 'wanda-sp' | 'magnitude' | 'flap'): StructureScore => ({ kind: 'method', method: name });
const metric = (expression: string): StructureScore => ({ kind: 'metric', expression: fromPrefix(expression) });
const FLUCTUATION = 'mul(sqr(W), Xvar)';
/** One block loses all of its attention and MLP, one next to nothing. */
const UNEVEN: RateAllocation = { kind: 'given', rates: [0.15, 1, 0.6] };

const WAYS: readonly Way[] = [
  { name: 'wanda-sp, 30 %', score: method('wanda-sp'), expression: METRICS.wanda, rates: UNIFORM, share: 0.3 },
  { name: 'wanda-sp, uneven', score: method('wanda-sp'), expression: METRICS.wanda, rates: UNEVEN, share: 0.58 },
  { name: 'magnitude, owl', score: method('magnitude'), expression: METRICS.magnitude, rates: OWL, share: 0.5 },
  {
    name: 'a metric',
    score: metric(LANGUAGE_METRICS.operands),
    expression: LANGUAGE_METRICS.operands,
    rates: UNIFORM,
    share: 0.5,
  },
  { name: 'flap', score: method('flap'), expression: FLUCTUATION, rates: UNIFORM, share: 0.4, compensated: true },
  {
    name: 'flap, uneven',
    score: method('flap'),
    expression: FLUCTUATION,
    rates: UNEVEN,
    share: 0.58,
    compensated: true,
  },
];

describe.each(FAMILY_NAMES)('%s: the engine agrees with the oracle on', (name) => {
  let family: TemporaryFamily;
  let engine: Engine;
  let results: readonly PerplexityResult[];
  let oracle: Oracle;
  beforeAll(async () => {
    family = await temporaryFamily(name);
    engine = createEngine();
    oracle = new Oracle(family);
    results = await engine.evaluate({ ...planOf(family), evaluations: WAYS.map(planned) });
  });
  afterAll(async () => {
    await engine.dispose();
    await family.remove();
  });

  test.each(WAYS)('$name', (way) => {
    const result = results[WAYS.indexOf(way)]!;
    const expected = oracle.answer(way);
    const { blocks, parameters } = result.structure!;
    expect(blocks.map(({ groupBits, channelBits }) => [groupBits, channelBits])).toEqual(
      expected.kept.map(({ groups, channels }) => [packBits(groups), packBits(channels)]),
    );
    expect(relative(result.perplexity, expected.perplexity)).toBeLessThan(1e-4);
    expect(result.actualSparsity).toBeCloseTo(expected.removed, 9);
    expect(result.calibrate).toBe('one-shot');
    expect(result.rates).toEqual(way.rates.kind === 'uniform' ? undefined : blocks.map(({ removed }) => removed));
    expect(parameters.pruned).toBeLessThan(parameters.dense);
    // The comparison means something only where pruning did something.
    expect(relative(expected.perplexity, result.densePerplexity)).toBeGreaterThan(1e-3);
  });

  function planOf({ folder, textFile, calibrationFile }: TemporaryFamily) {
    const settings: EvaluationSettings = { ...DEFAULT_SETTINGS, ...COMMON, length: LENGTH };
    return { model: folder, text: textFile, calibration: calibrationFile, settings };
  }
});

/** Another device can be put to the same test: ESPALIER_TEST_DEVICE=webgpu. */
const COMMON: Partial<EvaluationSettings> = {
  device: (process.env['ESPALIER_TEST_DEVICE'] ?? 'cpu') as DeviceName,
  ...{ threads: 1, samples: SAMPLES, blocks: BLOCKS, offsets: 'even' as const },
};

function planned({ name, score, rates, share }: Way): StructureEvaluation {
  return { metric: name, structure: { kind: 'scored', score, rates }, sparsity: { kind: 'unstructured', share } };
}

/** The oracle's answers for one checkpoint. */
class Oracle {
  private readonly folder: string;
  private readonly model: OracleModel;
  private readonly tokens: readonly number[];
  private readonly calibration: OracleCalibration;

  constructor({ folder, text, calibration }: TemporaryFamily) {
    this.folder = folder;
    this.model = loadOracle(folder);
    this.tokens = tokenize(folder, text);
    this.calibration = calibrate(this.model, evenSamples(tokenize(folder, calibration), SAMPLES, LENGTH));
  }

  answer({ expression, rates, share, compensated }: Way): { kept: OracleParts[]; perplexity: number; removed: number } {
    const { model, calibration } = this;
    const config = readOracleConfig(this.folder);
    const rate =
      rates.kind === 'given'
        ? rates.rates
        : rates.kind === 'owl'
          ? outlierRates(model, calibration, share)
          : Array.from({ length: model.depth }, () => share);
    const kept = keptAtRates(model, partScores(model, config, fromPrefix(expression), calibration), rate);
    const rebuild = (tensors: OracleModel['tensors']): OracleModel => oracleModel(config, tensors);
    const left = withParts(model, rebuild, kept, compensated ? calibration : undefined);
    return { kept, perplexity: perplexity(left, this.tokens, LENGTH, BLOCKS), removed: removedShare(model, kept) };
  }
}

function relative(value: number, expected: number): number {
  return Math.abs(value / expected - 1);
}
