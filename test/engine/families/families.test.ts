import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type DeviceName, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { parseSparsity } from '../../../src/experiment/sparsity.ts';
import { FAMILIES, type FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { readOracleConfig } from '../../support/oracle/config.ts';
import { LANGUAGE_METRICS, METRICS } from '../../support/oracle/metrics.ts';
import { loadOracle, oracleModel, type OracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { evenSamples, pruned, zeroShare } from '../../support/oracle/prune.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

// Engine and float64 oracle read the same files from disk and share nothing else.

const [SAMPLES, BLOCKS] = [3, 4];

/** Families that differ in what is pruned or how inputs flow get every way of pruning, those that differ in the rotation only two. */
const IN_FULL: readonly FamilyName[] = [
  ...(['llama-3.1', 'mistral', 'qwen2 window', 'qwen3', 'opt', 'opt-350m', 'gpt-neox'] as const),
  ...(['phi-4', 'gpt-2', 'bloom', 'falcon 40b'] as const),
  ...(['gemma2', 'olmo2', 'stablelm 12b'] as const),
  ...(['mixtral', 'qwen2-moe'] as const),
];

const names = Object.keys(FAMILIES) as FamilyName[];

describe.each(names)('%s: the engine agrees with the oracle on', (name) => {
  let family: TemporaryFamily;
  let engine: Engine;
  let oracle: Oracle;
  const results = new Map<string, readonly PerplexityResult[]>();
  beforeAll(async () => {
    family = await temporaryFamily(name);
    oracle = new Oracle(family, FAMILIES[name].length);
    engine = createEngine();
  });
  afterAll(async () => {
    await engine.dispose();
    await family.remove();
  });

  test('the dense perplexity', async () => {
    const [dense] = await evaluate({}, []);
    expect(relative(dense!.perplexity, oracle.dense)).toBeLessThan(1e-4);
    expect(dense).toMatchObject({ metric: 'dense', densePerplexity: dense!.perplexity, actualSparsity: 0 });
  });

  const ways = IN_FULL.includes(name) ? WAYS : WAYS.slice(0, 2);
  test.each(ways)('$metric, $sparsity, $calibrate by $group', async ({ metric, sparsity, calibrate, group }) => {
    // All ways that share their settings go into one plan, as an experiment does.
    const key = `${calibrate} ${group}`;
    const alike = ways.filter((way) => `${way.calibrate} ${way.group}` === key);
    if (!results.has(key)) results.set(key, await evaluate({ calibrate, group }, alike.map(planned)));
    const result = results.get(key)![alike.findIndex((way) => way.metric === metric && way.sparsity === sparsity)]!;

    const expected = oracle.pruned(metric, sparsity, calibrate, group);
    expect(relative(result.perplexity, expected.perplexity)).toBeLessThan(1e-4);
    expect(result.actualSparsity).toBeCloseTo(expected.zeroShare, 9);
    expect(relative(result.densePerplexity, oracle.dense)).toBeLessThan(1e-4);
    // The comparison means something only where pruning did several times what it allows.
    expect(relative(expected.perplexity, oracle.dense)).toBeGreaterThan(4e-4);
  });

  function evaluate(settings: Partial<EvaluationSettings>, evaluations: readonly PlannedEvaluation[]) {
    return engine.evaluate({
      model: family.folder,
      text: family.textFile,
      calibration: family.calibrationFile,
      evaluations,
      settings: { ...DEFAULT_SETTINGS, ...COMMON, length: FAMILIES[name].length, ...settings },
    });
  }
});

/** Another device can be put to the same test: ESPALIER_TEST_DEVICE=webgpu. */
const device = (process.env['ESPALIER_TEST_DEVICE'] ?? 'cpu') as DeviceName;
const COMMON: Partial<EvaluationSettings> = {
  device,
  threads: 1,
  samples: SAMPLES,
  blocks: BLOCKS,
  offsets: 'even',
};

interface Way {
  readonly metric: keyof typeof ALL_METRICS;
  readonly sparsity: string;
  readonly calibrate: 'sequential' | 'one-shot';
  readonly group: 'row' | 'layer';
}

const ALL_METRICS = { ...METRICS, ...LANGUAGE_METRICS };

const WAYS: readonly Way[] = [
  { metric: 'wanda', sparsity: '50%', calibrate: 'sequential', group: 'row' },
  { metric: 'magnitude', sparsity: '30%', calibrate: 'sequential', group: 'row' },
  { metric: 'wanda', sparsity: '2:4', calibrate: 'sequential', group: 'row' },
  { metric: 'wanda', sparsity: '4:8', calibrate: 'sequential', group: 'row' },
  { metric: 'scaled', sparsity: '50%', calibrate: 'sequential', group: 'row' },
  { metric: 'mixed', sparsity: '40%', calibrate: 'sequential', group: 'row' },
  { metric: 'elementwise', sparsity: '50%', calibrate: 'sequential', group: 'row' },
  { metric: 'operands', sparsity: '50%', calibrate: 'sequential', group: 'row' },
  { metric: 'magnitude', sparsity: '50%', calibrate: 'sequential', group: 'layer' },
  { metric: 'wanda', sparsity: '33.3%', calibrate: 'sequential', group: 'layer' },
  { metric: 'wanda', sparsity: '50%', calibrate: 'one-shot', group: 'row' },
  { metric: 'operands', sparsity: '2:4', calibrate: 'one-shot', group: 'row' },
];

function planned({ metric, sparsity }: Way): PlannedEvaluation {
  return { metric, expression: fromPrefix(ALL_METRICS[metric]), sparsity: parseSparsity(sparsity)! };
}

/** The oracle's answers for one checkpoint. */
class Oracle {
  readonly dense: number;
  private readonly family: TemporaryFamily;
  private readonly length: number;
  private readonly model: OracleModel;
  private readonly tokens: readonly number[];

  constructor(family: TemporaryFamily, length: number) {
    this.family = family;
    this.length = length;
    this.model = loadOracle(family.folder);
    this.tokens = tokenize(family.folder, family.text);
    this.dense = perplexity(this.model, this.tokens, length, BLOCKS);
  }

  pruned(metric: Way['metric'], sparsity: string, calibrate: Way['calibrate'], group: Way['group']) {
    const config = readOracleConfig(this.family.folder);
    const model = pruned(this.model, (tensors) => oracleModel(config, tensors), {
      expression: fromPrefix(ALL_METRICS[metric]),
      sparsity: parseSparsity(sparsity)!,
      group,
      calibrate,
      samples: evenSamples(tokenize(this.family.folder, this.family.calibration), SAMPLES, this.length),
    });
    return { perplexity: perplexity(model, this.tokens, this.length, BLOCKS), zeroShare: zeroShare(model) };
  }
}

function relative(value: number, expected: number): number {
  return Math.abs(value / expected - 1);
}
