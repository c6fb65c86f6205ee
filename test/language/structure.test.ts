import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import { scoreText } from '../../src/experiment/planned.ts';
import { printSparsity } from '../../src/experiment/sparsity.ts';
import { compile } from '../../src/language/check/compile.ts';
import type { SearchDeclaration } from '../../src/language/check/document.ts';
import { formatted } from '../support/formatted.ts';
import { Planner, plansFor, planWith } from '../../src/language/plan/plan.ts';
import { isRunnable, searchPlanFrom, searchPlanKey, searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import type { SearchPlanContext } from '../../src/language/plan/searchPlan.ts';
import { complete } from '../../src/language/server/completion.ts';
import { hover } from '../../src/language/server/navigation.ts';
import { outline } from '../../src/language/server/outline.ts';
import { codeActions } from '../../src/language/server/problems.ts';
import { meaningfulTokens } from '../../src/language/server/semanticTokens.ts';
import { signatureHelp } from '../../src/language/server/signature.ts';
import { cursor } from './marked.ts';
import { SAMPLE } from './samples.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../src/search/masks/settings.ts';
import { DEFAULT_SELF_PRUNER_SETTINGS } from '../../src/search/rates/selfPruner/settings.ts';
import { searchPlanSchema } from '../../src/search/schema.ts';

const FOLDER = resolve('/work-folder/project');
const PROMPTS = { initialise: 'i', mutate: 'm', cross: 'c', propose: 'p', again: 'a' };
const CONTEXT: SearchPlanContext = { folder: FOLDER, prompts: PROMPTS };
const HEAD =
  'model tiny = "m"\ncorpus test = "t"\ncorpus calib = "c"\nmetric mine = W * X\ndefaults { model: tiny evaluate: test calibrate: calib }\n';

describe('layout', () => {
  it.each([
    [
      'experiment e{prune:structure( wanda - sp,[0.2 ,40%] ),structure(mine-W , rates:owl( spread :0.1 )),wanda-sp}',
      'experiment e { prune: structure(wanda-sp, [0.2, 40%]), structure(mine - W, rates: owl(spread: 0.1)), wanda - sp }\n',
    ],
    [
      'search s { method : self - pruner target: wanda - sp baselines:[ -1, 2-3 ]  llm:"a  b" provider:openai }',
      'search s { method: self-pruner  target: wanda-sp  baselines: [-1, 2 - 3]  llm: "a  b"  provider: openai }\n',
    ],
    [
      'search s{method:policy-gradient score:wanda - sp baselines:wanda-sp,structure(wanda-sp , owl) map:min - max}',
      'search s { method: policy-gradient  score: wanda-sp  baselines: wanda-sp, structure(wanda-sp, owl)  map: min-max }\n',
    ],
    [
      'experiment e { prune: structure(rates:owl,score:wanda - sp), structure( score : wanda-sp ) }',
      'experiment e { prune: structure(rates: owl, score: wanda-sp), structure(score: wanda-sp) }\n',
    ],
  ])('%s', (text, expected) => {
    expect(formatted(compile(text))).toBe(expected);
    expect(formatted(compile(expected))).toBe(expected);
  });
});

describe('completion', () => {
  const METHODS = ['wanda-sp', 'magnitude', 'taylor', 'flap', 'shortgpt'];
  it.each<[string, string[], string[]]>([
    ['experiment e { prune: |', ['structure', 'weights', 'mine', 'sqrt'], METHODS],
    ['metric weights = W experiment e { prune: |', ['structure', 'weights'], []],
    ['metric taylor = W experiment e { prune: structure(|', METHODS, []],
    ['experiment e { prune: structure(|', [...METHODS, 'mine', 'W'], ['structure', 'owl', 'tiny']],
    ['experiment e { prune: structure(wanda-sp, |', ['uniform', 'owl', 'global', '[…]'], ['mine', 'flap']],
    ['experiment e { prune: structure(rates: |', ['owl'], ['mine']],
    ['experiment e { prune: weights(|', ['mine', 'W'], METHODS],
    ['experiment e { prune: weights(mine, |', ['uniform', 'owl'], ['global', 'mine']],
    ['experiment e { prune: weights(mine, owl(|', ['multiple:', 'spread:'], ['owl']],
    ['experiment e { prune: structure(mine, [|', [], ['mine']],
    ['experiment e { prune: structure(wanda-sp) | }', ['at', 'group'], ['prune', 'mine']],
    ['experiment e { prune: structure(wanda-sp, rates: owl) | }', ['at'], ['prune']],
    [
      'search s { | }',
      ['operands', 'population', 'method', 'proposals', 'provider'],
      ['steps', 'mutations', 'target', 'prune'],
    ],
    ['search s { method: | }', ['pruner-zero', 'random', 'self-pruner', 'policy-gradient'], []],
    [
      'search s { | method: self-pruner }',
      ['target', 'baselines', 'provider', 'population', 'mutations'],
      ['steps', 'operands', 'method'],
    ],
    [
      'search s { method: policy-gradient | }',
      ['score', 'steps', 'samples'],
      ['target', 'group', 'population', 'calibration'],
    ],
    [
      'search s { method: self-pruner target: | }',
      [...METHODS.slice(0, 4), 'mine', 'weights'],
      ['shortgpt', 'structure', 'uniform'],
    ],
    ['search s { method: self-pruner at: | }', ['30%', '50%'], ['2:4', '4:8']],
    ['search s { method: policy-gradient at: | }', ['30%'], ['2:4']],
    ['search s { method: self-prunner | }', ['target', 'mutations'], ['operands', 'steps']],
    ['experiment e { prune: structure(pow(mine, 2) + |', [...METHODS, 'mine'], ['owl']],
    ['search s { method: self-pruner baselines: uniform, | }', ['owl', '[…]'], ['global', 'mine']],
    ['search s { method: self-pruner provider: | }', ['none', 'openai', 'vscode', 'replay'], []],
    ['search s { method: self-pruner llm: | }', ['""'], []],
    ['search s { method: policy-gradient baselines: | }', [...METHODS, 'structure', 'mine'], ['weights']],
    [
      'search s { method: policy-gradient score: | }',
      [...METHODS.slice(0, 4), 'mine'],
      ['shortgpt', 'structure', 'weights'],
    ],
    ['search s { method: policy-gradient components: | }', ['heads-channels-layers', 'layers'], []],
  ])('%j', (marked, includes, excludes) => {
    const { document, source, offset } = cursor(HEAD + marked);
    const labels = complete(document, source, offset).map(({ label }) => label);
    expect(labels).toEqual(expect.arrayContaining(includes));
    expect(labels.filter((label) => excludes.includes(label))).toEqual([]);
    if (includes.length === 0) expect(labels).toEqual([]);
    expect(new Set(labels).size).toBe(labels.length);
  });

  it.each([
    ['experiment e { prune: structure(wanda-s|', 'wanda-sp', 'wanda-s'],
    ['search s { method: self-pr|', 'self-pruner', 'self-pr'],
    ['experiment e { prune: structure(mine-W|', 'Wsigned', 'W'],
  ])('%j replaces what stands there of the word', (marked, label, replaced) => {
    const { document, source, offset, text } = cursor(HEAD + marked);
    const item = complete(document, source, offset).find((one) => one.label === label);
    const edit = item?.textEdit as { range: { start: { line: number; character: number } } };
    expect(text.slice(source.offsetAt(edit.range.start), offset)).toBe(replaced);
  });
});

describe('hover', () => {
  it.each<[string, string[]]>([
    ['experiment e { prune: struc|ture(flap) }', ['structure(score, rates = uniform)', 'Whole heads']],
    ['experiment e { prune: wei|ghts(mine) }', ['weights(metric, rates = uniform)']],
    [
      'experiment e { prune: structure(wanda-|sp) }',
      ['mean over rows of |W| · sqrt(X)', 'Wanda’s score', 'heads and channels'],
    ],
    ['experiment e { prune: structure(short|gpt) }', ['Removes whole blocks']],
    ['experiment e { prune: structure(mi|ne) }', ['metric mine']],
    ['experiment e { prune: structure(mine, o|wl) }', ['blocks with more outliers keep more']],
    ['search s { method: self-pruner tar|get: mine }', ['single weights by a metric']],
    ['search s { method: self-pruner popu|lation: 3 }', ['Configurations of rates that are kept']],
    [
      'search s { popu|lation: 3 }',
      ['Metrics in a generation. A whole number from 2 to 10000. Default: `50`', 'population: 50'],
    ],
    ['search s { method: self-pruner st|ep: 0.1 }', ['A number from 0.0001 to 0.5. Default: `0.05`']],
    ['search s { se|ed: 3 }', ['A whole number from 0 on. Default: `0`']],
    ['search s { method: policy-gradient st|eps: 3 }', ['Updates of the keep-probabilities']],
    ['search s { met|hod: random }', ['`policy-gradient`: learns which heads']],
    [
      'search s| { method: self-pruner target: mine population: 4 }',
      ['rates of heads and channels by', '`mine`', 'classical operators', '4 configurations'],
    ],
    ['search s| { method: policy-gradient steps: 9 }', ['9 steps of 2 masks']],
    ['search s| { method: evopress target: mine }', ['rates of heads and channels by', '`mine`', 'by EvoPress']],
    ['search s| { method: evopress drop: sublayers }', ['attention and MLP layers to drop', 'by EvoPress']],
    ['search s| { method: evopress rounds: [4] survivors: [1] }', ['1 is left after a round on 4 blocks']],
    ['experiment e| { prune: structure(flap, [0.1, 0.2]) }', ['Prunes with `flap ([0.1, 0.2])`.']],
  ])('%j', (marked, parts) => {
    const { document, source, offset } = cursor(HEAD + marked);
    const text = JSON.stringify(hover(document, source, offset)?.contents ?? '');
    for (const part of parts) expect(text).toContain(part);
  });

  it.each([
    ['experiment e { prune: structure(flap, |', 'structure(score, rates = uniform)', 1],
    ['experiment e { prune: weights(|', 'weights(metric, rates = uniform)', 0],
    ['search s { method: policy-gradient baselines: structure(rates: |', 'structure(score, rates = uniform)', 1],
    ['experiment e { prune: weights(mine, owl(7, |', 'owl(multiple = 5, spread = 0.08)', 1],
    ['search s { method: self-pruner baselines: owl(|', 'owl(multiple = 5, spread = 0.08)', 0],
  ])('the signature of %j', (marked, label, active) => {
    const { document, offset } = cursor(HEAD + marked);
    expect(signatureHelp(document, offset)).toMatchObject({ signatures: [{ label }], activeParameter: active });
  });
});

describe('colours and fixes', () => {
  it('methods, clauses and rates are what they are', () => {
    const text = `${HEAD}experiment e { prune: structure(wanda-sp, owl), weights(mine) at: 30% }`;
    const from = text.indexOf('prune');
    const shown = meaningfulTokens(compile(text))
      .filter(({ start }) => start >= from)
      .map(({ start, end, type }) => `${text.slice(start, end)} ${type}`);
    expect(shown).toEqual([
      ...['prune property', 'structure function', 'wanda-sp enumMember', 'owl enumMember'],
      ...['weights function', 'mine function', 'at property', '30% number'],
    ]);
  });

  it.each([
    ['experiment e { prune: wanda-sp at: 30% }', 'experiment e { prune: structure(wanda-sp) at: 30% }'],
    ['experiment e { prune: structure(wanda-ps) at: 30% }', 'experiment e { prune: structure(wanda-sp) at: 30% }'],
    ['experiment e { prune: structure(flap, owls) at: 30% }', 'experiment e { prune: structure(flap, owl) at: 30% }'],
    ['search s { method: self-pruner llm: gpt }', 'search s { method: self-pruner llm: "gpt" }'],
    ['search s { model: tiny (blocks: 3) at: 30% }', 'search s { model: tiny at: 30% }'],
    [
      'search s { method: policy-gradient centre: step masks: 1 }',
      'search s { method: policy-gradient centre: step masks: 2 }',
    ],
  ])('%s becomes %s', (text, mended) => {
    const { document, source } = cursor(`${HEAD}${text}|`);
    const all = { start: { line: 0, character: 0 }, end: source.positionAt(source.getText().length) };
    const [edit] = Object.values(codeActions(document, source, all)[0]?.edit?.changes ?? {}).flat();
    const [start, end] = [source.offsetAt(edit!.range.start), source.offsetAt(edit!.range.end)];
    expect(document.text.slice(0, start) + edit!.newText + document.text.slice(end)).toBe(HEAD + mended);
  });
});

describe('plans', () => {
  it('of an experiment with structures', () => {
    const [plan] = plansFor(compile(SAMPLE), 'heads', { folder: FOLDER });
    const summary = plan!.evaluations.map(
      (one) => `${one.metric} = ${scoreText(one)} at ${printSparsity(one.sparsity)}`,
    );
    expect(summary).toEqual([
      ...['20%', '30%'].map((at) => `wanda = W * sqrt(X) at ${at}`),
      ...['20%', '30%'].map((at) => `wanda-sp = wanda-sp at ${at}`),
      ...['20%', '30%'].map(
        (at) => expect.stringMatching(`components by mixed \\(owl\\) = .*, owl \\(5, 0.08\\) at ${at}`) as string,
      ),
      ...['20%', '30%'].map((at) => `flap (global) = flap, global at ${at}`),
      ...['20%', '30%'].map(
        (at) => `components by W * sqrt(X) (owl 7 0.1) = components by W * sqrt(X), owl (7, 0.1) at ${at}`,
      ),
      'wanda ([0.4, 0.2]) = W * sqrt(X), rates 0.4 0.2 at 30%',
    ]);
  });

  it('a lone metric ranks single weights, whatever lists it', () => {
    const document = compile(`${HEAD}experiment e { prune: structure(mine), W at: 30% }`);
    const [plan] = plansFor(document, 'mine', { folder: FOLDER });
    expect(plan!.evaluations).toMatchObject([{ metric: 'mine', sparsity: { share: 0.3 } }]);
    expect(plan!.evaluations[0]).not.toHaveProperty('structure');
  });

  it('of what is not in the file, where the first experiment evaluates', () => {
    const pruning = { label: 'flap', score: { kind: 'method', method: 'flap' }, rates: { kind: 'uniform' } } as const;
    const plan = planWith(compile(`${HEAD}experiment e { prune: W at: 10%, 2:4 blocks: 3 }`), 'flap', [pruning], {
      folder: FOLDER,
    });
    expect(plan).toMatchObject({ model: join(FOLDER, 'm'), settings: { blocks: 3 } });
    expect(plan.evaluations.map(({ sparsity }) => printSparsity(sparsity))).toEqual(['10%']);
    // A file of nothing but patterns says no share: half goes, as where it says nothing.
    const pattern = planWith(compile(`${HEAD}experiment e { prune: W at: 2:4 }`), 'flap', [pruning], {
      folder: FOLDER,
    });
    expect(pattern.evaluations.map(({ sparsity }) => printSparsity(sparsity))).toEqual(['50%']);
    expect(() =>
      planWith(compile(`${HEAD}experiment e { prune: foo }`), 'flap', [pruning], { folder: FOLDER }),
    ).toThrow('errors');
  });

  it('of a search for rates', () => {
    const [plan] = searchPlansFor(compile(SAMPLE), 'rates', CONTEXT);
    expect(searchPlanSchema.parse(plan)).toEqual(plan);
    expect(plan).toMatchObject({
      ...{ kind: 'rates', name: 'rates', model: join(FOLDER, 'models/tiny'), test: join(FOLDER, 'unseen.txt') },
      target: { kind: 'weights', metric: 'wanda' },
      baselines: [
        { name: 'uniform', rates: { kind: 'uniform' } },
        { name: 'owl 5 0.1', rates: { kind: 'owl', multiple: 5, spread: 0.1 } },
        { name: '[0.2, 0.4]', rates: { kind: 'given', rates: [0.2, 0.4] } },
      ],
      search: { ...DEFAULT_SELF_PRUNER_SETTINGS, population: 8, step: 0.05, initialise: 'classical' },
      llm: { ...DEFAULT_LLM_SETTINGS, provider: 'openai', llm: 'qwen3:8b', endpoint: 'http://localhost:11434/v1' },
      prompts: { initialise: 'i', mutate: 'm', cross: 'c', again: 'a' },
      settings: { samples: 16, seed: 3 },
    });
  });

  it('of a search for masks', () => {
    const [plan] = searchPlansFor(compile(SAMPLE), 'masks', CONTEXT);
    expect(searchPlanSchema.parse(plan)).toEqual(plan);
    expect(plan).toMatchObject({
      ...{ kind: 'masks', calibration: resolve('/data/calib.txt'), sparsity: { share: 0.3 } },
      score: { kind: 'method', method: 'wanda-sp' },
      baselines: [{ name: 'wanda-sp' }, { name: 'components by mixed' }, { name: 'flap (global)' }],
      search: { ...DEFAULT_MASK_SEARCH_SETTINGS, steps: 100, components: 'heads-channels-layers', seed: 2 },
    });
  });

  it('of searches that say little', () => {
    const document = compile(
      `${HEAD}search r { method: self-pruner } search m { method: policy-gradient score: mine }`,
    );
    expect(searchPlansFor(document, undefined, CONTEXT)).toMatchObject([
      { sparsity: { share: 0.5 }, target: { name: 'wanda-sp' }, baselines: [{ name: 'uniform' }, { name: 'owl' }] },
      { sparsity: { share: 0.5 }, baselines: [{ name: 'wanda-sp' }, { name: 'components by mine' }] },
    ]);
  });

  it('take the language model that is set up where the file names none, and only time from the rest', () => {
    const document = compile(`${HEAD}search r { method: self-pruner llm: "mine" }`);
    const fallback = {
      llm: { provider: 'openai', llm: 'theirs', endpoint: 'http://h/v1' } as const,
      search: { workers: 3, population: 99 },
      settings: { threads: 2, samples: 7 },
    };
    expect(searchPlansFor(document, 'r', { ...CONTEXT, fallback })[0]).toMatchObject({
      llm: { provider: 'openai', llm: 'mine', endpoint: 'http://h/v1' },
      search: { workers: 3, population: 30 },
      settings: { threads: 2, samples: 128 },
    });
  });

  it('of a search for metrics hold a language model and its prompt where one proposes, and nowhere else', () => {
    const document = compile(
      `${HEAD}search m { calibrate: calib proposals: 20% llm: "mine" } search q { calibrate: calib } search z { method: random calibrate: calib proposals: 20% }`,
    );
    const fallback = { llm: { provider: 'openai', llm: 'theirs', endpoint: 'http://h/v1' } as const };
    const plans = searchPlansFor(document, undefined, { ...CONTEXT, fallback });
    for (const plan of plans) expect(searchPlanSchema.parse(plan)).toEqual(plan);
    expect(plans[0]).toMatchObject({
      search: { proposals: 0.2 },
      llm: { ...DEFAULT_LLM_SETTINGS, provider: 'openai', llm: 'mine', endpoint: 'http://h/v1' },
      prompts: { propose: 'p' },
    });
    for (const plan of plans.slice(1))
      expect([plan.kind, 'llm' in plan, 'prompts' in plan]).toEqual(['metrics', false, false]);
    expect(() => searchPlansFor(document, 'm', { folder: FOLDER })).toThrow('prompts');
  });

  it('leave the language model that is set up aside where the file names another provider', () => {
    const document = compile(`${HEAD}search r { method: self-pruner provider: openai }`);
    const fallback = { llm: { provider: 'vscode', llm: 'theirs' } as const };
    expect(searchPlansFor(document, 'r', { ...CONTEXT, fallback })[0]).toMatchObject({
      llm: { provider: 'openai', llm: '', endpoint: '' },
    });
  });

  it('of rates need prompts', () => {
    const document = compile(`${HEAD}search r { method: self-pruner }`);
    expect(() => searchPlansFor(document, 'r', { folder: FOLDER })).toThrow('prompts');
  });

  it('a search from a metric is one for metrics', () => {
    const document = compile(`${HEAD}search r { method: self-pruner at: 30% } search s { population: 9 }`);
    expect(searchPlanFrom(document, 'mine', CONTEXT)).toMatchObject({
      operands: ['W', 'X', 'G'],
      search: { population: 9 },
    });
  });
});

describe('the editor’s outline', () => {
  it('says how a search searches, and when its plan is another one', () => {
    const keyOf = (search: string): string => {
      const document = compile(`${HEAD}search s { ${search} }`);
      const found = document.declarations.find((one): one is SearchDeclaration => one.kind === 'search')!;
      expect(isRunnable(document, found)).toBe(true);
      return searchPlanKey(document, found);
    };
    const keys = [
      'method: self-pruner',
      'method: self-pruner target: mine',
      'method: policy-gradient',
      'method: policy-gradient score: mine',
      'method: random',
    ].map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keyOf('method: self-pruner population: 30')).toBe(keys[0]);
    const { document, source } = cursor(`${HEAD}search s { method: policy-gradient }|`);
    expect(outline(document, source).declarations.at(-1)).toMatchObject({ method: 'policy-gradient', runnable: true });
  });

  it('knows what changes the plan of an experiment', () => {
    const keyOf = (prune: string): string => {
      const document = compile(`${HEAD}experiment e { prune: ${prune} at: 30% }`);
      return new Planner(document).planKey(document.declarations.at(-1)!);
    };
    const prunes = [
      'mine',
      'structure(mine)',
      'structure(wanda-sp)',
      'structure(wanda-sp, owl)',
      'structure(wanda-sp, [0.1, 0.2])',
      'weights(mine, owl)',
    ];
    expect(new Set(prunes.map(keyOf)).size).toBe(prunes.length);
    expect(keyOf('structure(score: mine, rates: uniform)')).toBe(keyOf('structure(mine)'));
    expect(keyOf('weights(mine)')).toBe(keyOf('mine'));
  });
});
