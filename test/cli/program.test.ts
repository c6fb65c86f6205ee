import { withText } from '../../src/experiment/planInputs.ts';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import { scoreText } from '../../src/experiment/planned.ts';
import { printSparsity } from '../../src/experiment/sparsity.ts';
import { EspalierError, throwIfCancelled } from '../../src/base/errors.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import { VERSION } from '../../src/base/version.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { kebabCase } from '../../src/cli/flags/flagNames.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { EvaluationPlan, TextPlan } from '../../src/experiment/planSchema.ts';
import type { PerplexityResult } from '../../src/experiment/resultSchema.ts';
import type { SettingRow } from '../../src/experiment/settingRow.ts';
import { samplePreflight, sampleClass, sampleSummary } from '../protocol/samples.ts';
import { MASK_SEARCH_SETTINGS } from '../../src/search/masks/settings.ts';
import { METRIC_SEARCH_SETTINGS } from '../../src/search/metrics/settings.ts';
import { SELF_PRUNER_SETTINGS } from '../../src/search/rates/selfPruner/settings.ts';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly plans: readonly TextPlan[];
}

/** Runs a command line on an engine that returns made-up numbers, and throws where `failing` names the metric. */
async function run(
  words: readonly string[],
  {
    failing = {},
    signal = new AbortController().signal,
  }: { failing?: Record<string, ErrorCode>; signal?: AbortSignal } = {},
): Promise<Outcome> {
  const written = { out: '', err: '' };
  const plans: TextPlan[] = [];
  let disposed = 0;
  const engine: Engine = {
    evaluate(asked, hooks) {
      const plan = withText(asked, 'evaluating');
      plans.push(plan);
      return Promise.resolve().then(() => {
        throwIfCancelled(hooks?.signal, 'evaluating');
        const results: PerplexityResult[] = [];
        const evaluations = plan.evaluations.length > 0 ? plan.evaluations : [undefined];
        for (const [index, evaluation] of evaluations.entries()) {
          const code = failing[evaluation?.metric ?? 'dense'];
          if (code === 'metric/invalid-score') {
            hooks?.onFailure?.(failure(code).data, index);
          } else if (code !== undefined) {
            throw failure(code);
          } else {
            results.push(madeUpResult(plan, evaluation));
            hooks?.onResult?.(results.at(-1)!, index);
          }
        }
        if (results.length === 0) throw failure('metric/invalid-score');
        return results;
      });
    },
    tokens: () => Promise.resolve(Int32Array.of(3, 1, 2)),
    describe: (model) => Promise.resolve(sampleSummary(model)),
    workClass: () => Promise.resolve(sampleClass()),
    preflight: ({ text }: EvaluationPlan) => Promise.resolve(samplePreflight(text ? {} : { blocks: 0 })),
    inspect: notAskedFor,
    open: notAskedFor,
    probe: notAskedFor,
    measure: notAskedFor,
    train: notAskedFor,
    validate: notAskedFor,
    recovered: notAskedFor,
    saveRecovery: notAskedFor,
    exportModel: notAskedFor,
    exportRecovered: notAskedFor,
    readers: () => Promise.resolve({ verdicts: [], exact: true }),
    measureSpeed: notAskedFor,
    costs: notAskedFor,
    verify: notAskedFor,
    openSpeed: notAskedFor,
    componentScores: notAskedFor,
    speedRound: notAskedFor,
    openServed: notAskedFor,
    generate: notAskedFor,
    score: notAskedFor,
    closeServed: notAskedFor,
    tokenizerOf: () => {
      throw new Error('not asked for');
    },
    dispose: () => {
      disposed++;
      return Promise.resolve();
    },
  };
  let created = 0;
  const code = await runCommandLine(words, {
    terminal: createTerminal(
      { write: (text) => (written.out += text) },
      { write: (text) => (written.err += text) },
      {},
    ),
    folder: '/here',
    signal,
    createEngine: () => {
      created++;
      return Promise.resolve(engine);
    },
    keys: {},
    shippedPrompts: fileURLToPath(new URL('../../media/prompts', import.meta.url)),
    forkWorker: () => {
      throw new Error('not asked for');
    },
    listDevices: () =>
      Promise.resolve([
        { name: 'cpu', works: true, detail: '2 cores', gigaflops: 285.4, float16: false },
        { name: 'webgpu', works: false, detail: 'no adapter', float16: false },
      ]),
  });
  expect(disposed, 'every engine is disposed').toBe(created);
  return { code, ...written, plans };
}

