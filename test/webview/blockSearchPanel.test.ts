import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { UnstructuredSparsity } from '../../src/experiment/sparsitySchema.ts';
import { describe, expect, it } from 'vitest';
import type { RateSearchPlan } from '../../src/search/rates/plan.ts';
import type { MaskEvent } from '../../src/search/masks/events.ts';
import type { RateCandidate, RateEvent } from '../../src/search/rates/events.ts';
import { panelItems } from '../../src/view/panelItems.ts';
import type { PanelRun } from '../../src/view/panelMessages.ts';
import type { RunPlan, SearchEvent, SearchPlan } from '../../src/search/kinds.ts';
import { pictureOf } from '../../src/search/masks/picture.ts';
import { foldMaskEvent, newMaskState } from '../../src/search/masks/state.ts';
import type { MaskState } from '../../src/search/masks/state.ts';
import { foldRateEvent, newRateState } from '../../src/search/rates/state.ts';
import type { RateState } from '../../src/search/rates/state.ts';
import { closeScaleOf, lastStep, outOfScale, spokenPoints } from '../../webview-ui/panel/common/lines.ts';
import type { Line } from '../../webview-ui/panel/common/lines.ts';
import { pictureIndex, withPicture } from '../../webview-ui/panel/masks/pictures.ts';
import { emptyPanel, receive } from '../../webview-ui/panel/common/panelData.ts';
import type { PanelData } from '../../webview-ui/panel/common/panelData.ts';
import { progressOf } from '../../webview-ui/panel/common/progress.ts';
import { DEFAULT_CONFIGURATIONS, queryConfigurations } from '../../webview-ui/panel/rates/configurationQuery.ts';
import type { ConfigurationQuery } from '../../webview-ui/panel/rates/configurationQuery.ts';
import { lineageWords, outcomeWords, ratesWords } from '../../webview-ui/panel/rates/rateWords.ts';
import { digitsOf, fitnessInShort, stoppedInFull } from '../../webview-ui/panel/common/words.ts';
import { referencesOf, styleOf } from '../../webview-ui/panel/rates/references.ts';
import { ColourScale, contrast, parseColour } from '../../webview-ui/panel/common/colourScale.ts';
import { columnTicks } from '../../webview-ui/panel/common/heatMap.ts';
import { THEMES } from '../../webview-ui/preview/themes.ts';
import type { Theme } from '../../webview-ui/shared/theme.ts';
import { syntheticEvoPress, syntheticEvoPressPlan } from '../support/syntheticEvoPress.ts';
import { syntheticMaskPlan, syntheticMasks, syntheticRatePlan, syntheticRates } from '../support/syntheticStructure.ts';
import type { Timed } from '../support/syntheticStructure.ts';

const ratePlan = syntheticRatePlan({ population: 8, mutations: 3, crossovers: 3, generations: 6 });
const rateEvents = syntheticRates(ratePlan, { seed: 3 });
const layersPlan = syntheticEvoPressPlan({ drop: 'sublayers', generations: 3, offspring: 9, starts: 9 });
const maskPlan = syntheticMaskPlan({ steps: 300, checkpoints: 6 });
const maskEvents = syntheticMasks(maskPlan, { seed: 3 });

/** The panel after it was sent a run's events in portions. */
function fed(plan: SearchPlan, events: readonly Timed<SearchEvent>[], portion: number): PanelData<RunPlan> {
  const run: PanelRun = { folder: '/run', id: 'run', plan, methodTitle: 'Method', createdAt: 0 };
  let data = receive(emptyPanel(), { kind: 'run', run });
  for (let i = 0; i < events.length; i += portion) {
    const { opening } = data.search;
    const components = opening && 'components' in opening ? opening.components : [];
    const items = structuredClone(panelItems(events.slice(i, i + portion), components));
    data = receive(data, { kind: 'events', items, complete: i + portion >= events.length });
  }
  return data;
}

