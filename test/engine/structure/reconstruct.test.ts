import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { type Checkpoint, openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { modelComponents } from '../../../src/engine/models/components.ts';
import { packBits, unpackBits } from '../../../src/experiment/components.ts';
import type { TextPlan } from '../../../src/experiment/planSchema.ts';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type DeviceName, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { OWL, UNIFORM } from '../../../src/experiment/structure.ts';
import type { RateAllocation, Structure } from '../../../src/experiment/structureSchema.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { readOracleConfig } from '../../support/oracle/config.ts';
import { loadOracle, oracleModel, type OracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { evenSamples } from '../../support/oracle/prune.ts';
import { reconstructed } from '../../support/oracle/reconstruct.ts';
import { type OracleParts, withParts } from '../../support/oracle/structure.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

// Least squares after whole components went, against loops in float64 that read the same files and share nothing else: all families, all that
// chooses what goes.

const [SAMPLES, BLOCKS, LENGTH] = [3, 2, 24];

/** Another device can be put to the same test: ESPALIER_TEST_DEVICE=webgpu. */
const SETTINGS: EvaluationSettings = {
  ...DEFAULT_SETTINGS,
  device: (process.env['ESPALIER_TEST_DEVICE'] ?? 'cpu') as DeviceName,
  ...{ threads: 1, samples: SAMPLES, blocks: BLOCKS, length: LENGTH, offsets: 'even' as const },
};

const FAMILY_NAMES: readonly FamilyName[] = [
  ...(['llama biases', 'mistral', 'qwen3', 'opt', 'opt-350m', 'gpt-neox'] as const),
  ...(['phi-4', 'gpt-2', 'bloom, added to the norms', 'falcon 7b', 'falcon 40b', 'falcon rw'] as const),
  ...(['gemma', 'gemma2', 'gemma3', 'olmo2', 'granite', 'stablelm', 'stablelm 12b'] as const),
  ...(['smollm3, windows', 'cohere', 'cohere2'] as const),
];

interface Way {
  readonly name: string;
  readonly structure: Structure | ((checkpoint: Checkpoint) => Structure);
  readonly share: number;
  readonly damping?: number;
  /** Whether it is tried on every family: what chooses what goes does not matter to what is made of it. */
  readonly everywhere?: boolean;
}

const scored = (name: 'wanda-sp' | 'magnitude' | 'flap' | 'taylor', rates: RateAllocation = UNIFORM): Structure => ({
  kind: 'scored',
  score: { kind: 'method', method: name },
  rates,
});
const metric = { kind: 'metric', expression: fromPrefix('mul(W, Xmax)') } as const;

const WAYS: readonly Way[] = [
  { name: 'wanda-sp, 30 %', structure: scored('wanda-sp'), share: 0.3, everywhere: true },
  { name: 'a mask', structure: randomMask, share: 0.4, damping: 0.03, everywhere: true },
  // One block loses all of its attention and MLP, one next to nothing.
  { name: 'uneven', structure: scored('magnitude', { kind: 'given', rates: [0.15, 1, 0.6] }), share: 0.58 },
  { name: 'owl', structure: scored('wanda-sp', OWL), share: 0.5, damping: 0.1 },
  { name: 'flap, global', structure: scored('flap', { kind: 'global' }), share: 0.4 },
  { name: 'a metric', structure: { kind: 'scored', score: metric, rates: UNIFORM }, share: 0.5 },
  { name: 'taylor', structure: scored('taylor'), share: 0.4, damping: 1 },
];

let engine: Engine;
beforeAll(() => (engine = createEngine({ startFresh: () => createEngine() })));
afterAll(() => engine.dispose());

describe.each(FAMILY_NAMES)('%s: the engine agrees with the oracle on', (name) => {
  const ways = name === FAMILY_NAMES[0] ? WAYS : WAYS.filter(({ everywhere }) => everywhere);
  let family: TemporaryFamily;
  let results: readonly PerplexityResult[];
  beforeAll(async () => {
    family = await temporaryFamily(name);
    results = await engine.evaluate(await planOf(family, ways));
  });
  afterAll(() => family.remove());

  test.each(ways)('$name', ({ name: way, damping = 0.01 }) => {
    const result = results.find(({ metric }) => metric === way)!;
    const model = loadOracle(family.folder);
    const rebuild = (tensors: OracleModel['tensors']): OracleModel =>
      oracleModel(readOracleConfig(family.folder), tensors);
    const kept = keptOf(result);
    const samples = evenSamples(tokenize(family.folder, family.calibration), SAMPLES, LENGTH);
    const of = (left: OracleModel): number => perplexity(left, tokenize(family.folder, family.text), LENGTH, BLOCKS);
    const expected = of(reconstructed(model, rebuild, kept, samples, damping));
    expect(Math.abs(result.perplexity / expected - 1)).toBeLessThan(1e-4);
    // The comparison means something only where refitting does something.
    expect(Math.abs(of(withParts(model, rebuild, kept)) / expected - 1)).toBeGreaterThan(4e-4);
    const partly = kept.flatMap(({ groups, channels }) => [groups, channels]).filter((bits) => new Set(bits).size > 1);
    expect(result.update).toEqual({ update: { method: 'reconstruct', damping }, layers: partly.length });
  });
});

/** Any components of any block, at a damping of any size. */
function randomMask({ config }: Checkpoint): Structure {
  const rng = new Rng(config.hidden + config.intermediate);
  const some = (count: number, share: number): string =>
    packBits(Array.from({ length: count }, () => Number(rng.uniform() >= share)));
  const mask = modelComponents(config).map(({ groups, channels }) => ({
    groups: some(groups, 0.4),
    channels: some(channels, rng.uniform()),
  }));
  return { kind: 'mask', mask };
}

function keptOf({ structure }: PerplexityResult): OracleParts[] {
  return structure!.blocks.map(({ groupBits, groups, channelBits, channels }) => ({
    groups: [...unpackBits(groupBits, groups.of)],
    channels: [...unpackBits(channelBits, channels.of)],
  }));
}

async function planOf(family: TemporaryFamily, ways: readonly Way[]): Promise<TextPlan> {
  const { folder: model, textFile: text, calibrationFile: calibration } = family;
  const checkpoint = await openCheckpoint(model);
  checkpoint.close();
  const evaluations = ways.map(({ name, structure, share, damping = 0.01 }) => ({
    metric: name,
    structure: typeof structure === 'function' ? structure(checkpoint) : structure,
    sparsity: { kind: 'unstructured', share } as const,
    update: { method: 'reconstruct', damping } as const,
  }));
  return { model, text, calibration, evaluations, settings: SETTINGS };
}
