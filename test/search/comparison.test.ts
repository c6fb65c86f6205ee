import { beforeAll, describe, expect, it } from 'vitest';
import { comparedRun } from '../../src/search/comparison/comparedRun.ts';
import type { ComparedRun } from '../../src/search/comparison/comparedRun.ts';
import { comparisonTable, sorted } from '../../src/search/comparison/comparisonTable.ts';
import { bestAt, thinned } from '../../src/search/comparison/curve.ts';
import type { CurvePoint } from '../../src/search/comparison/curve.ts';
import { CurveFold } from '../../src/search/comparison/curveFold.ts';
import { whyNotComparable } from '../../src/search/comparison/fitnessKind.ts';
import { againstPinned } from '../../src/search/comparison/pinned.ts';
import { comparisonAsCsv, comparisonAsMarkdown } from '../../src/search/comparison/printComparison.ts';
import { meanCurve, seedGroups, spreadOf } from '../../src/search/comparison/seedGroups.ts';
import type { RunPlan } from '../../src/search/kinds.ts';
import { differentRuns } from '../support/differentRuns.ts';
import { syntheticPlan } from '../support/syntheticSearch.ts';

let runs: readonly ComparedRun[];
const named = (title: string): ComparedRun => runs.find((run) => run.title === title)!;

beforeAll(async () => {
  const titles = ['a', 'b', 'random', 'steady', 'proposing', 'selfPruner', 'evoPress', 'layers', 'masks', 'recovery'];
  runs = (await differentRuns(60)).map(({ plan, events }, i) => {
    const fold = new CurveFold(plan);
    for (const { event, at } of events) fold.fold(event, at);
    return comparedRun(labels(titles[i]!), fold);
  });
});

function labels(title: string): Parameters<typeof comparedRun>[0] {
  return { folder: `/${title}`, id: `id-${title}`, title, tags: [], state: 'finished', createdAt: 0 };
}

/** A run of a plan that has found these, one each evaluation, and second, and generation. */
function runOf(
  title: string,
  changes: Partial<ReturnType<typeof syntheticPlan>['search']>,
  bests: readonly number[],
  over: object = {},
): ComparedRun {
  const plan: RunPlan = { ...syntheticPlan(changes), ...over };
  const points = bests.map((fitness, i) => ({ fitness, evaluations: i + 1, seconds: i + 1, steps: i + 1 }));
  const end = { evaluations: bests.length, seconds: bests.length, steps: bests.length };
  const baselines = [{ name: 'wanda', fitness: 200 }];
  return { ...comparedRun(labels(title), new CurveFold(plan)), curve: { points, end }, baselines };
}

describe('which numbers can be compared', () => {
  it.each<[one: string, other: string, why: string | undefined]>([
    ['a', 'b', undefined],
    ['a', 'random', undefined],
    ['selfPruner', 'masks', undefined],
    ['a', 'selfPruner', 'another dense model or text: 100.8, not 143.3'],
    ['a', 'recovery', 'perplexity of held-out text, not perplexity'],
  ])('%s and %s', (one, other, why) => {
    expect(whyNotComparable(named(one).fitness, named(other).fitness)).toBe(why);
  });

  it.each<[string, object, string]>([
    [
      'another model',
      { model: '/workspace/models/other' },
      'model /workspace/models/other, not /workspace/models/wikitext-llama-6m',
    ],
    ['another text', { text: '/other.txt' }, 'text /other.txt, not /workspace/data/wiki.valid.txt'],
    ['fewer blocks', { settings: { ...syntheticPlan().settings, blocks: 8 } }, 'blocks 8, not all'],
    ['longer blocks', { settings: { ...syntheticPlan().settings, length: 512 } }, 'length 512, not the model’s'],
    ['by divergence', { search: { ...syntheticPlan().search, objective: 'kl' } }, 'KL from dense, not perplexity'],
  ])('not on %s', (_, over, why) => {
    expect(whyNotComparable(runOf('x', {}, []).fitness, runOf('y', {}, [], over).fitness)).toBe(why);
  });

  it.each([
    ['a run', { kind: 'run', folder: '/x' }, { ratio: 0.9 }],
    ['itself', { kind: 'run', folder: '/y' }, { ratio: 1 }],
    ['a baseline of its own', { kind: 'baseline', name: 'wanda' }, { ratio: 0.45 }],
    ['a baseline that it has not', { kind: 'baseline', name: 'owl' }, { why: 'it has not measured owl' }],
    ['nothing', undefined, undefined],
  ] as const)('the best against %s', (_, pinned, against) => {
    const [x, y] = [runOf('x', {}, [120, 100]), runOf('y', {}, [90])];
    expect(againstPinned(y, pinned, [x, y])).toEqual(against);
  });
});

