import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorData } from '../../../src/base/errors.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

// What must not become a number: metrics that cannot rank, and settings that the model has no room for.

let engine: Engine;
beforeAll(() => {
  engine = createEngine();
});
afterAll(() => engine.dispose());

describe('a metric that cannot rank is reported, and the others go on', () => {
  let family: TemporaryFamily;
  beforeAll(async () => {
    family = await temporaryFamily('llama-3.2 tied');
  });
  afterAll(() => family.remove());

  test.each<[string, string]>([
    ['is constant', 'sub(W, W)'],
    ['is constant, whatever the layer', '2'],
    ['divides zero by zero', 'mms(sub(X, X))'],
    ['divides by zero', 'quotient(W, sub(X, X))'],
    // exp(100) is beyond float32.
    ['overflows', 'exp(mul(1000, add(W, X)))'],
    ['takes a root of a negative number', 'power(neg(W), 0.5)'],
  ])('%s: %s', async (_, expression) => {
    const failures: (readonly [ErrorData, number])[] = [];
    const plan = planFor(family, {}, [expression, 'mul(W, sqrt(X))']);
    const results = await engine.evaluate(plan, { onFailure: (failure, index) => failures.push([failure, index]) });
    expect(results.map(({ metric }) => metric)).toEqual(['mul(W, sqrt(X))']);
    expect(failures).toMatchObject([[{ code: 'metric/invalid-score' }, 0]]);
    expect(failures[0]![0].operation).toContain('model.layers.0.');
  });

  test('alone it fails the plan', async () => {
    await expect(engine.evaluate(planFor(family, {}, ['sub(W, W)']))).rejects.toMatchObject({
      code: 'metric/invalid-score',
    });
  });
});

test.each<[string, FamilyName, Partial<EvaluationSettings>, string]>([
  ['blocks longer than OPT has positions for', 'opt', { length: 65 }, 'settings/invalid'],
  ['more tokens in a block than the text has', 'llama-1', { length: 4096 }, 'corpus/too-short'],
])('%s are refused', async (_, name, settings, code) => {
  const family = await temporaryFamily(name);
  try {
    await expect(engine.evaluate(planFor(family, settings, []))).rejects.toMatchObject({ code });
  } finally {
    await family.remove();
  }
});

function planFor(
  { folder, textFile, calibrationFile }: TemporaryFamily,
  settings: Partial<EvaluationSettings>,
  expressions: readonly string[],
): EvaluationPlan {
  return {
    model: folder,
    text: textFile,
    calibration: calibrationFile,
    evaluations: expressions.map((text) => ({
      metric: text,
      expression: fromPrefix(text),
      sparsity: { kind: 'unstructured', share: 0.5 },
    })),
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, length: 32, samples: 2, blocks: 2, ...settings },
  };
}