const notAskedFor = () => Promise.reject(new Error('not asked for'));

function failure(code: ErrorCode): EspalierError {
  return new EspalierError({
    code,
    operation: 'scoring',
    expected: 'finite scores',
    actual: 'NaN',
    remedy: 'Guard it.',
  });
}

function madeUpResult(plan: TextPlan, evaluation: TextPlan['evaluations'][number] | undefined): PerplexityResult {
  return {
    metric: evaluation?.metric ?? 'dense',
    expression: evaluation?.metric ?? 'dense',
    ...(evaluation === undefined ? {} : { sparsity: evaluation.sparsity }),
    calibrate: plan.settings.calibrate,
    perplexity: evaluation === undefined ? 143.3 : 145.7,
    densePerplexity: 143.3,
    actualSparsity: evaluation === undefined ? 0 : 0.5,
    seconds: 2.1,
    fingerprint: 'f'.repeat(64),
    provenance: {
      model: plan.model,
      modelHash: 'a',
      architecture: 'LlamaForCausalLM',
      parameters: 6_451_456,
      text: plan.text,
      textHash: 'b',
      textTokens: 1000,
      blocks: 64,
      length: plan.settings.length || 2048,
      device: 'cpu',
      deviceName: 'two cores',
      precision: 'float32',
      versions: {},
    },
  };
}

describe('--dry-run', () => {
  const words = ['evaluate', '--model', 'm', '--text', 't', '--dry-run'];

  it('says what it would take, and evaluates nothing', async () => {
    const { code, out, plans } = await run(words);
    expect({ code, plans }).toEqual({ code: 0, plans: [] });
    expect(out).toMatchInlineSnapshot(`
      "metrics    none: the dense model
      time       about 6.7 s on cpu, 2 threads, at 250 GFLOP/s
      work       2 models over 4 blocks of 256 tokens, 1000 GFLOP in 40 steps
      gradients  to compute
      weights    26 MB of memory
      free       8 GB of memory, 100 GB of disk
      "
    `);
  });

  it('of tasks alone says no blocks', async () => {
    const { out } = await run(['evaluate', '--model', 'm', '--tasks', 'piqa=p', '--dry-run']);
    expect(out).toContain('\nwork       2 models, 1000 GFLOP in 40 steps\n');
  });

  it('as JSON', async () => {
    const [line] = jsonLines(await run([...words, '--json']));
    expect(line).toEqual({ model: expect.stringMatching(/m$/) as string, metrics: [], ...samplePreflight() });
  });
});

const jsonLines = ({ out }: Outcome) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const INPUTS = ['--model', 'm', '--text', 't'];
const OWL = ['evaluate', ...INPUTS, '--structure', 'flap', '--allocation', 'owl'];
const RATES = [...INPUTS, '--calibration', 'c', '--method', 'self-pruner'];
const MASKS = [...INPUTS, '--calibration', 'c', '--method', 'policy-gradient'];

