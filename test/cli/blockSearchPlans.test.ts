import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { grantFor, takeKeys } from '../../src/cli/flags/llmKeys.ts';
import type { GrantOptions } from '../../src/cli/flags/llmKeys.ts';
import type { CommandContext } from '../../src/cli/commands/commandContext.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { SpeedPlan } from '../../src/experiment/exportSchema.ts';
import type { EvaluationPlan } from '../../src/experiment/planSchema.ts';
import { scoreText } from '../../src/experiment/planned.ts';
import { printSparsity } from '../../src/experiment/sparsity.ts';
import { RUN_FILE, RUNS_FOLDER } from '../../src/runs/runFolder.ts';
import { sampleCosts, sampleExportReport, sampleSummary } from '../protocol/samples.ts';
import { failureOf } from '../support/expectCoded.ts';
import { syntheticRatePlan } from '../support/syntheticStructure.ts';

const FOLDER = mkdtempSync(path.join(tmpdir(), 'espalier-cli-'));
afterAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
});

const FILE = `model tiny = "m"
corpus test = "t"
corpus calib = "c"
metric mine = W * Xmax
defaults { model: tiny evaluate: test (blocks: 4, length: 24) calibrate: calib (samples: 3) }
experiment heads { prune: mine, structure(mine), structure(flap, global) at: 20% }
search rates { method: self-pruner at: 30% target: mine population: 5 mutate: classical }
search masks { method: policy-gradient at: 40% score: mine steps: 7 }
`;
writeFileSync(path.join(FOLDER, 'm.prune'), FILE);
writeFileSync(path.join(FOLDER, 'tree.json'), '{"data": "sqrt", "left": {"data": "X"}}');
writeFileSync(path.join(FOLDER, 'plain.prune'), FILE.split('search')[0]!);
const THEIRS = FILE.replace('mutate: classical', 'provider: openai endpoint: "http://elsewhere.example/v1" llm: "x"');
writeFileSync(path.join(FOLDER, 'theirs.prune'), THEIRS);
writeFileSync(path.join(FOLDER, 'mixed.prune'), `${FILE}search evolved { population: 9 }\n`);
const PLAIN = FILE.split('experiment')[0]!;
const TWO = 'search one { from: mine }\nsearch two { method: random operands: W, G budget: 5 }\n';
writeFileSync(path.join(FOLDER, 'metrics.prune'), `${PLAIN}${TWO}`);
writeFileSync(path.join(FOLDER, 'scored.prune'), `${PLAIN}search s { method: policy-gradient baselines: taylor }\n`);
const SELECTION = 'offspring: 12 rounds: [1, 4] survivors: [3, 1]';
writeFileSync(
  path.join(FOLDER, 'evopress.prune'),
  `${PLAIN}search s { method: evopress at: 30% target: flap baselines: owl ${SELECTION} drop: sublayers starts: 9 }\n`,
);

describe('evaluate with a file', () => {
  it.each<[string, string[], string[]]>([
    [
      'says what it says',
      [],
      [
        'mine = W * Xmax at 20%',
        'components by mine = components by W * Xmax at 20%',
        'flap (global) = flap, global at 20%',
      ],
    ],
    [
      'and structures that it does not list, on its inputs at its sparsity',
      ['--structure', 'taylor', '--structure', 'mine'],
      ['taylor = taylor at 20%', 'components by mine = components by W * Xmax at 20%'],
    ],
    [
      'and metrics beside structures',
      ['--structure', 'shortgpt', '--metric', 'mine', '--sparsity', '10%'],
      ['mine = W * Xmax at 10%', 'shortgpt = shortgpt at 10%'],
    ],
    [
      'with other rates for all that it lists',
      ['--metric', 'heads', '--rates', '0.1,0.3'],
      [
        'mine ([0.1, 0.3]) = W * Xmax, rates 0.1 0.3 at 20%',
        'components by mine ([0.1, 0.3]) = components by W * Xmax, rates 0.1 0.3 at 20%',
        'flap ([0.1, 0.3]) = flap, rates 0.1 0.3 at 20%',
      ],
    ],
  ])('%s', async (_, flags, expected) => {
    const { plans } = await run(['evaluate', 'm.prune', ...flags]);
    expect(plans.flatMap(told)).toEqual(expected);
    for (const plan of plans) {
      expect(plan).toMatchObject({ model: path.join(FOLDER, 'm'), settings: { blocks: 4, samples: 3 } });
    }
  });
});