describe.each([1, 7, 100_000])('a journal that comes in portions of %i', (portion) => {
  it.each<[string, RateSearchPlan, readonly Timed<RateEvent>[]]>([
    ['Self-Pruner', ratePlan, rateEvents],
    ['EvoPress', layersPlan, syntheticEvoPress(layersPlan)],
  ])('of a search for rates by %s folds to the same', (_, plan, events) => {
    const whole = newRateState();
    for (const { event, at } of events) foldRateEvent(whole, event, at);
    // The revision counts events, of which the panel gets fewer.
    expect({ ...fed(plan, events, portion).search, revision: 0 }).toEqual({ ...whole, revision: 0 });
  });

  it('of a search for masks folds to the same, but for the probabilities themselves', () => {
    const whole = newMaskState();
    for (const { event, at } of maskEvents) foldMaskEvent(whole, event, at);
    const { search, pictures } = fed(maskPlan, maskEvents, portion);
    const masks = search as MaskState;
    // Scores are not sent, and times stand still within a portion's steps.
    const known = ({ latest, ...state }: typeof whole) => ({
      ...state,
      ...{ revision: 0, times: undefined },
      latest: latest && { ...latest, values: undefined },
    });
    expect(known(masks)).toEqual(known(whole));
    expect(Math.abs(masks.times.worked - whole.times.worked)).toBeLessThan(2000);
    expect(pictures.map(({ step }) => step)).toEqual(whole.checkpoints.map(({ step }) => step));
  });
});

