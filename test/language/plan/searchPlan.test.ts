import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EspalierError } from '../../../src/base/errors.ts';
import { DEFAULT_SEARCH_OPERATIONS } from '../../../src/search/metrics/plan.ts';
import type { NamedMetric, MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { printSparsity } from '../../../src/experiment/sparsity.ts';
import { compile } from '../../../src/language/check/compile.ts';
import { isRunnable, searchPlanFrom, searchPlanKey, searchPlansFor } from '../../../src/language/plan/searchPlan.ts';
import type { SearchPlanContext } from '../../../src/language/plan/searchPlan.ts';
import { printInfix } from '../../../src/metric/print.ts';
import { SAMPLE } from '../samples.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';
import { searchPlanSchema } from '../../../src/search/schema.ts';

const FOLDER = resolve('/work-folder/project');
const HEAD = 'model tiny = "m"\ncorpus test = "t"\ncorpus calib = "c"\nmetric wanda = W * sqrt(X)\n';
const INPUTS = 'model: tiny evaluate: test calibrate: calib';
const CONTEXT: SearchPlanContext = { folder: FOLDER };

describe('the plan of a search', () => {
  it('says all that it says, on top of the defaults', () => {
    const [plan] = searchPlansFor(compile(SAMPLE), 'evolved', CONTEXT) as [MetricSearchPlan];
    expect(searchPlanSchema.parse(plan)).toEqual(plan);
    expect({ ...plan, seeds: metrics(plan.seeds), baselines: metrics(plan.baselines) }).toEqual({
      kind: 'metrics',
      name: 'evolved',
      model: join(FOLDER, 'models/tiny'),
      text: join(FOLDER, 'data/test.txt'),
      calibration: resolve('/data/calib.txt'),
      test: join(FOLDER, 'unseen.txt'),
      sparsity: { kind: 'unstructured', share: 0.6 },
      operations: ['mul', 'abs', 'sqrt'],
      operands: ['W', 'X', 'G'],
      seeds: ['wanda = W * sqrt(X)', 'scaled(2) = 1 * W * X ^ 2'],
      baselines: ['wanda = W * sqrt(X)'],
      settings: {
        ...DEFAULT_SETTINGS,
        samples: 16,
        length: 256,
        calibrationLength: 256,
        offsets: 'even',
        seed: 3,
        device: 'cpu',
      },
      search: { ...DEFAULT_METRIC_SEARCH_SETTINGS, method: 'pruner-zero', population: 20, seed: 4, mutation: 0.3 },
    });
  });

  const table: [title: string, search: string, expected: Partial<Record<keyof MetricSearchPlan | 'at', unknown>>][] = [
    [
      'that says little',
      '',
      {
        at: '50%',
        operands: ['W', 'X', 'G'],
        operations: DEFAULT_SEARCH_OPERATIONS,
        seeds: [],
        search: DEFAULT_METRIC_SEARCH_SETTINGS,
        settings: DEFAULT_SETTINGS,
        baselines: ['magnitude = W', 'wanda = W * sqrt(X)', 'taylor = W * G', 'pruner-zero = abs(W * W) * mms(G)'],
      },
    ],
    [
      'without gradients',
      'operands: X, W',
      { operands: ['X', 'W'], baselines: ['magnitude = W', 'wanda = W * sqrt(X)'] },
    ],
    ['from a metric with an operand of its own', 'from: W * Xmax', { operands: ['W', 'X', 'Xmax', 'G'] }],
    ['of operations outside Pruner-Zero’s', 'operations: quotient, mul', { operations: ['quotient', 'mul'] }],
    [
      'with its own seed and that of its samples',
      'seed: 5 calibrate: calib (seed: 6)',
      {
        search: { ...DEFAULT_METRIC_SEARCH_SETTINGS, seed: 5 },
        settings: { ...DEFAULT_SETTINGS, seed: 6 },
      },
    ],
  ];
  it.each(table)('%s', (_, search, expected) => {
    const inputs = search.includes('calibrate') ? 'model: tiny evaluate: test' : INPUTS;
    const [plan] = searchPlansFor(compile(`${HEAD}search s { ${inputs} ${search} }`), undefined, CONTEXT) as [
      MetricSearchPlan,
    ];
    const { sparsity, seeds, baselines } = plan;
    const shown = { ...plan, at: printSparsity(sparsity), seeds: metrics(seeds), baselines: metrics(baselines) };
    expect(shown).toMatchObject(expected);
  });

  it('takes from outside only what does not decide its result', () => {
    const fallback = {
      model: 'other',
      settings: { samples: 7, threads: 3 },
      search: { population: 9, workers: 4 },
    };
    const document = compile(`${HEAD}search s { ${INPUTS} } search t { ${INPUTS} workers: 2 }`);
    const plans = searchPlansFor(document, undefined, { folder: FOLDER, fallback }) as MetricSearchPlan[];
    expect(
      plans.map(({ model, settings: { samples, threads }, search: { population, workers } }) => [
        model,
        samples,
        threads,
        population,
        workers,
      ]),
    ).toEqual([
      [join(FOLDER, 'm'), 128, 3, 50, 4],
      [join(FOLDER, 'm'), 128, 3, 50, 2],
    ]);
  });
});

describe('a search from a metric', () => {
  it.each([
    [
      'by the first search',
      `search s { ${INPUTS} at: 2:4 from: W operands: W, X population: 30 } metric mine = W - Xmax`,
      ['mine_evolved', '2:4', 'W,X,Xmax', 'mine = W - Xmax', 30],
    ],
    [
      'by the first search’s default operands',
      `search s { ${INPUTS} } metric mine = W - Xmax`,
      ['mine_evolved', '50%', 'W,X,Xmax,G', 'mine = W - Xmax', 50],
    ],
    [
      'by the experiment that lists it',
      `metric mine = W - X experiment e { ${INPUTS} prune: mine at: 70%, 2:4 }`,
      ['mine_evolved', '70%', 'W,X,G', 'mine = W - X', 12],
    ],
    [
      'by the defaults',
      `metric mine(p = 2) = W ^ p defaults { ${INPUTS} at: 3:4 }`,
      ['mine_evolved', '3:4', 'W,X,G', 'mine = W ^ 2', 12],
    ],
  ])('%s', (_, text, expected) => {
    const fallback = { search: { population: 12 } };
    const plan = searchPlanFrom(compile(HEAD + text), 'mine', { folder: FOLDER, fallback });
    expect(searchPlanSchema.parse(plan)).toEqual(plan);
    const { name, sparsity, operands, seeds, search, model, calibration } = plan;
    expect([name, printSparsity(sparsity), operands.join(), metrics(seeds).join(), search.population]).toEqual(
      expected,
    );
    expect([model, calibration]).toEqual([join(FOLDER, 'm'), join(FOLDER, 'c')]);
  });
});

describe('tasks of a search', () => {
  const asked = (of: string) => `${HEAD}metric mine = W - X\n${of}`;
  const TASKS = 'tasks: piqa (shots: 2, limit: 7, documents: "p.jsonl"), mine_task harness: 0.3';
  const OWN = 'task mine_task = "own.jsonl" (context: "{question}", choices: choices, gold: label)\n';
  it.each([
    ['its own', asked(`${OWN}search s { ${INPUTS} ${TASKS} }`)],
    ['those of the experiment that lists it', asked(`${OWN}experiment e { ${INPUTS} prune: mine at: 60% ${TASKS} }`)],
  ])('are taken over where one evolves from a metric: %s', (_, text) => {
    const plan = searchPlanFrom(compile(text), 'mine', CONTEXT);
    expect(searchPlanSchema.parse(plan)).toEqual(plan);
    expect(plan.tasks).toMatchObject({
      list: [
        { task: 'piqa', documents: join(FOLDER, 'p.jsonl'), shots: 2, limit: 7 },
        { task: 'mine_task', documents: join(FOLDER, 'own.jsonl'), template: { gold: 'label' } },
      ],
      ...{ harness: '0.3', beginning: 'none' },
    });
  });

  it.each(['pruner-zero', 'self-pruner', 'evopress', 'policy-gradient'])('can be what %s chooses by', (method) => {
    const mutate = method === 'self-pruner' ? 'mutate: classical provider: none' : '';
    const text = `${HEAD}search s { ${INPUTS} method: ${method} ${mutate} objective: tasks tasks: piqa }`;
    const document = compile(text);
    expect(document.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const [plan] = searchPlansFor(document, 's', { ...CONTEXT, prompts: PROMPTS });
    expect(plan).toMatchObject({ search: { objective: 'tasks' }, tasks: { list: [{ task: 'piqa' }] } });
  });
});

const PROMPTS = { initialise: '', mutate: '', cross: '', propose: '', again: '' };

describe('no plan', () => {
  it.each([
    ['', undefined, 'language/no-such-declaration', 'Declare one: `search evolved {'],
    [`search evolved { ${INPUTS} }`, 'evovled', 'language/no-such-declaration', 'Did you mean `evolved`'],
    ['search s { }', 's', 'language/errors', 'search `s` without errors'],
    [`search s { ${INPUTS} from: foo }`, undefined, 'language/errors', 'Mend what is underlined'],
    [`defaults { at: 200% } search s { ${INPUTS} }`, 's', 'language/errors', '`defaults` without errors'],
    [`metric m = foo search s { ${INPUTS} from: m }`, 's', 'language/errors', 'search `s` without errors'],
  ])('of %j for %j: %s', (text, name, code, remedy) => {
    expectError(() => searchPlansFor(compile(HEAD + text), name, CONTEXT), code, remedy);
  });

  it.each([
    ['', 'wnada', 'language/no-such-declaration', 'Did you mean `wanda`'],
    ['metric m = foo', 'm', 'language/errors', 'metric `m` without errors'],
    ['search s { }', 'wanda', 'language/errors', 'search `s` without errors'],
    ['', 'wanda', 'settings/invalid', 'defaults {'],
    ['metric m = W\ndefaults { model: tiny evaluate: test }', 'm', 'settings/invalid', 'calibrate:'],
  ])('of %j from %j: %s', (text, metric, code, remedy) => {
    expectError(() => searchPlanFrom(compile(HEAD + text), metric, CONTEXT), code, remedy);
  });
});

describe('the key of a search’s plan', () => {
  const keyOf = (text: string): string | undefined => {
    const document = compile(text);
    const search = document.declarations.find((declaration) => declaration.kind === 'search');
    return search && isRunnable(document, search) ? searchPlanKey(document, search) : undefined;
  };
  const base = `${HEAD}defaults { ${INPUTS} }\nsearch s { from: wanda }`;
  it.each([
    ['a comment', `// One.\n${base}`, true],
    ['another metric', `${base}\nmetric b = W`, true],
    ['the metric that it starts from', base.replace('sqrt(X)', 'X'), false],
    ['the defaults', base.replace('calibrate: calib', 'calibrate: calib (samples: 3)'), false],
    ['a setting', base.replace('from: wanda', 'from: wanda seed: 1'), false],
    ['the default of a setting', base.replace('from: wanda', 'from: wanda seed: 0'), true],
  ])('after %s', (_, text, same) => {
    expect(keyOf(text)).toMatch(/^[0-9a-f]{64}$/);
    expect(keyOf(text) === keyOf(base)).toBe(same);
  });

  it('is there only for searches that run', () => {
    expect(keyOf(base.replace('from', 'form'))).toBeUndefined();
    expect(keyOf(base.replace('calibrate: calib', ''))).toBeUndefined();
  });
});

function metrics(named: readonly NamedMetric[]): string[] {
  return named.map(({ metric, expression }) => `${metric} = ${printInfix(expression)}`);
}

function expectError(work: () => unknown, code: string, remedy: string): void {
  expect(work).toThrow(EspalierError);
  expect(work).toThrow(expect.objectContaining({ code }) as Error);
  expect(work).toThrow(remedy);
}