it('speed measures a pruned model as its file says, and as flags lay over that', async () => {
  const { speeds } = await run(['speed', 'm.prune', '--structure', 'flap', '--threads', '3']);
  expect(speeds).toMatchObject([{ batch: 4, length: 24, settings: { threads: 3 } }]);
});

writeFileSync(path.join(FOLDER, 'p.jsonl'), '{"goal": "a", "sol1": "b", "sol2": "c", "label": 0}\n');
const PIQA = path.join(FOLDER, 'p.jsonl');

describe('a search becomes a run', () => {
  it.each<[string, string[], object]>([
    ...['self-pruner', 'policy-gradient', 'random'].map((method): [string, string[], object] => [
      `by ${method}, whose finalists are asked tasks`,
      [
        '--method',
        method,
        ...inputs('c'),
        '--tasks',
        `piqa=${PIQA},piqa (documents: "p.jsonl", limit: 5)`,
        '--shots',
        '0',
      ],
      {
        tasks: {
          list: [0, 5].map((limit) => ({ task: 'piqa', documents: 'p.jsonl', shots: 0, limit })),
          ...{ harness: '0.4', beginning: 'tokenizer' },
        },
      },
    ]),
    [
      'for rates, of flags alone',
      ['--method', 'self-pruner', ...inputs('c'), '--step', '0.1', '--baseline', 'owl', '--baseline', '[20%,0.4]'],
      {
        ...{ kind: 'rates', name: 'search', sparsity: { share: 0.5 }, target: { kind: 'structure', name: 'wanda-sp' } },
        search: { method: 'self-pruner', step: 0.1, population: 30 },
        baselines: [{ name: 'owl' }, { name: '[0.2, 0.4]', rates: { kind: 'given', rates: [0.2, 0.4] } }],
        llm: { provider: 'none' },
        prompts: { initialise: expect.stringContaining('{{') as string },
      },
    ],
    [
      'for rates of single weights, proposed by a language model',
      [
        '--method',
        'self-pruner',
        ...inputs('c'),
        '--target',
        'weights(W * Xmax)',
        '--provider',
        'openai',
        '--llm',
        'x',
        '--reply-tokens',
        '99',
        '--endpoint',
        'http://h/v1',
      ],
      {
        target: { kind: 'weights', metric: 'W * Xmax' },
        llm: { provider: 'openai', llm: 'x', replyTokens: 99, endpoint: 'http://h/v1', retries: 3 },
      },
    ],
    [
      'for metrics, some proposed by a language model',
      [
        '--method',
        'pruner-zero',
        ...inputs('c'),
        '--proposals',
        '0.2',
        '--provider',
        'openai',
        '--llm',
        'x',
        '--endpoint',
        'http://h/v1',
        '--token-cap',
        '9',
      ],
      {
        ...{ kind: 'metrics', search: { method: 'pruner-zero', proposals: 0.2 } },
        llm: { provider: 'openai', llm: 'x', tokenCap: 9 },
        prompts: { propose: expect.stringContaining('{{known}}') as string },
      },
    ],
    [
      'for masks, of flags alone',
      [
        '--method',
        'policy-gradient',
        ...inputs('c'),
        '--rate',
        '1e-3',
        '--score',
        'taylor',
        '--seed',
        '4',
        '--calibration-seed',
        '5',
      ],
      {
        ...{ kind: 'masks', score: { kind: 'method', method: 'taylor' }, settings: { seed: 5 } },
        search: { method: 'policy-gradient', rate: 0.001, seed: 4, steps: 1000 },
        baselines: [{ name: 'wanda-sp' }, { name: 'taylor' }],
      },
    ],
    [
      'for masks, beside structures with rates',
      [
        ...['--method', 'policy-gradient', ...inputs('c'), '--baseline', 'structure(flap, global)'],
        ...['--baseline', 'structure(mul(W, X), [10%, 0.3])', '--baseline', 'structure(shortgpt)'],
      ],
      {
        baselines: [
          { name: 'flap (global)', structure: { rates: { kind: 'global' } } },
          { name: 'components by mul(W, X) ([0.1, 0.3])', structure: { rates: { kind: 'given', rates: [0.1, 0.3] } } },
          { name: 'shortgpt', structure: { rates: { kind: 'uniform' } } },
        ],
      },
    ],
    [
      'for rates, by trees of Pruner-Zero and what the language has no name for',
      [
        ...['--method', 'self-pruner', ...inputs('c'), '--target', 'weights((W) mul ((X) sqrt (#)))'],
        ...[
          '--baseline',
          'owl(spread: 0.2)',
          '--llm',
          'a "b" {c}',
          '--provider',
          'openai',
          '--endpoint',
          'http://h/v1',
        ],
      ],
      {
        target: { kind: 'weights', metric: 'W * sqrt(X)' },
        baselines: [{ name: 'owl 5 0.2', rates: { kind: 'owl', multiple: 5, spread: 0.2 } }],
        llm: { llm: 'a "b" {c}' },
      },
    ],
    [
      'for masks, beside a tree in a clause',
      ['--method', 'policy-gradient', ...inputs('c'), '--baseline', 'structure(tree.json, owl)'],
      {
        baselines: [
          { name: 'components by tree.json (owl)', structure: { score: { kind: 'metric' }, rates: { kind: 'owl' } } },
        ],
      },
    ],
    [
      'for metrics, beside baselines by name and trees',
      [...inputs('c'), '--baseline', 'pruner-zero', '--baseline', 'tree.json', '--from', '{"data": "W"}'],
      { baselines: [{ metric: 'pruner-zero' }, { metric: 'tree.json' }], seeds: [{ metric: 'W' }] },
    ],
    [
      'for rates, as the file says, with a flag laid over',
      ['m.prune', '--method', 'self-pruner', '--mutations', '3', '--sparsity', '25%'],
      {
        ...{ name: 'rates', sparsity: { share: 0.25 }, target: { kind: 'structure', name: 'mine' } },
        search: { population: 5, mutations: 3, mutate: 'classical' },
        settings: { blocks: 4, samples: 3 },
      },
    ],
    [
      'for masks, by the name in the file',
      ['m.prune', '--search', 'masks', '--steps', '9'],
      {
        name: 'masks',
        score: { kind: 'metric' },
        search: { steps: 9 },
        baselines: [{}, { name: 'components by mine' }],
      },
    ],
    [
      'for rates, on what a file without searches evaluates on',
      ['plain.prune', '--method', 'self-pruner', '--target', 'mine'],
      { name: 'search', sparsity: { share: 0.2 }, target: { name: 'mine' }, settings: { blocks: 4, samples: 3 } },
    ],
    [
      'for metrics, as evolve does',
      ['--method', 'random', ...inputs('c'), '--operands', 'W,X'],
      { operands: ['W', 'X'], search: { method: 'random' } },
    ],
  ])('%s', async (_, words, expected) => {
    expect(await planOf(words)).toMatchObject(expected);
  });

  it.each([
    [['m.prune'], '--search with one of rates, masks'],
    [['m.prune', '--search', 'ratse'], 'Did you mean `rates`?'],
    [['m.prune', '--search', 'rates', '--method', 'policy-gradient'], '--method as rates has it (self-pruner)'],
    [['m.prune', '--search', 'masks', '--mutations', '3'], '--mutations belongs to --method self-pruner'],
    [
      ['m.prune', '--search', 'masks', '--baseline', 'structure(shortgpt, owl)'],
      '`shortgpt` drops whole blocks: it takes no rates',
    ],
    [
      ['m.prune', '--search', 'masks', '--baseline', 'structure(mine, goal)'],
      'rates are `uniform`, `owl`, `global` or a list',
    ],
    [['--resume', 'r', '--calibration-seed', '3'], '--calibration-seed'],
    [['m.prune', '--search', 'rates', '--target', 'shortgpt'], '`shortgpt` drops whole blocks'],
    [['m.prune', '--search', 'masks', '--score', 'shortgpt'], '`shortgpt` drops whole blocks'],
    [['m.prune', '--search', 'masks', '--centre', 'step', '--masks', '1'], 'Write --masks 2'],
    [
      ['evopress.prune', '--rounds', '1,2,4'],
      '--rounds and --survivors have one number for each round of selection, not 3 and 2',
    ],
    [['evopress.prune', '--rounds', '1,2,4', '--survivors', '4,2'], 'Write --survivors 4,2,1, for example'],
    [['evopress.prune', '--rounds', '4,1'], 'Write --rounds 1,4, for example'],
    [['evopress.prune', '--offspring', '2'], 'of 2 not 3 can be --survivors'],
    [['evopress.prune', '--mutations', '3'], '--mutations belongs to --method self-pruner'],
    [
      ['evopress.prune', '--provider', 'openai'],
      '--provider belongs to --method pruner-zero and --method random and --method self-pruner',
    ],
  ])('%j: a usage error', async (words, message) => {
    const { code, err } = await run(['search', ...words]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) as string });
  });

  it('evolve takes the only search for metrics of a file, wherever it stands', async () => {
    expect(await planOf(['mixed.prune'], 'evolve')).toMatchObject({ name: 'evolved', search: { population: 9 } });
  });

  it.each<[string, string[], object]>([
    [
      'operands with the baselines that they leave',
      ['--search', 'one', '--operands', 'W'],
      { operands: ['W'], seeds: [{ metric: 'mine' }], baselines: [{ metric: 'magnitude' }] },
    ],
    [
      'metrics to start from, and the leaves stay',
      ['--search', 'one', '--from', 'abs(W)*G'],
      { operands: ['W', 'X', 'Xmax', 'G'], seeds: [{ metric: 'abs(W)*G' }], search: { method: 'pruner-zero' } },
    ],
    [
      'a method, settings and a seed of the samples',
      ['--search', 'two', '--method', 'pruner-zero', '--seed', '7', '--calibration-seed', '8'],
      { search: { method: 'pruner-zero', seed: 7, budget: 5 }, settings: { seed: 8, blocks: 4 } },
    ],
  ])('of a file with %s laid over', async (_, words, expected) => {
    expect(await planOf(['metrics.prune', ...words], 'evolve')).toMatchObject(expected);
  });

  it('score in the place of the file’s takes its baselines with it', async () => {
    expect(await planOf(['scored.prune', '--score', 'flap'])).toMatchObject({
      score: { method: 'flap' },
      baselines: [{ name: 'wanda-sp' }, { name: 'flap' }],
    });
    expect(await planOf(['scored.prune'])).toMatchObject({ baselines: [{ name: 'taylor' }] });
  });

  it('and tells what has no effect, but not with --json', async () => {
    const words = ['search', 'm.prune', '--search', 'rates', '--mutate', 'off', '--step', '0.2', '--group', 'layer'];
    const { err } = await run(words);
    expect(err).toContain('warning: --step has no effect: --mutate off leaves mutation out');
    expect(err).toContain('warning: --group has no effect: no percentage of single weights is pruned');
    expect((await run([...words, '--json'])).err).toBe('');
    const { err: ofEvoPress } = await run(['search', 'evopress.prune', '--step', '0.2']);
    expect(ofEvoPress).toContain(
      'warning: --step has no effect: with --drop sublayers a layer goes as a whole or stays',
    );
  });

  it('by EvoPress is the same of flags as of a file', async () => {
    const flags = [
      ...['--method', 'evopress', ...inputs('c'), '--sparsity', '30%', '--blocks', '4', '--length', '24'],
      ...['--samples', '3', '--target', 'flap', '--baseline', 'owl', '--offspring', '12', '--rounds', '1,4'],
      ...['--survivors', '3,1', '--drop', 'sublayers', '--starts', '9'],
    ];
    const expected = {
      ...{ kind: 'rates', sparsity: { share: 0.3 }, target: { name: 'flap' }, baselines: [{ name: 'owl' }] },
      search: { method: 'evopress', rounds: [1, 4], survivors: [3, 1], drop: 'sublayers', starts: 9, switches: 3 },
      settings: { blocks: 4, length: 24, samples: 3 },
    };
    const [ofFile, ofFlags] = [await planOf(['evopress.prune']), await planOf(flags)];
    expect(ofFile).toMatchObject({ ...expected, name: 's' });
    expect(ofFlags).toEqual({ ...(ofFile as object), name: 'search' });
    // It asks no language model.
    for (const name of ['llm', 'prompts']) expect(ofFlags).not.toHaveProperty(name);
    const laidOver = await planOf(['evopress.prune', '--rounds', '1,2,4', '--survivors', '8,2,1']);
    expect(laidOver).toMatchObject({ search: { offspring: 12, rounds: [1, 2, 4], survivors: [8, 2, 1] } });
  });

  it('and whose settings a method of the command line leaves out', async () => {
    const words = ['search', 'm.prune', '--method', 'evopress'];
    const left =
      'no search by evopress: settings, target and baselines of rates (self-pruner), masks (policy-gradient)';
    expect((await run(words)).err).toContain(left);
    expect((await run([...words, '--json'])).err).toBe('');
    for (const own of [
      ['search', 'm.prune', '--method', 'self-pruner'],
      ['search', 'plain.prune', '--method', 'evopress'],
    ])
      expect((await run(own)).err).not.toContain('left out');
  });

  it('evolve leaves searches of other kinds to search', async () => {
    const { err } = await run(['evolve', 'm.prune', '--search', 'rates']);
    expect(err).toContain('Run it with espalier search');
  });
});

