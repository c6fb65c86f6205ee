import { scaleLinear, scaleLog } from 'd3-scale';
import { formatPerplexity, perplexityDigits } from '../../src/experiment/format.ts';
import { bestOf } from '../../src/search/comparison/comparedRun.ts';
import type { ComparedRun } from '../../src/search/comparison/comparedRun.ts';
import { measured } from '../../src/search/comparison/pinned.ts';
import type { Pinned } from '../../src/search/comparison/pinned.ts';
import { settingColumns } from '../../src/search/comparison/settingColumns.ts';
import type { ComparisonChart } from '../../src/view/comparisonMessages.ts';

/** An axis of parallel coordinates. Heights go from 0, at the bottom, to 1. */
export interface SettingAxis {
  readonly name: string;
  readonly kind: 'linear' | 'logarithmic' | 'words';
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  /** Undefined of a run that has no such setting. */
  readonly heightOf: (run: ComparedRun) => number | undefined;
}

/** From this ratio of the largest to the least on, an axis is logarithmic. */
const WIDE = 30;
/** Words on an axis: more are not read. */
const MOST_WORDS = 12;
const TICKS = 5;

/** The settings that differ, and last what the runs have come to. @param runs all that are compared: axes stay as they are when some are hidden */
export function settingAxes(
  runs: readonly ComparedRun[],
  measure: ComparisonChart['measure'],
  pinned: Pinned | undefined,
): readonly SettingAxis[] {
  const names = ['method', ...settingColumns(runs).differing, 'seed'];
  const axes = names.flatMap((name) => settingAxis(name, runs) ?? []);
  const best = numberAxis(measure === 'fitness' ? 'best' : `best / ${measure}`, runs, (run) => {
    const fitness = bestOf(run);
    return fitness === undefined ? undefined : measured(run, fitness, measure, pinned);
  });
  return [...axes, ...(best ? [best] : [])];
}

function settingAxis(name: string, runs: readonly ComparedRun[]): SettingAxis | undefined {
  const facts = runs.flatMap(({ facts: of }) => of[name] ?? []);
  const words = [...new Set(facts.map(({ text }) => text))];
  // What few runs have tells little of the others.
  if (words.length < 2 || 2 * facts.length < runs.length) return undefined;
  if (facts.every(({ value }) => value !== undefined)) {
    return numberAxis(name, runs, ({ facts: of }) => of[name]?.value);
  }
  if (words.length > MOST_WORDS) return undefined;
  words.sort();
  const heightOf = (text: string): number => (words.indexOf(text) + 0.5) / words.length;
  return {
    ...{ name, kind: 'words' },
    ticks: words.map((text) => ({ at: heightOf(text), text })),
    heightOf: ({ facts: of }) => (of[name] ? heightOf(of[name].text) : undefined),
  };
}

function numberAxis(
  name: string,
  runs: readonly ComparedRun[],
  valueOf: (run: ComparedRun) => number | undefined,
): SettingAxis | undefined {
  const values = runs.flatMap((run) => valueOf(run) ?? []).filter(Number.isFinite);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (values.length < 2 || low === high) return undefined;
  const isWide = low > 0 && high / low >= WIDE;
  const scale = (isWide ? scaleLog() : scaleLinear()).domain([low, high]);
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  // A few values stand there as they are.
  const ticks = distinct.length <= TICKS ? distinct : scale.ticks(TICKS);
  const digits = perplexityDigits(ticks);
  return {
    ...{ name, kind: isWide ? 'logarithmic' : 'linear' },
    ticks: ticks.map((value) => ({ at: scale(value), text: numberText(value, digits) })),
    heightOf: (run) => {
      const value = valueOf(run);
      return value === undefined || !Number.isFinite(value) ? undefined : scale(value);
    },
  };
}

function numberText(value: number, digits: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 0.001 ? value.toExponential(1) : String(Number(formatPerplexity(value, digits)));
}

/** What is brushed of an axis: from one height to another. */
export type Brush = readonly [name: string, low: number, high: number];

/** Whether a run goes through all that is brushed. */
export function isBrushed(run: ComparedRun, axes: readonly SettingAxis[], brushes: readonly Brush[]): boolean {
  return brushes.every(([name, low, high]) => {
    const axis = axes.find((each) => each.name === name);
    if (!axis) return true;
    const height = axis.heightOf(run);
    return height !== undefined && height >= low && height <= high;
  });
}