describe('seeds', () => {
  it('are together where nothing else differs', () => {
    const groups = seedGroups(runs).map((group) => group.runs.map(({ title }) => title));
    expect(groups.filter(({ length }) => length > 1)).toEqual([['a', 'b']]);
    expect(groups.flat()).toEqual(runs.map(({ title }) => title));
  });

  it('have a mean, and the deviation of a sample', () => {
    expect(spreadOf([])).toBeUndefined();
    expect(spreadOf([3])).toEqual({ mean: 3, spread: null, count: 1 });
    expect(spreadOf([1, 2, 3])).toEqual({ mean: 2, spread: 1, count: 3 });
  });

  it('have a mean of their best so far, as far as all of them have come', () => {
    const group = { runs: [runOf('x', { seed: 0 }, [10, 8, 4, 1]), runOf('y', { seed: 1 }, [20, 16])] };
    const curve = meanCurve(group, 'evaluations', (_, fitness) => fitness);
    expect(curve.map(({ at, mean }) => [at, mean])).toEqual([
      [1, 15],
      [2, 12],
    ]);
    expect(curve[0]!.spread).toBeCloseTo(Math.sqrt(50));
  });
});

describe('the best so far', () => {
  it('is what was found last before', () => {
    const { curve } = runOf('x', {}, [10, 8, 4]);
    expect([0.5, 1, 2.9, 3, 3.1].map((at) => bestAt(curve, 'seconds', at))).toEqual([undefined, 10, 8, 4, undefined]);
  });

  it('is thinned to its largest steps down, with both ends', () => {
    const points = [100, 60, 59, 58, 30, 29.9, 29].map((fitness, i): CurvePoint => ({
      fitness,
      evaluations: i,
      seconds: i,
      steps: i,
    }));
    expect(thinned(points, 4).map(({ fitness }) => fitness)).toEqual([100, 60, 30, 29]);
    expect(thinned(points, 7)).toBe(points);
  });
});

describe('the table', () => {
  it('has the settings that differ as columns, those that most runs have first, and the others on one line', () => {
    const { columns, equal } = comparisonTable(['a', 'b', 'random', 'steady'].map(named));
    expect(columns.filter(({ isSetting }) => isSetting).map(({ title }) => title)).toEqual(['evolution']);
    expect(equal.map(({ name }) => name)).toContain('population');
    expect(columns.map(({ key }) => key)).not.toContain('tags');
  });

  it('sorts numbers as numbers, and what is not there last', () => {
    const table = comparisonTable([runOf('x', {}, [100]), runOf('none', {}, []), runOf('y', {}, [9])]);
    const titles = (descending: boolean): string[] =>
      sorted(table.rows, 'best', descending).map(({ run }) => run.title);
    expect([titles(false), titles(true)]).toEqual([
      ['y', 'x', 'none'],
      ['x', 'y', 'none'],
    ]);
  });

  it('is printed as Markdown that shows names as they are, and as CSV with all digits', () => {
    const all = [runOf('x|y <b>', { seed: 0 }, [101.23456]), runOf('z', { seed: 1 }, [99])];
    const table = comparisonTable(all, { kind: 'run', folder: '/z' });
    const [head, , first] = comparisonAsMarkdown(table).split('\n');
    expect(head).toMatch(/^\| run +\| method +\| state +\| +best \| to pinned \|/);
    expect(first).toMatch(/^\| x\\\|y \\<b\\> +\| Pruner-Zero \| finished \| +101\\\.2 \| +\\\+2\.3 % \|/);
    expect(comparisonAsMarkdown(table)).toContain('100.1 ± 1.6 \\(2 seeds, standard deviation\\)');
    const [names, row] = comparisonAsCsv(table).split('\r\n');
    expect(names).toBe('id,run,method,state,best,to pinned,evaluations,time,steps,seed,what it is');
    expect(row).toMatch(/^id-x\|y <b>,x\|y <b>,Pruner-Zero,finished,101\.23456,0\.0225/);
  });
});