describe('usage', () => {
  it.each<[string, string[], string]>([
    ['no command', [], 'Usage: espalier'],
    ['a misspelled command', ['evalute'], '(Did you mean evaluate?)'],
    ['a misspelled flag', ['evaluate', '--sparcity', '50%'], '(Did you mean --sparsity?)'],
    ['a flag without its value', ['evaluate', '--model'], 'argument missing'],
    ['too many files', ['evaluate', 'a.prune', 'b.prune'], 'too many arguments'],
    [
      'a choice that is none',
      ['evaluate', '--offsets', 'evn'],
      'Allowed choices are even, random, python, documents, documents-once.',
    ],
    ['no device', ['evaluate', '--device', 'tpu'], 'auto, cpu, webgpu, cuda, dml, coreml'],
    ['a count that is no number', ['evaluate', '--samples', 'many'], 'whole number from 1 to 65536'],
    ['a count below its range', ['evaluate', '--length', '1'], 'whole number from 2'],
    ['a count above its range', ['evaluate', '--threads', '99999'], 'whole number from 0 to 1024'],
    ['a count with a fraction', ['evaluate', '--seed', '1.5'], 'whole number'],
    ['a negative count', ['evaluate', '--blocks=-1'], 'whole number'],
    ['sparsity out of range', ['evaluate', '--sparsity', '100%'], '100% of a group cannot be removed'],
    ['N:M the wrong way round', ['evaluate', '--sparsity', '50%,4:2'], 'Did you mean 2:4?'],
    ['an empty sparsity', ['evaluate', '--sparsity', '50%,'], 'got "50%,": expected'],
    ['no model', ['evaluate', '--text', 't'], 'no --model'],
    ['no text', ['evaluate', '--model', 'm'], 'no --text'],
    [
      'a file and an expression',
      ['evaluate', 'a.prune', '--expression', 'W'],
      'expected a file or --expression, got both',
    ],
    ['--metric without a file', ['evaluate', '--metric', 'wanda'], 'Name the file'],
    ['sparsity of nothing', ['evaluate', ...INPUTS, '--sparsity', '50%'], 'Add --expression'],
    ['N:M of whole components', ['evaluate', ...INPUTS, '--structure', 'taylor', '--sparsity', '2:4'], 'got 2:4'],
    [
      'N:M with rates',
      ['evaluate', ...INPUTS, '--expression', 'W', '--allocation', 'owl', '--sparsity', '2:4'],
      'got 2:4',
    ],
    ['a score that does not parse', ['evaluate', ...INPUTS, '--structure', 'W +'], 'metric/'],
    ['a score that nothing has', ['evaluate', ...INPUTS, '--structure', 'wanda-ps'], 'Did you mean wanda-sp?'],
    ['rates and a sparsity', ['evaluate', '--rates', '0.2', '--sparsity', '30%'], 'leave --sparsity out'],
    ['rates and an allocation', ['evaluate', '--rates', '0.2', '--allocation', 'owl'], 'leave --allocation out'],
    ['OWL’s settings without OWL', ['evaluate', ...INPUTS, '--owl-spread', '0.1'], '--owl-spread without it'],
    ['a spread that is no number', [...OWL, '--owl-spread', 'x'], "'--owl-spread <number>' argument 'x' is invalid"],
    ['a spread out of range', [...OWL, '--owl-spread', '3'], 'It takes a number from 0 to 0.5.'],
    ['a spread that says more', [...OWL, '--owl-spread', '0.1, multiple: 3'], 'It takes a number from 0 to 0.5.'],
    ['an allocation of nothing', ['evaluate', ...INPUTS, '--allocation', 'owl'], '--allocation or --rates alone'],
    ['an allocation that is none', ['evaluate', '--allocation', 'own'], 'Allowed choices are uniform, owl, global.'],
    ['a rate that is none', ['evaluate', '--rates', '0.2,1.2'], 'a rate is a number from 0 to 1, not 1.2'],
    ['a rate that is no number', ['evaluate', '--rates', '0.2,x'], 'got "0.2,x" [cli/usage]'],
    ['threads that are no number', ['evaluate', '--threads', 'x'], 'got "x" [cli/usage]'],
    ['a sparsity that is no number', ['evaluate', '--sparsity', 'half'], 'got "half" [cli/usage]'],
    ['rates that leave nothing', ['evaluate', '--rates', '1,100%'], 'leave nothing'],
    [
      'global rates of weights',
      ['evaluate', ...INPUTS, '--expression', 'W', '--allocation', 'global'],
      'compares components',
    ],
    [
      'the same, by its flag',
      ['evaluate', ...INPUTS, '--expression', 'W', '--allocation', 'global'],
      'expected --allocation fit for `W`',
    ],
    [
      'N:M of whole heads',
      ['evaluate', ...INPUTS, '--calibration', 'c', '--structure', 'flap', '--sparsity', '2:4'],
      'expected --sparsity with a share of the weights for `flap`, got 2:4',
    ],
    [
      'rates of whole blocks, by their flag',
      ['evaluate', ...INPUTS, '--structure', 'shortgpt', '--rates', '0.1,0.2'],
      'expected --rates fit for `shortgpt`',
    ],
    [
      'rates of whole blocks',
      ['evaluate', ...INPUTS, '--structure', 'shortgpt', '--rates', '0.1,0.2'],
      'drops whole blocks',
    ],
    ['an expression that does not parse', ['evaluate', ...INPUTS, '--expression', 'W *'], 'metric/'],
    ['a search without a model', ['evolve', '--text', 't'], 'or name a .prune file with a search'],
    ['a search without a text', ['evolve', '--model', 'm'], 'no --text'],
    [
      'a search by tasks without any',
      ['search', '--method', 'evopress', '--model', 'm', '--text', 't', '--calibration', 'c', '--objective', 'tasks'],
      'no --tasks',
    ],
    ['a search without calibration', ['evolve', ...INPUTS], 'no --calibration'],
    [
      'a baseline without calibration',
      ['evolve', ...INPUTS, '--operands', 'W', '--baseline', 'wanda'],
      'no --calibration',
    ],
    [
      'a test text that is seen',
      ['evolve', ...INPUTS, '--operands', 'W', '--test', 't'],
      'the search has seen this text',
    ],
    ['a leaf that is none', ['evolve', '--operands', 'W,Xmx'], 'Did you mean Xmax?'],
    ['a node that is none', ['evolve', '--operations', 'mul,sin'], '`sin` is not an operation'],
    ['no baseline', ['evolve', ...INPUTS, '--operands', 'W', '--baseline', 'W +'], 'metric/'],
    ['several sparsities', ['evolve', '--sparsity', '50%,60%'], '--sparsity takes one value'],
    ['a share above one', ['evolve', '--crossover', '1.5'], 'a number from 0 to 1'],
    ['a share that is no number', ['evolve', '--mutation', 'half'], 'a number from 0 to 1'],
    ['a method that is none', ['evolve', '--method', 'annealing'], 'Allowed choices are pruner-zero, random.'],
    ['--search without a file', ['evolve', '--search', 'x', ...INPUTS], 'Name the file'],
    ['--recover without --resume', ['evolve', '--recover', ...INPUTS], 'Say which run'],
    ['no such run', ['evolve', '--resume', '2026'], '[runs/not-found]'],
    ['more than --resume', ['evolve', '--resume', '2026', '--population', '9'], 'got --population'],
    ['workers that are no number', ['evolve', '--resume', '2026', '--workers', 'all'], 'whole number from 1'],
    ['the same of a search', ['search', '--resume', '2026', '--workers', '0'], 'whole number from 1'],
    ['devices that are none', ['search', '--resume', '2026', '--devices', 'gpu:0'], '[settings/invalid]'],
    ['devices of two kinds', ['search', ...INPUTS, '--devices', 'cuda:0,webgpu:0'], 'got cuda:0 and webgpu:0'],
    ['devices and a device', ['evolve', ...INPUTS, '--devices', 'cuda:0', '--device', 'cpu'], 'Leave --device out'],
    ['devices and workers', ['evolve', ...INPUTS, '--devices', 'cuda:0', '--workers', '2'], 'Leave --workers out'],
    ['a file with --resume', ['evolve', 'a.prune', '--resume', '2026'], 'the file a.prune'],
    [
      'a flag of another method',
      ['search', '--method', 'self-pruner', '--steps', '3'],
      'belongs to --method policy-gradient',
    ],
    ['a flag of a method that is not said', ['search', '--mutations', '3'], 'this search is by `pruner-zero`'],
    [
      'a target of masks',
      ['search', '--method', 'policy-gradient', '--target', 'x'],
      'belongs to --method self-pruner',
    ],
    [
      'operands of rates',
      ['search', '--method', 'self-pruner', '--operands', 'W'],
      '--method pruner-zero and --method random',
    ],
    ['a range of another method', ['search', '--method', 'self-pruner', '--population', '1'], 'from 2 to 10000'],
    ['a choice of another method', ['search', '--method', 'policy-gradient', '--decay', 'x'], 'cosine, none'],
    ['no such method', ['search', '--method', 'self-prunner'], 'self-pruner, evopress, policy-gradient'],
    ['rates without a model', ['search', '--method', 'self-pruner', '--text', 't'], 'no --model'],
    ['rates without calibration', ['search', '--method', 'self-pruner', ...INPUTS], 'no --calibration'],
    ['masks without calibration', ['search', '--method', 'policy-gradient', ...INPUTS], 'no --calibration'],
    ['a role that is none', ['search', ...RATES, '--mutate', 'x'], '--mutate is one of `llm`, `classical`, `off`'],
    ['N:M of rates', ['search', ...RATES, '--sparsity', '2:4'], 'got "2:4"'],
    ['a seen test text', ['search', ...RATES, '--test', 't'], 'the fitness is taken on it'],
    ['a language model without a provider', ['search', ...RATES, '--llm', 'x'], 'Add --provider openai'],
    ['a provider without its model', ['search', ...RATES, '--provider', 'openai'], 'no --llm'],
    ['a replay of nothing', ['search', ...RATES, '--provider', 'replay'], 'Say it: --replay'],
    ['the editor’s model', ['search', ...RATES, '--provider', 'vscode'], 'Run this search in the editor'],
    [
      'a key in an endpoint',
      ['search', ...RATES, '--provider', 'openai', '--llm', 'x', '--endpoint', 'http://a:b@c/v1'],
      'with a user or a password in it',
    ],
    [
      'rates to compare with by a word for a number',
      ['search', ...RATES, '--baseline', 'owl(spread: x)'],
      'got "owl(spread: x)" [cli/usage]',
    ],
    ['rates to compare with that are none', ['search', ...RATES, '--baseline', 'global'], 'got "global"'],
    [
      'weights by a method',
      ['search', ...RATES, '--target', 'weights(flap)'],
      'here stands a metric, which ranks single weights',
    ],
    ['a target that nothing has', ['search', ...RATES, '--target', 'wanda-ps'], 'Did you mean wanda-sp?'],
    ['a score that does not parse', ['search', ...MASKS, '--score', 'W +'], 'metric/'],
    ['--recover by itself', ['search', '--recover', ...INPUTS], 'Say which run'],
    ['settings with --resume', ['search', '--resume', '2026', '--steps', '9'], 'got --steps'],
    ['nothing to show', ['runs', 'show', 'x'], 'Start a search'],
    ['nothing to delete', ['runs', 'delete', 'x'], '[runs/not-found]'],
    ['runs that are no command', ['runs', 'shwo', 'x'], 'too many arguments'],
    ['tokens without a model', ['tokens', '--text', 't'], "required option '--model <folder>'"],
  ])('%s: exit 2, said on standard error', async (_, words, message) => {
    const outcome = await run(words);
    expect(outcome.err).toContain(message);
    expect(outcome).toMatchObject({ code: 2, out: '', plans: [] });
  });

  it.each<[string[], string]>([
    [['evaluate', '--sparcity', '50%', '--json'], 'Did you mean --sparsity?'],
    [['evaluate', ...INPUTS, '--device', 'tpu', '--json'], 'Allowed choices'],
    [['nothing', '--json'], 'nothing'],
  ])('with --json, %j is one object on standard output', async (words, message) => {
    const outcome = await run(words);
    expect(jsonLines(outcome)).toMatchObject([
      { error: { code: 'cli/usage', actual: expect.stringContaining(message) as string } },
    ]);
    expect(outcome).toMatchObject({ code: 2, err: '' });
  });

  it.each(
    [
      ['--help'],
      ['evaluate', '--help'],
      ['evolve', '--help'],
      ['search', '--help'],
      ['runs', '--help'],
      ['tokens', '--help'],
      ['devices', '--help'],
    ].map((words) => [words]),
  )('%j: exit 0, on standard output, with what a person needs', async (words) => {
    const outcome = await run(words);
    expect(outcome).toMatchObject({ code: 0, err: '' });
    expect(outcome.out).toContain(words.length === 1 ? 'Exit codes:' : 'Examples:');
  });

  it('every setting has its flag and default in the help', async () => {
    const { SETTINGS } = await import('../../src/experiment/settings.ts');
    const { out } = await run(['evaluate', '--help']);
    const flat = out.replace(/\s+/g, ' ');
    for (const [name, row] of Object.entries(SETTINGS)) {
      expect(flat).toContain(`--${kebabCase(name)} `);
      expect(flat).toContain(`(default: ${row.default})`);
    }
  });

  it('every setting of every method has its flag in the help of search', async () => {
    const { out } = await run(['search', '--help']);
    const flat = out.replace(/\s+/g, ' ');
    for (const table of [METRIC_SEARCH_SETTINGS, SELF_PRUNER_SETTINGS, LLM_SETTINGS, MASK_SEARCH_SETTINGS]) {
      for (const [name, row] of Object.entries<Pick<SettingRow, 'default'>>(table)) {
        if (name === 'method') continue;
        expect(flat).toContain(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} `);
        if (row.default !== '') expect(flat).toContain(`(default: ${String(row.default)})`);
      }
    }
  });

  it('a flag that methods take differently names all that it takes', async () => {
    expect((await run(['search', '--help'])).out).toContain('--budget <number|choice> ');
  });

  it('--version', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, out: `${VERSION}\n` });
  });
});

describe('evaluate', () => {
  it('without a metric: the dense model', async () => {
    const outcome = await run(['evaluate', ...INPUTS, '--length', '256', '--json']);
    expect(outcome.plans).toMatchObject([
      { model: '/here/m', text: '/here/t', evaluations: [], settings: { length: 256 } },
    ]);
    expect(jsonLines(outcome)).toMatchObject([
      { metric: 'dense', sparsity: null, perplexity: 143.3, densePerplexity: 143.3 },
    ]);
    expect(outcome.code).toBe(0);
  });

  it('one line of JSON an evaluation, with everything that a script needs', async () => {
    const outcome = await run([
      ...['evaluate', ...INPUTS, '--json', '--expression', 'W', '--expression', 'mul(W, sqrt(X))'],
      ...['--sparsity', '50%,2:4', '--sparsity', '4:8', '--calibration', 'c'],
    ]);
    const lines = jsonLines(outcome);
    expect(lines.map(({ metric, sparsity }) => `${String(metric)} ${String(sparsity)}`)).toEqual(
      ['W', 'mul(W, sqrt(X))'].flatMap((metric) => ['50%', '2:4', '4:8'].map((sparsity) => `${metric} ${sparsity}`)),
    );
    const wanted = 'metric expression sparsity calibrate perplexity densePerplexity actualSparsity seconds fingerprint';
    for (const line of lines) expect(Object.keys(line)).toEqual(expect.arrayContaining(wanted.split(' ')));
    expect(outcome.err).toBe('');
  });

  it('infix and prefix are the same expression', async () => {
    const words = ['evaluate', ...INPUTS, '--calibration', 'c'];
    const { plans } = await run([...words, '--expression', 'W * sqrt(X)', '--expression', 'mul(W, sqrt(X))']);
    const [infix, prefix] = plans[0]!.evaluations;
    expect(infix).toEqual({ ...prefix, metric: infix!.metric });
  });

  it.each<[string, string[], string[]]>([
    [
      'whole components by methods and expressions',
      ['--structure', 'wanda-sp', '--structure', 'W * Xmax', '--sparsity', '20%,30%'],
      [
        ...['wanda-sp = wanda-sp at 20%', 'wanda-sp = wanda-sp at 30%'],
        ...[
          'components by W * Xmax = components by W * Xmax at 20%',
          'components by W * Xmax = components by W * Xmax at 30%',
        ],
      ],
    ],
    [
      'rates of weights and components alike',
      ['--structure', 'taylor', '--expression', 'W', '--allocation', 'owl', '--owl-multiple', '7'],
      ['W (owl 7 0.08) = W, owl (7, 0.08) at 50%', 'taylor (owl 7 0.08) = taylor, owl (7, 0.08) at 50%'],
    ],
    [
      'rates that say how much goes',
      ['--structure', 'flap', '--rates', '20%,0.4'],
      ['flap ([0.2, 0.4]) = flap, rates 0.2 0.4 at 30%'],
    ],
    ['one threshold', ['--structure', 'flap', '--allocation', 'global'], ['flap (global) = flap, global at 50%']],
    ['uniform rates, which have no name', ['--expression', 'W', '--allocation', 'uniform'], ['W = W at 50%']],
  ])('%s', async (_, flags, expected) => {
    const { plans, code } = await run(['evaluate', ...INPUTS, '--calibration', 'c', ...flags]);
    const told = plans.flatMap(({ evaluations }) =>
      evaluations.map((one) => `${one.metric} = ${scoreText(one)} at ${printSparsity(one.sparsity)}`),
    );
    expect({ told, code }).toEqual({ told: expected, code: 0 });
  });

  it('a table for a person', async () => {
    const { out, err } = await run([
      'evaluate',
      ...INPUTS,
      '--expression',
      'W',
      '--expression',
      'sqr(W)',
      '--sparsity',
      '50%',
    ]);
    expect(err).toBe('');
    expect(`\n${out}`).toMatchInlineSnapshot(`
      "
      metric  sparsity  perplexity      dense     change    zeros     time  fingerprint
      W            50%       145.7      143.3     +1.7 %     50 %    2.1 s  ffffffffffff
      sqr(W)       50%       145.7      143.3     +1.7 %     50 %    2.1 s  ffffffffffff

      model        /here/m  (LlamaForCausalLM, 6.45M parameters)
      text         /here/t  (64 blocks of 2048 tokens)
      device       two cores  (float32)
      "
    `);
  });

  it('one metric that cannot rank does not take the others with it', async () => {
    const words = [
      'evaluate',
      ...INPUTS,
      ...['W', '(-W) ^ 0.5', 'sqr(W)'].flatMap((metric) => ['--expression', metric]),
    ];
    const failing = { '(-W) ^ 0.5': 'metric/invalid-score' } as const;
    const human = await run(words, { failing });
    expect(human.code).toBe(1);
    expect(human.out).toMatch(/\(-W\) \^ 0\.5 +50% +failed/);
    expect(human.out).toMatch(/sqr\(W\) +50% +145\.7/);
    expect(human.err).toContain('error: scoring: expected finite scores, got NaN [metric/invalid-score]\n  Guard it.');
    const lines = jsonLines(await run([...words, '--json'], { failing }));
    expect(lines).toMatchObject([
      { metric: 'W' },
      { metric: '(-W) ^ 0.5', sparsity: '50%', error: { code: 'metric/invalid-score' } },
      { metric: 'sqr(W)' },
    ]);
  });

  it('when every metric fails, each is said once', async () => {
    const failing = { '(-W) ^ 0.5': 'metric/invalid-score', '(-W) ^ 0.7': 'metric/invalid-score' } as const;
    const words = ['evaluate', ...INPUTS, '--expression', '(-W) ^ 0.5', '--expression', '(-W) ^ 0.7', '--json'];
    const outcome = await run(words, { failing });
    expect(jsonLines(outcome).map(({ metric }) => metric)).toEqual(['(-W) ^ 0.5', '(-W) ^ 0.7']);
    expect(outcome.code).toBe(1);
  });

  it.each<[ErrorCode, number]>([
    ['checkpoint/not-found', 2],
    ['corpus/too-short', 2],
    ['device/unavailable', 2],
    ['evaluation/not-finite', 1],
    ['device/failed', 1],
    ['cancelled', 130],
  ])('%s ends the command with exit code %d', async (code, exit) => {
    const failing = { dense: code };
    expect(await run(['evaluate', ...INPUTS], { failing })).toMatchObject({ code: exit, out: '' });
    const json = await run(['evaluate', ...INPUTS, '--json'], { failing });
    expect(jsonLines(json)).toMatchObject([{ error: { code, remedy: 'Guard it.' } }]);
    expect(json).toMatchObject({ code: exit, err: '' });
  });

  it('an abort reaches the engine', async () => {
    expect(await run(['evaluate', ...INPUTS], { signal: AbortSignal.abort() })).toMatchObject({ code: 130, out: '' });
  });
});

describe('tokens', () => {
  it.each([
    [[], "3 tokens: 0 blocks of 256 tokens, the model's\n"],
    [['--ids'], '3\n1\n2\n'],
  ])('%j', async (flags, out) => {
    expect(await run(['tokens', ...INPUTS, ...flags])).toMatchObject({ code: 0, out, err: '' });
  });

  it('as JSON', async () => {
    const outcome = await run(['tokens', ...INPUTS, '--json', '--ids']);
    expect(jsonLines(outcome)).toEqual([
      { model: '/here/m', text: '/here/t', tokens: 3, blocks: 0, length: 256, modelLength: 256, ids: [3, 1, 2] },
    ]);
  });
});

describe('devices', () => {
  it('as a table', async () => {
    expect(`\n${(await run(['devices'])).out}`).toMatchInlineSnapshot(`
      "
      device    works   GFLOP/s  float16  detail
      cpu       yes         285  no       2 cores
      webgpu    no            –  –        no adapter
      "
    `);
  });

  it('as JSON', async () => {
    expect(jsonLines(await run(['devices', '--json']))).toMatchObject([
      { name: 'cpu', works: true },
      { name: 'webgpu', works: false },
    ]);
  });
});

describe('no command line at all', () => {
  const words = [
    ...[
      'evaluate',
      'tokens',
      'devices',
      'help',
      '--',
      '-',
      '--json',
      '--help',
      '--version',
      '--model',
      '--text',
      '--ids',
    ],
    ...[
      '--calibration',
      '--expression',
      '--sparsity',
      '--metric',
      '--samples',
      '--length',
      '--device',
      '--blocks=3',
      'm',
    ],
    ...[
      'nothing.prune',
      '50%',
      '2:4',
      '-1',
      '1e9',
      '',
      ' ',
      'W',
      'W *',
      ')(',
      'sqrt('.repeat(50),
      '\u0000',
      '𝒲',
      '__proto__',
    ],
  ];

  it('makes it throw, or end with a code that is not documented', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...words), { maxLength: 8 }), async (line) => {
        const { code, out, err } = await run(line);
        expect([0, 2]).toContain(code);
        expect(out + err).not.toBe('');
        expect(err).not.toContain('[internal]');
      }),
      { seed: 1, numRuns: 400 },
    );
  });
});
