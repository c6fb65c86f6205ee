import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EspalierError } from '../../../src/base/errors.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { printSparsity } from '../../../src/experiment/sparsity.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import { compile } from '../../../src/language/check/compile.ts';
import { Planner, plansFor } from '../../../src/language/plan/plan.ts';
import type { PlanFallback } from '../../../src/language/plan/plan.ts';
import { scoreText } from '../../../src/experiment/planned.ts';
import { SAMPLE } from '../samples.ts';

const FOLDER = resolve('/work-folder/project');
const HEAD = 'model tiny = "m"\ncorpus test = "t"\ncorpus calib = "c"\n';

describe('plans', () => {
  it('of an experiment say all that it says', () => {
    const [plan] = plansFor(compile(SAMPLE), 'halves', { folder: FOLDER });
    expect(plan).toEqual({
      model: join(FOLDER, 'models/tiny'),
      text: join(FOLDER, 'data/test.txt'),
      calibration: resolve('/data/calib.txt'),
      settings: {
        ...DEFAULT_SETTINGS,
        samples: 16,
        length: 256,
        calibrationLength: 256,
        offsets: 'even',
        seed: 3,
        device: 'cpu',
        blocks: 64,
        group: 'layer',
        calibrate: 'one-shot',
      },
      evaluations: plan!.evaluations,
    });
    expect(summary(plan!)).toEqual([
      ...three('wanda', 'W * sqrt(X)'),
      ...three('scaled(0.3)', '1 * W * X ^ 0.3'),
      ...three('scaled(alpha: 0.7)', '1 * W * X ^ 0.7'),
      ...three('abs(W)', 'abs(W)'),
    ]);
  });

  it('without a target are those of all experiments', () => {
    const plans = plansFor(compile(SAMPLE), undefined, { folder: FOLDER });
    expect(plans.map(({ text, evaluations, settings }) => [text, evaluations.length, settings.length])).toEqual([
      [join(FOLDER, 'data/test.txt'), 12, 256],
      [join(FOLDER, 'other.txt'), 0, 512],
      [join(FOLDER, 'data/test.txt'), 11, 256],
      [join(FOLDER, 'data/c4.json.gz'), 3, 0],
    ]);
  });

  const inputs = 'model: tiny evaluate: test calibrate: calib';
  const table: [title: string, text: string, target: string | undefined, expected: string[]][] = [
    [
      'a metric of a file without experiments as its first search says',
      `${HEAD}metric a = W - X search s { ${inputs} at: 60% }`,
      'a',
      ['a = W - X at 60%'],
    ],
    [
      'a metric as the first experiment that lists it does',
      `${HEAD}metric a = W - X\nmetric b = W
       experiment one { ${inputs} prune: b at: 50% } experiment two { ${inputs} prune: b, a at: 2:4, 10% }`,
      'a',
      ['a = W - X at 2:4', 'a = W - X at 10%'],
    ],
    [
      'a metric with arguments at each of them',
      `${HEAD}metric a(p = 1) = W - p * X\nexperiment one { ${inputs} prune: a(2), a(3), W at: 50% }`,
      'a',
      ['a(2) = W - 2 * X at 50%', 'a(3) = W - 3 * X at 50%'],
    ],
    [
      'a metric that no experiment lists in the place of the first one’s',
      `${HEAD}metric a = W - X\nexperiment one { ${inputs} prune: W at: 3:4 }`,
      'a',
      ['a = W - X at 3:4'],
    ],
    [
      'a metric of a file without experiments at half the weights',
      `${HEAD}defaults { ${inputs} }\nmetric a = W - X`,
      'a',
      ['a = W - X at 50%'],
    ],
    [
      'a metric at the sparsities of the defaults',
      `${HEAD}defaults { ${inputs} at: 60%, 70% }\nmetric a = W`,
      'a',
      ['a = W at 60%', 'a = W at 70%'],
    ],
    [
      'all metrics of a file without experiments in one plan',
      `${HEAD}defaults { ${inputs} }\nmetric a = W - X\nmetric b = a * 2`,
      undefined,
      ['a = W - X at 50%', 'b = (W - X) * 2 at 50%'],
    ],
  ];
  it.each(table)('%s', (_, text, target, expected) => {
    const plans = plansFor(compile(text), target, { folder: FOLDER });
    expect(plans).toHaveLength(1);
    expect(summary(plans[0]!)).toEqual(expected);
  });

  it('take from the file first, then from the fallback', () => {
    const fallback: PlanFallback = {
      model: 'fm',
      text: '/ft',
      calibration: 'fc',
      settings: { samples: 7, device: 'webgpu', threads: 3 },
    };
    const plan = (text: string): unknown[] => {
      const [{ model, text: on, calibration, settings }] = plansFor(compile(text), 'a', {
        folder: FOLDER,
        fallback,
      }) as [EvaluationPlan];
      return [model, on, calibration, settings.samples, settings.device, settings.threads];
    };
    const at = (path: string): string => join(FOLDER, path);
    expect(plan('metric a = W - X')).toEqual([at('fm'), resolve('/ft'), at('fc'), 7, 'webgpu', 3]);
    expect(plan('corpus t = "t"\nmodel m = "m"\nmodel n = "n"\nmetric a = W')).toEqual([
      at('m'),
      at('t'),
      at('fc'),
      7,
      'webgpu',
      3,
    ]);
    expect(plan(`${HEAD}metric a = W`)).toEqual([at('m'), resolve('/ft'), at('fc'), 7, 'webgpu', 3]);
    // An experiment is repeatable: what it does not say is the language's default, but for what decides no numbers.
    expect(plan(`${HEAD}metric a = W - X\nexperiment e { ${inputs} prune: a at: 50% device: cpu }`)).toEqual([
      at('m'),
      at('t'),
      at('c'),
      DEFAULT_SETTINGS.samples,
      'cpu',
      3,
    ]);
  });

  it.each([
    ['', undefined, 'language/no-such-declaration', 'Declare one'],
    ['metric wanda = W', 'wnada', 'language/no-such-declaration', 'Did you mean `wanda`'],
    ['model m = "m"', 'm', 'language/no-such-declaration', 'Check the name'],
    ['metric a = foo', 'a', 'language/errors', 'Mend what is underlined'],
    ['metric a = b\nmetric b = foo', 'a', 'language/errors', 'metric `a` without errors'],
    [`metric a = W\nexperiment e { prune: a, foo at: 50% }`, 'a', 'language/errors', 'experiment `e` without errors'],
    [`defaults { at: 200% }\nmetric a = W`, 'a', 'language/errors', '`defaults` without errors'],
    ['metric a = W', 'a', 'settings/invalid', 'defaults { model: "path/to/checkpoint" }'],
    ['model m = "m"\nmetric a = W', 'a', 'settings/invalid', 'evaluate: "path/to/text"'],
    ['model m = "m"\ncorpus t = "t"\nmetric a = W * X', 'a', 'settings/invalid', 'calibrate: "path/to/text"'],
  ])('%j of %j cannot be made: %s', (text, target, code, remedy) => {
    const make = (): unknown => plansFor(compile(text), target, { folder: FOLDER });
    expect(make).toThrow(EspalierError);
    expect(make).toThrow(remedy);
    expect(make).toThrow(expect.objectContaining({ code }) as Error);
  });
});

