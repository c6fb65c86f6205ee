import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { parseSparsity, printSparsity } from '../../src/experiment/sparsity.ts';
import type { EvaluationPlan } from '../../src/experiment/planSchema.ts';
import { overridePlans, planOfFlags } from '../../src/cli/flags/plans.ts';
import type { PlanFlags } from '../../src/cli/flags/plans.ts';

const WANDA = { metric: 'wanda', expression: { kind: 'operand', name: 'X' } } as const;
const MAGNITUDE = { metric: 'magnitude', expression: { kind: 'operand', name: 'W' } } as const;
const NOTHING: PlanFlags = { prunings: [], sparsities: [], settings: {} };

const asPruning = ({ metric, expression }: typeof WANDA | typeof MAGNITUDE) => ({
  label: metric,
  metric: undefined,
  expression,
});
const sparsities = (...texts: string[]) => texts.map((text) => parseSparsity(text)!);
const plan = (change: Partial<EvaluationPlan> = {}): EvaluationPlan => ({
  model: '/m',
  text: '/t',
  evaluations: [],
  settings: DEFAULT_SETTINGS,
  ...change,
});
const pairs = (plans: readonly EvaluationPlan[]) =>
  plans.map(({ evaluations }) => evaluations.map(({ metric, sparsity }) => `${metric} ${printSparsity(sparsity)}`));

describe('planOfFlags', () => {
  const flags: PlanFlags = { ...NOTHING, model: 'models/tiny', text: '/data/test.txt' };

  it('takes paths from the current folder and settings from the table', () => {
    expect(planOfFlags(flags, '/home/me')).toEqual({
      model: '/home/me/models/tiny',
      text: '/data/test.txt',
      evaluations: [],
      settings: DEFAULT_SETTINGS,
    });
  });

  it.each([
    [[], ['wanda 50%', 'magnitude 50%']],
    [
      ['30%', '2:4'],
      ['wanda 30%', 'wanda 2:4', 'magnitude 30%', 'magnitude 2:4'],
    ],
  ])('sparsities %j', (texts, expected) => {
    const made = planOfFlags(
      { ...flags, prunings: [WANDA, MAGNITUDE].map(asPruning), sparsities: sparsities(...texts) },
      '/',
    );
    expect(pairs([made])).toEqual([expected]);
  });

  it.each(['model', 'text'] as const)('asks for --%s by name', (name) => {
    const rest = Object.fromEntries(Object.entries(flags).filter(([flag]) => flag !== name)) as unknown as PlanFlags;
    expect(() => planOfFlags(rest, '/')).toThrow(`no --${name}`);
  });
});

describe('overridePlans', () => {
  const [half, sparse] = [sparsities('50%')[0]!, sparsities('2:4')[0]!];
  const file = [
    plan({ evaluations: [WANDA, MAGNITUDE].flatMap((m) => [half, sparse].map((sparsity) => ({ ...m, sparsity }))) }),
  ];

  it.each<[string, Partial<PlanFlags>, string[][]]>([
    ['nothing to override', {}, [['wanda 50%', 'wanda 2:4', 'magnitude 50%', 'magnitude 2:4']]],
    ['another sparsity, each metric once', { sparsities: sparsities('4:8') }, [['wanda 4:8', 'magnitude 4:8']]],
  ])('%s', (_, flags, expected) => {
    expect(pairs(overridePlans(file, { ...NOTHING, ...flags }, '/'))).toEqual(expected);
  });

  it('lays paths and settings over the file', () => {
    const [made] = overridePlans(
      file,
      { ...NOTHING, model: 'x', text: 'y', calibration: 'z', settings: { seed: 7, device: 'cpu' } },
      '/here',
    );
    expect(made).toMatchObject({ model: '/here/x', text: '/here/y', calibration: '/here/z' });
    expect(made!.settings).toEqual({ ...DEFAULT_SETTINGS, seed: 7, device: 'cpu' });
  });

  it('joins plans that the flags made equal, and drops what is asked twice', () => {
    const a = plan({ text: '/a', evaluations: [{ ...WANDA, sparsity: half }] });
    const b = plan({ text: '/b', evaluations: [WANDA, MAGNITUDE].map((m) => ({ ...m, sparsity: half })) });
    expect(pairs(overridePlans([a, b], NOTHING, '/'))).toEqual([['wanda 50%'], ['wanda 50%', 'magnitude 50%']]);
    expect(pairs(overridePlans([a, b], { ...NOTHING, text: '/c' }, '/'))).toEqual([['wanda 50%', 'magnitude 50%']]);
  });
});
