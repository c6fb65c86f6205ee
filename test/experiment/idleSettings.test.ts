import { describe, expect, it } from 'vitest';
import { idleSettings } from '../../src/experiment/idleSettings.ts';
import { idleInSearch } from '../../src/search/idleInSearch.ts';
import type { PlannedEvaluation } from '../../src/experiment/planSchema.ts';
import type { WeightSparsity } from '../../src/experiment/sparsitySchema.ts';
import { compile } from '../../src/language/check/compile.ts';
import { searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { fromPrefix } from '../support/oracle/prefix.ts';

const half = { kind: 'unstructured', share: 0.5 } as const;
const weights = (expression: string, sparsity: WeightSparsity = half): PlannedEvaluation => ({
  ...{ metric: expression, expression: fromPrefix(expression), sparsity },
});
const components = (method: 'wanda-sp' | 'magnitude'): PlannedEvaluation => ({
  ...{ metric: method, sparsity: half },
  structure: { kind: 'scored', score: { kind: 'method', method }, rates: { kind: 'uniform' } },
});
const PROMPTS = { initialise: '', mutate: '', cross: '', propose: '', again: '' };
const GRADIENTS = ['gradientSamples', 'gradientLength', 'gradientOffsets'];
const CALIBRATION = ['samples', 'offsets', 'seed', 'calibrate', ...GRADIENTS];

describe('settings that change nothing are told', () => {
  it.each<[string, readonly PlannedEvaluation[], object, readonly string[]]>([
    ['the dense model', [], {}, [...CALIBRATION, 'group']],
    ['magnitude', [weights('W')], {}, CALIBRATION],
    [
      'magnitude, with a length of its blocks',
      [weights('W')],
      { length: 16 },
      [...CALIBRATION, 'calibrationLength', 'lengthLimit'],
    ],
    ['Wanda', [weights('mul(W, sqrt(X))')], {}, GRADIENTS],
    ['Wanda at even offsets', [weights('mul(W, X)')], { offsets: 'even' }, ['seed', ...GRADIENTS]],
    ['Wanda at even offsets, G at others', [weights('mul(G, X)')], { offsets: 'even', gradientOffsets: 'python' }, []],
    ['G at even offsets, too', [weights('mul(G, X)')], { offsets: 'even', gradientOffsets: 'even' }, ['seed']],
    ['Wanda 2:4', [weights('mul(W, X)', { kind: 'n:m', keep: 2, of: 4 })], {}, [...GRADIENTS, 'group']],
    ['Wanda with a group of its own', [{ ...weights('mul(W, G)'), group: 'layer' }], {}, ['calibrate', 'group']],
    ['gradients alone', [weights('mul(W, G)')], {}, ['calibrate']],
    ['components', [components('wanda-sp')], {}, [...GRADIENTS, 'calibrate', 'group']],
    ['components by their weights', [components('magnitude')], {}, [...CALIBRATION, 'group']],
    ['components beside Wanda', [components('wanda-sp'), weights('mul(W, X)')], {}, GRADIENTS],
    ['a length of 0', [weights('mul(W, G)')], { length: 0 }, ['calibrate']],
  ])('%s', (_, evaluations, settings, expected) => {
    const rounding = evaluations.some((each) => 'structure' in each) ? [] : ['roundFor'];
    expect([...idleSettings(evaluations, settings).keys()]).toEqual([...expected, ...rounding]);
  });

  it.each<[string, readonly string[]]>([
    ['prune: W at: 50% samples: 3', ['samples']],
    ['prune: W at: 50% calibrationLength: 8', ['calibrationLength']],
    ['calibrate: "c" prune: structure(wanda-sp) at: 30% calibration: one-shot', ['calibration']],
    ['calibrate: "c" prune: W * X at: 2:4 group: layer', ['group']],
    ['calibrate: "c" prune: W * X at: 50% roundFor: vllm', ['roundFor']],
    ['calibrate: "c" prune: structure(flap) at: 50% roundFor: vllm', []],
    ['calibrate: "c" prune: structure(shortgpt) at: 50% roundFor: vllm', ['roundFor']],
    ['calibrate: "c" prune: W * X at: 50% group: layer calibration: one-shot samples: 3 seed: 1', []],
    ['calibrate: "c" prune: W * X (group: layer) at: 50% group: row', ['group']],
    ['calibrate: "c" prune: W * X at: 50% gradientSamples: 3', ['gradientSamples']],
    ['calibrate: "c" gradients: "g" (samples: 3) prune: W * G at: 50%', []],
    ['calibrate: "c" gradients: "g" (offsets: even) prune: W * G at: 50% offsets: even seed: 3', ['seed']],
    ['calibrate: "c" gradients: "g" (samples: 3) prune: W * X at: 50%', ['e']],
    ['calibrate: "c" prune: W * X at: 50% lengthLimit: 3', ['lengthLimit']],
  ])('in a file: %s', (properties, expected) => {
    const { diagnostics } = compile(`experiment e { model: "m" evaluate: "t" length: 16 ${properties} }`);
    const told = diagnostics.filter(({ code }) => code === 'experiment/no-effect').map(({ message }) => message);
    expect(told.map((message) => /^`(\w+)`/.exec(message)?.[1])).toEqual(expected);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});

describe('settings that change nothing about a search are told', () => {
  it.each<[search: string, readonly string[]]>([
    ['at: 50% operands: W', [...CALIBRATION, 'calibrationLength']],
    ['at: 50% offsets: even', ['seed']],
    ['at: 2:4', ['group']],
    ['at: 50% operands: W baselines: W * X', GRADIENTS],
    ['method: self-pruner at: 30%', [...GRADIENTS, 'calibrate', 'group']],
    ['method: self-pruner target: weights(W * X) at: 30%', GRADIENTS],
    ['method: self-pruner target: weights(W) at: 30%', [...GRADIENTS, 'calibrate']],
    ['method: policy-gradient at: 30%', [...GRADIENTS, 'calibrate', 'group']],
  ])('%s', (properties, expected) => {
    const text = `search s { model: "m" evaluate: "t" calibrate: "c" length: 16 ${properties} }`;
    const [plan] = searchPlansFor(compile(text), 's', { folder: '/', prompts: PROMPTS });
    // A length is said.
    const rounding = properties.includes('self-pruner') ? [] : ['roundFor'];
    expect([...idleInSearch(plan!).keys()].sort()).toEqual([...expected, ...rounding, 'lengthLimit'].sort());
  });
});