it('what a language model was asked and replied stays in the journal until somebody wants to read it', () => {
  const text = JSON.stringify(panelItems(rateEvents));
  expect(rateEvents.some(({ event }) => event.kind === 'llm-asked' && event.prompt.includes('You tune'))).toBe(true);
  expect(text).not.toContain('You tune');
  const replies = [...text.matchAll(/"kind":"text","text":"(.)/g)].map(([, first]) => first);
  expect(new Set(replies)).toEqual(new Set(['"']));
});

it('ten thousand steps are few points', () => {
  const steps = Array.from({ length: 10_000 }, (_, step): Timed<MaskEvent> => ({
    ...{ seq: step, at: step },
    event: { kind: 'step', step, losses: [5, step % 7 === 0 ? null : 4], baseline: 4.5, seconds: 0.1 },
  }));
  const masks = fed(syntheticMaskPlan({ steps: 10_000 }), steps, 5000).search as MaskState;
  expect([masks.steps, masks.leftOut]).toEqual([10_000, 1429]);
  expect(masks.losses.length).toBeLessThanOrEqual(4096);
});

describe('pictures of keep-probabilities', () => {
  const { event } = maskEvents.findLast(({ event: { kind } }) => kind === 'probabilities')!;
  const opened = maskEvents[0]!.event;
  if (event.kind !== 'probabilities' || opened.kind !== 'opened') throw new Error('no such events');

  it('hold every component, its histogram and what a block keeps', () => {
    const picture = pictureOf(event, opened.components)!;
    expect([picture.groups.values.length, picture.groups.values[0]?.length, picture.groups.each]).toEqual([6, 4, 1]);
    expect([picture.channels.values[0]?.length, picture.channels.each]).toEqual([688, 1]);
    for (const { histogram } of [picture.groups, picture.channels])
      expect(histogram.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 1);
    expect(picture.retained.every((share) => share > 0.4 && share <= 1)).toBe(true);
  });

  it('put neighbours together where there are very many', () => {
    const blocks = 40;
    const big = syntheticMasks(syntheticMaskPlan({ steps: 1, checkpoints: 1 }), { blocks, until: 0 });
    const [first, values] = [big[0]!.event, big.find(({ event: { kind } }) => kind === 'probabilities')!.event];
    if (first.kind !== 'opened' || values.kind !== 'probabilities') throw new Error('no such events');
    const { channels } = pictureOf(values, first.components)!;
    expect([channels.each, channels.most, channels.values[0]?.length]).toEqual([2, 688, 344]);
  });

  it('are none of values that are not those of the model', () => {
    expect(pictureOf(event, opened.components.slice(1))).toBeUndefined();
  });

  it('are kept in bounded number, the first and the last for certain', () => {
    const picture = pictureOf(event, opened.components)!;
    let all: readonly (typeof picture)[] = [];
    for (let step = 0; step < 1000; step++) all = withPicture(all, { ...picture, step });
    expect(all.length).toBeLessThanOrEqual(120);
    expect([all[0]?.step, all.at(-1)?.step]).toEqual([0, 999]);
    // Early ones are not thinned more than late ones.
    const gaps = all.slice(1).map(({ step }, i) => step - all[i]!.step);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(16);
    expect(withPicture(all, { ...picture, step: 999 })).toBe(all);
    expect([pictureIndex(all, undefined), pictureIndex(all, 0), pictureIndex(all, 5000)]).toEqual([
      all.length - 1,
      0,
      all.length - 1,
    ]);
  });
});

const PANEL = path.join(import.meta.dirname, '../../webview-ui/panel');

/** All files of the panel that end like this, in one text each. */
async function textsOf(ending: string): Promise<string[]> {
  const names = (await readdir(PANEL, { recursive: true })).filter((name) => name.endsWith(ending));
  return Promise.all(names.map((name) => readFile(path.join(PANEL, name), 'utf8')));
}

it('every table has columns and a least width of its own', async () => {
  const kinds = (await textsOf('.ts')).flatMap((text) => {
    const kind = /new VirtualTable\(\{[^}]*?\bkind: '(\w+)'/.exec(text)?.[1];
    return kind === undefined ? [] : [kind];
  });
  expect(kinds.sort()).toEqual(['candidate', 'configuration']);
  const styles = (await textsOf('.css')).join('\n');
  for (const kind of kinds) {
    expect(styles).toMatch(new RegExp(`\\.row\\.${kind} \\{\\s*grid-template-columns:`));
    expect(styles).toMatch(new RegExp(`\\.${kind}s \\{\\s*--least:`));
  }
});

describe('the table of configurations', () => {
  const configuration = (id: number, changes: Partial<RateCandidate>): RateCandidate => ({
    ...{ id, generation: 0, operator: 'spread', parents: [], rates: [0.3, 0.3] },
    outcome: { kind: 'full', perplexity: 150 + id },
    ...changes,
  });
  const all = [
    configuration(0, { outcome: { kind: 'invalid', detail: 'its loss is not finite' } }),
    configuration(1, { operator: 'llm-mutate', repaired: true, rates: [0.1, 0.5] }),
    configuration(2, { operator: 'blend', parents: [1, 0], outcome: { kind: 'shared', of: 1, perplexity: 151 } }),
    configuration(3, { operator: 'llm-cross', rates: [0.29, 0.31] }),
  ];
  const stopped = { kind: 'stopped', rung: 1, blocks: 8, perplexity: 151 } as const;
  const early = configuration(4, { outcome: stopped });
  const sharesIt = configuration(5, { outcome: { kind: 'shared', of: 4, perplexity: 151 } });
  it.each<[string, Partial<ConfigurationQuery>, number[]]>([
    ['by perplexity, invalid ones last, evaluated before shared', {}, [1, 2, 3, 0]],
    ['downwards', { descending: true }, [0, 3, 2, 1]],
    ['by how far from uniform', { sort: 'rates' }, [0, 2, 3, 1]],
    ['repaired ones first', { sort: 'repaired' }, [1, 0, 2, 3]],
    ['filtered by what made them', { text: 'Language Model' }, [1, 3]],
    ['filtered by having been repaired', { text: 'repaired' }, [1]],
    ['filtered by number: itself and its children', { text: '#1' }, [1, 2]],
    ['filtered to nothing', { text: 'owl' }, []],
  ])('%s', (_, query, ids) => {
    expect(queryConfigurations(all, { ...DEFAULT_CONFIGURATIONS, ...query })).toEqual(ids);
  });

  it.each<[string, Partial<ConfigurationQuery>, number[]]>([
    [
      'by perplexity among the others, after those of equal perplexity that were evaluated in full',
      {},
      [1, 4, 2, 3, 0],
    ],
    ['by what became of them', { sort: 'outcome' }, [1, 3, 4, 2, 0]],
    ['found by how they ended', { text: 'Stopped early' }, [4]],
  ])('has those that were stopped %s', (_, query, ids) => {
    expect(queryConfigurations([...all, early], { ...DEFAULT_CONFIGURATIONS, ...query })).toEqual(ids);
  });

  it('shows an estimate as one, without digits that would not be true', () => {
    const byId = new Map([...all, early, sharesIt].map((each) => [each.id, each]));
    const baselines = configuration(6, { outcome: { kind: 'shared', of: -1, perplexity: 151 } });
    const shown = [...byId.values(), baselines].map((each) => fitnessInShort(each, byId, 6));
    expect(shown).toEqual(['', '151.000', '151.000', '153.000', '≈ 151.0', '≈ 151.0', '151.000']);
    expect(outcomeWords(early)).toBe('stopped after 8 blocks');
    expect(stoppedInFull(stopped, 64)).toContain('after 8 of 64 blocks (rung 2)');
    // What is estimated is not told apart by more digits.
    const close = configuration(7, { outcome: { kind: 'stopped', rung: 0, blocks: 8, perplexity: 151.001 } });
    expect([
      digitsOf([all[1]!, close], byId),
      digitsOf([all[1]!, { ...close, outcome: { kind: 'full', perplexity: 151.001 } }], byId),
    ]).toEqual([4, 6]);
  });

  it('says where one comes from and what became of it', () => {
    expect(all.map(lineageWords)).toEqual([
      'spread',
      'language model, mutated',
      'blend of #1 and #0',
      'language model, crossed',
    ]);
    const dropped = { attention: [0, 4], mlp: [4] };
    expect(lineageWords({ operator: 'switch', parents: [3], dropped })).toBe(
      'switch of #3, without attention 1, 5 and MLP 5',
    );
    expect(ratesWords({ rates: [0.5, 0], dropped })).toBe('50 %  0 %, without attention 1, 5 and MLP 5');
    expect(all.map(outcomeWords)).toEqual(['invalid: its loss is not finite', 'evaluated', 'same as #1', 'evaluated']);
    expect(outcomeWords({ outcome: { kind: 'shared', of: -2, perplexity: 1 } })).toBe('same as a baseline');
  });
});

describe('scales', () => {
  const line = (style: Line['style'], ...values: number[]): Line => ({
    label: style,
    points: values.map((y, x) => ({ x, y })),
    style,
  });
  it('show the best and what it is compared with; dense is told where it is far', () => {
    const lines = [line('dense', 100), line('baseline', 148), line('best', 143, 141), line('mean', 1e6, 145)];
    const scale = closeScaleOf(lines);
    expect(scale.min).toBeGreaterThan(130);
    expect(scale.max).toBeLessThan(160);
    expect(outOfScale(lines, scale)).toBe('below the scale: dense 100.0');
    const near = closeScaleOf([line('dense', 139), line('baseline', 148), line('best', 143, 141)]);
    expect(near.min).toBeLessThan(139);
  });

  it.each([
    [0, 1000, 10],
    [60, 60, 60],
    [430, 1000, 500],
    [43_000, 100_000, 50_000],
  ])('%i of %i steps are drawn up to %i', (steps, planned, last) => {
    expect(lastStep(steps, planned, 0.1)).toBe(last);
  });
});

describe('uniform and OWL are what the best is measured by', () => {
  const { share } = ratePlan.sparsity as UnstructuredSparsity;
  const opening = rateEvents[0]!.event as Extract<RateEvent, { kind: 'opened' }>;
  it.each<[string, RateSearchPlan['baselines']]>([
    ['as the plan has them', ratePlan.baselines],
    ['in another order', [...ratePlan.baselines].reverse()],
    ['where the plan has other ones', [{ name: 'mine', rates: { kind: 'given', rates: [0.3] } }]],
    ['where it has none', []],
  ])('%s', (_, baselines) => {
    const rates = fed({ ...ratePlan, baselines }, rateEvents.slice(0, 1), 1).search as RateState;
    const shown = referencesOf(rates, { ...ratePlan, baselines });
    expect(shown.map(({ style, values }) => [style, values])).toEqual([
      ['uniform', opening.components.map(() => share)],
      ['owl', opening.owl],
    ]);
  });

  it('look the same whatever stands first', () => {
    const names = (baselines: RateSearchPlan['baselines']): string[] =>
      baselines.map(({ name }, i) => {
        const event = { kind: 'baseline', id: -1 - i, name, rates: [] } as const;
        return `${name}: ${styleOf(event, { ...ratePlan, baselines })}`;
      });
    const mine = { name: 'mine', rates: { kind: 'given', rates: [0.3] } } as const;
    expect(names(ratePlan.baselines)).toEqual(['uniform: baseline', 'owl: second']);
    expect(names([mine, ...[...ratePlan.baselines].reverse()])).toEqual([
      'mine: third',
      'owl: second',
      'uniform: baseline',
    ]);
  });
});

describe('the columns of a heat map are numbered', () => {
  it.each<[string, number, (column: number) => number, number, string]>([
    ['each where there is room', 4, (column) => column, 10, '0@0 1@1 2@2 3@3'],
    ['in round steps', 21, (column) => column, 5, '0@0 5@5 10@10 15@15 20@20'],
    ['from 1 on', 688, (column) => column + 1, 8, '100@99 200@199 300@299 400@399 500@499 600@599'],
    ['where neighbours share one', 172, (column) => 4 * column + 4, 4, '200@49 400@99 600@149'],
    ['where some were left out', 5, (column) => 3 + 10 * column, 3, '20@2 40@4'],
    ['a single one', 1, () => 1, 0, '1@0'],
  ])('%s', (_, columns, columnNumber, most, ticks) => {
    const all = columnTicks({ columns, columnNumber }, most);
    expect(all.map(({ number, column }) => `${number}@${column}`).join(' ')).toBe(ticks);
  });
});

it('a line in words has some of its points, the last one for certain', () => {
  const points = Array.from({ length: 30 }, (_, i) => ({ x: 10 * i, y: i === 29 ? null : i }));
  const words = spokenPoints(points, String);
  expect(words.startsWith('After 20: 2. After 50: 5.')).toBe(true);
  expect(words.endsWith('After 290: not finite.')).toBe(true);
  expect(spokenPoints([], String)).toBe('');
});

describe.each(Object.entries(THEMES))('colours in the theme %s', (_, { kind, variables }) => {
  const theme = {
    foreground: variables['foreground'],
    background: variables['editor-background'],
    blue: variables['charts-blue'],
    isHighContrast: kind.includes('high-contrast'),
  } as Theme;
  const scale = new ColourScale(theme);
  const background = parseColour(theme.background);

  it('grow away from the background, step by step', () => {
    const steps = [0, 0.25, 0.5, 0.75, 1].map((share) => contrast(scale.at(share), background));
    for (let i = 1; i < steps.length; i++) expect(steps[i]).toBeGreaterThan(steps[i - 1]! * 1.15);
    expect(steps.at(-1)).toBeGreaterThan(4.5);
  });

  it('can be written on', () => {
    for (let share = 0; share <= 1; share += 0.05)
      expect(contrast(scale.at(share), scale.inkOn(share))).toBeGreaterThan(3);
  });
});

it.each([
  ['#fff', [255, 255, 255]],
  ['#1f6feb80', [79, 119, 181]],
  ['rgba(0, 0, 0, 0.5)', [64, 64, 64]],
  ['rgb(1 2 3)', [1, 2, 3]],
  ['tomato', [128, 128, 128]],
])('the colour %s is %o', (text, rgb) => {
  const [red, green, blue] = parseColour(text);
  for (const [i, value] of [red, green, blue].entries()) expect(Math.abs(value - rgb[i]!)).toBeLessThanOrEqual(1);
});

describe('how far a search is', () => {
  const at = (plan: SearchPlan, events: readonly Timed<SearchEvent>[]): string => {
    const { where, left, isFinished } = progressOf(fed(plan, events, 1e6))!;
    return `${where}; ${left}${isFinished ? '; finished' : ''}`;
  };
  const part = (until: number): Timed<RateEvent>[] => syntheticRates(ratePlan, { seed: 3, until });
  it.each<[string, SearchPlan, readonly Timed<SearchEvent>[], RegExp]>([
    ['before the first configurations', ratePlan, rateEvents.slice(0, 1), /^first configurations; $/],
    ['in the third generation', ratePlan, part(2), /^generation 3 \/ 6; \d+ (s|min) left$/],
    ['at the end', ratePlan, rateEvents, /^generation 6 \/ 6; evaluating finalists, 5 of about 5; finished$/],
    ['in the steps', maskPlan, syntheticMasks(maskPlan, { until: 90 }), /^step 90 \/ 300; \d+ (s|min) left$/],
    ['with its masks', maskPlan, maskEvents, /^step 300 \/ 300; .*; finished$/],
  ])('%s', (_, plan, events, words) => {
    expect(at(plan, events)).toMatch(words);
  });
});