describe('plan keys', () => {
  const base = `${HEAD}parameter p = 2\nmetric b = W * X\nmetric a = b ^ p\nexperiment e { model: tiny evaluate: test calibrate: calib prune: a at: 50% }\n`;
  const same: [string, string, string][] = [
    ['a comment', 'parameter p', '// why\nparameter p'],
    ['blanks', 'b ^ p', '( b^p )'],
    ['another metric', 'metric b', 'metric other = X - 1\nmetric b'],
    ['a default that is written out', 'at: 50%', 'at: 0.5 samples: 128'],
    ['a renamed model', 'tiny', 'small'],
  ];
  it.each(same)('stay the same with %s', (title, from, to) => {
    const changed = key(base.replaceAll(from, to));
    if (title.startsWith('a default')) expect(plan(base.replaceAll(from, to))).toEqual(plan(base));
    else expect(changed).toBe(key(base));
  });

  it.each([
    ['its formula', 'b ^ p', 'b + p'],
    ['a metric that it uses', 'W * X', 'W + X'],
    ['a parameter', 'p = 2', 'p = 3'],
    ['the model’s path', '"m"', '"n"'],
    ['the sparsity', '50%', '51%'],
    ['a setting', 'at: 50%', 'at: 50% seed: 1'],
    ['the corpus', 'evaluate: test', 'evaluate: calib'],
  ])('change with %s', (_, from, to) => {
    expect(key(base.replaceAll(from, to))).not.toBe(key(base));
  });

  function key(text: string): string {
    const document = compile(text);
    expect(document.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    return new Planner(document).planKey(document.declarations.find(({ name }) => name === 'a')!);
  }

  function plan(text: string): unknown {
    return plansFor(compile(text), 'a', { folder: FOLDER });
  }
});

function summary({ evaluations }: EvaluationPlan): string[] {
  return evaluations.map(
    (evaluation) => `${evaluation.metric} = ${scoreText(evaluation)} at ${printSparsity(evaluation.sparsity)}`,
  );
}

function three(metric: string, formula: string): string[] {
  return ['50%', '2:4', '25%'].map((sparsity) => `${metric} = ${formula} at ${sparsity}`);
}
