import { describe, expect, it } from 'vitest';
import { idleSettings } from '../../src/experiment/idleSettings.ts';
import { idleInSearch } from '../../src/search/idleInSearch.ts';
import type { PlannedEvaluation } from '../../src/experiment/planSchema.ts';
import { compile } from '../../src/language/check/compile.ts';
import { searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { fromPrefix } from '../support/oracle/prefix.ts';

const half = { kind: 'unstructured', share: 0.5 } as const;
const weights = (expression: string, sparsity: PlannedEvaluation['sparsity'] = half): PlannedEvaluation => ({
  ...{ metric: expression, expression: fromPrefix(expression), sparsity },
});
const components = (method: 'wanda-sp' | 'magnitude'): PlannedEvaluation => ({
  ...{ metric: method, sparsity: half },
  structure: { kind: 'scored', score: { kind: 'method', method }, rates: { kind: 'uniform' } },
});
const PROMPTS = { initialise: '', mutate: '', cross: '', again: '' };
const CALIBRATION = ['samples', 'offsets', 'seed', 'calibrate'];

describe('settings that change nothing are told', () => {
  it.each<[string, readonly PlannedEvaluation[], object, readonly string[]]>([
    ['the dense model', [], {}, [...CALIBRATION, 'group']],
    ['magnitude', [weights('W')], {}, CALIBRATION],
    ['magnitude, with a length of its blocks', [weights('W')], { length: 16 }, [...CALIBRATION, 'calibrationLength']],
    ['Wanda', [weights('mul(W, sqrt(X))')], {}, []],
    ['Wanda at even offsets', [weights('mul(W, X)')], { offsets: 'even' }, ['seed']],
    ['Wanda 2:4', [weights('mul(W, X)', { kind: 'n:m', keep: 2, of: 4 })], {}, ['group']],
    ['gradients alone', [weights('mul(W, G)')], {}, ['calibrate']],
    ['components', [components('wanda-sp')], {}, ['calibrate', 'group']],
    ['components by their weights', [components('magnitude')], {}, [...CALIBRATION, 'group']],
    ['components beside Wanda', [components('wanda-sp'), weights('mul(W, X)')], {}, []],
  ])('%s', (_, evaluations, settings, expected) => {
    expect([...idleSettings(evaluations, settings).keys()]).toEqual(expected);
  });

  it.each<[string, readonly string[]]>([
    ['prune: W at: 50% samples: 3', ['samples']],
    ['prune: W at: 50% calibrationLength: 8', ['calibrationLength']],
    ['calibrate: "c" prune: structure(wanda-sp) at: 30% calibration: one-shot', ['calibration']],
    ['calibrate: "c" prune: W * X at: 2:4 group: layer', ['group']],
    ['calibrate: "c" prune: W * X at: 50% group: layer calibration: one-shot samples: 3 seed: 1', []],
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
    ['at: 50% operands: W baselines: W * X', []],
    ['method: self-pruner at: 30%', ['calibrate', 'group']],
    ['method: self-pruner target: weights(W * X) at: 30%', []],
    ['method: self-pruner target: weights(W) at: 30%', ['calibrate']],
    ['method: policy-gradient at: 30%', ['calibrate', 'group']],
  ])('%s', (properties, expected) => {
    const text = `search s { model: "m" evaluate: "t" calibrate: "c" length: 16 ${properties} }`;
    const [plan] = searchPlansFor(compile(text), 's', { folder: '/', prompts: PROMPTS });
    expect([...idleInSearch(plan!).keys()].sort()).toEqual([...expected].sort());
  });
});