describe('keys of language models', () => {
  const openAi = 'https://api.openai.com/v1';
  const [mine, theirs] = ['http://localhost:8000/v1', 'https://elsewhere.example/v1'];
  const own = { ESPALIER_LLM_KEY: 'a' };
  const grant = (env: object, endpoint: string, options: Partial<GrantOptions> = {}) => {
    const plan = syntheticRatePlan();
    const asked = {
      ...plan,
      name: 'n\u001b[2Jm',
      llm: { ...plan.llm, provider: 'openai' as const, endpoint, llm: 'x' },
    };
    return grantFor(asked, { keys: takeKeys({ ...env }), isTyped: false, ...options });
  };

  it.each<readonly [what: string, env: object, endpoint: string, isTyped: boolean, key: string | undefined]>([
    ['ESPALIER_LLM_KEY goes to OpenAI', { ...own, OPENAI_API_KEY: 'b' }, '', false, 'a'],
    ['and to an endpoint that is typed', own, mine, true, 'a'],
    ['OPENAI_API_KEY goes to OpenAI', { OPENAI_API_KEY: 'b' }, '', false, 'b'],
    ['however that is spelled', { OPENAI_API_KEY: 'b' }, 'HTTPS://API.OpenAI.com.:443/v1/', false, 'b'],
    ['and nowhere else', { OPENAI_API_KEY: 'b' }, mine, true, undefined],
    // Unencrypted it would be anybody’s.
    ['unencrypted least of all', { OPENAI_API_KEY: 'b' }, openAi.replace('https', 'http'), true, undefined],
    ['an empty one is none', { ESPALIER_LLM_KEY: '', OPENAI_API_KEY: '' }, openAi, false, undefined],
    ['with ESPALIER_LLM_ENDPOINT it goes there', { ...own, ESPALIER_LLM_ENDPOINT: mine }, `${mine}/`, false, 'a'],
    ['but not to a file’s', { ...own, ESPALIER_LLM_ENDPOINT: mine }, theirs, false, undefined],
    ['not to a port beside it', { ...own, ESPALIER_LLM_ENDPOINT: mine }, 'http://localhost:8001/v1', true, undefined],
    ['not to OpenAI', { ...own, ESPALIER_LLM_ENDPOINT: mine }, '', false, undefined],
    ['which has its own', { ...own, ESPALIER_LLM_ENDPOINT: mine, OPENAI_API_KEY: 'b' }, '', false, 'b'],
  ])('%s', async (_, env, endpoint, isTyped, key) => {
    expect((await grant(env, endpoint, { isTyped })).key).toBe(key);
  });

  it('are taken out of the environment that other processes get', () => {
    const left: NodeJS.ProcessEnv = { ...own, OPENAI_API_KEY: 'b', OPENAI_CUSTOM_HEADERS: 'X-Key: c', PATH: '/bin' };
    takeKeys(left);
    expect(left).toEqual({ PATH: '/bin' });
  });

  it('go to the endpoint of a file or run when the person says so, and otherwise stay', async () => {
    const asked: string[] = [];
    const answer = (is: boolean) => (question: string) => {
      asked.push(question);
      return Promise.resolve(is);
    };
    expect(await grant(own, theirs, { ask: answer(true) })).toEqual({ endpoint: theirs, key: 'a' });
    expect(asked).toEqual([`n [2Jm asks x at ${theirs}. Send ESPALIER_LLM_KEY there?`]);
    for (const ask of [answer(false), undefined]) {
      const { code, data } = await failureOf(() => grant(own, theirs, { ask }));
      expect([code, data.remedy]).toEqual([
        'llm/not-agreed',
        expect.stringContaining(`ESPALIER_LLM_ENDPOINT=${theirs}`),
      ]);
    }
  });

  it('of a variable that names no endpoint go nowhere, and it is said which variable that is', async () => {
    const env = { ...own, ESPALIER_LLM_ENDPOINT: 'localhost' };
    const { code, data } = await failureOf(() => grant(env, ''));
    expect([code, data.operation]).toEqual(['settings/invalid', 'reading ESPALIER_LLM_ENDPOINT']);
  });

  it('stay where a .prune file names an endpoint and nobody can be asked: the search does not begin', async () => {
    const { code, err } = await run(['search', 'theirs.prune', '--search', 'rates'], undefined, { keys: { own: 'a' } });
    expect(err).toContain('http://elsewhere.example/v1, which a file or run names');
    expect(code).toBe(2);
  });
});

