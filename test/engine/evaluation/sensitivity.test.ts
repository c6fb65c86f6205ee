import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { type PlannedEvaluation, planSchema, type TextPlan } from '../../../src/experiment/planSchema.ts';
import { sensitivityPlan } from '../../../src/experiment/sensitivity.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';

// One part at a time is what rates say that leave the others alone, whichever way that is calibrated.

const half = { kind: 'unstructured', share: 0.5 } as const;
const METRICS: readonly PlannedEvaluation[] = [
  { metric: 'wanda', expression: fromPrefix('mul(W, sqrt(X))'), sparsity: half },
  {
    ...{ metric: 'wanda-sp', sparsity: half },
    structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'uniform' } },
  },
];

let family: TemporaryFamily;
let engine: Engine;
let plan: TextPlan;
beforeAll(async () => {
  family = await temporaryFamily('llama-3.1');
  engine = createEngine();
  const file = (name: string): string => path.join(family.folder, name);
  plan = {
    ...{ model: family.folder, text: file('text.txt'), calibration: file('calibration.txt'), evaluations: METRICS },
    settings: { ...DEFAULT_SETTINGS, ...{ samples: 3, blocks: 3, length: 24, device: 'cpu', threads: 1 } },
  };
});
afterAll(async () => {
  await engine.dispose();
  await family.remove();
});

describe.each(['sequential', 'one-shot'] as const)('%s', (calibrate) => {
  it('a block alone is to the last digit what rates make of it', async () => {
    const model = await engine.describe(plan.model);
    const alone = await engine.evaluate(sensitivityPlan(plan, 'blocks', model));
    expect(alone).toHaveLength(2 * model.blocks);
    const last = Array.from({ length: model.blocks }, (_, i) => (i === model.blocks - 1 ? 0.5 : 0));
    const given = { kind: 'given', rates: last } as const;
    const [weights, components] = METRICS as [PlannedEvaluation, { structure: object }];
    const evaluations = [
      { ...weights, rates: given },
      { ...components, structure: { ...components.structure, rates: given } },
    ];
    const asked = planSchema.parse({ ...plan, evaluations, settings: { ...plan.settings, calibrate } });
    const expected = await engine.evaluate(asked);
    const ofLast = [alone[model.blocks - 1]!, alone.at(-1)!];
    expect(ofLast.map(({ perplexity }) => perplexity)).toEqual(expected.map(({ perplexity }) => perplexity));
    expect(ofLast.map(({ rates }) => rates)).toEqual(expected.map(({ rates }) => rates));
  });
});

describe('layers', () => {
  it('of a type alone lose half of what they have, and no others', async () => {
    const model = await engine.describe(plan.model);
    expect(model.layers).toEqual(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']);
    const ofWeights = { ...plan, evaluations: METRICS.slice(0, 1) };
    const results = await engine.evaluate(sensitivityPlan(ofWeights, 'layers', model));
    expect(results.map(({ expression }) => expression)).toEqual(
      model.layers.map((type) => `W * sqrt(X), of ${type} alone`),
    );
    expect(new Set(results.map(({ fingerprint }) => fingerprint)).size).toBe(model.layers.length);
    // All types together are the whole.
    const shares = results.reduce((sum, { actualSparsity }) => sum + actualSparsity, 0);
    expect(shares).toBeCloseTo(0.5, 2);
  });
});