function inputs(calibration: string): string[] {
  return ['--model', 'm', '--text', 't', '--calibration', calibration];
}

/** The plan that a command line makes a run of: the run is there when its worker is asked for. */
async function planOf(words: readonly string[], command = 'search'): Promise<unknown> {
  let plan: unknown;
  await run([command, ...words], () => {
    const runs = path.join(FOLDER, RUNS_FOLDER);
    const [id] = readdirSync(runs).filter((name) => name.includes('-'));
    plan = (JSON.parse(readFileSync(path.join(runs, id!, RUN_FILE), 'utf8')) as { plan: unknown }).plan;
  });
  expect(plan).toMatchObject({ model: 'm' });
  return plan;
}

async function run(words: readonly string[], onWorker?: () => void, context: Partial<CommandContext> = {}) {
  const plans: EvaluationPlan[] = [];
  const speeds: SpeedPlan[] = [];
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const engine = {
    evaluate: (plan: EvaluationPlan) => {
      plans.push(plan);
      return Promise.resolve([]);
    },
    exportModel: () => Promise.resolve(sampleExportReport()),
    costs: () => Promise.resolve(sampleCosts()),
    describe: (model: string) => Promise.resolve(sampleSummary(model)),
    measureSpeed: (plan: SpeedPlan) => {
      speeds.push(plan);
      return Promise.resolve([]);
    },
    dispose: () => Promise.resolve(),
  } as unknown as Engine;
  const code = await runCommandLine(words, {
    terminal: createTerminal(stream('out'), stream('err'), {}),
    folder: FOLDER,
    signal: new AbortController().signal,
    createEngine: () => Promise.resolve(engine),
    keys: {},
    shippedPrompts: fileURLToPath(new URL('../../media/prompts', import.meta.url)),
    forkWorker: () => {
      onWorker?.();
      throw new Error('no worker here');
    },
    listDevices: () => Promise.resolve([]),
    ...context,
  });
  return { code, plans, speeds, ...written };
}

function told({ evaluations }: EvaluationPlan): string[] {
  return evaluations.map((one) => `${one.metric} = ${scoreText(one)} at ${printSparsity(one.sparsity)}`);
}
