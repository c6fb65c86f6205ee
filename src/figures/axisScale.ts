import { scaleLinear, scaleLog, scaleSymlog } from 'd3-scale';
import type { Axis, ValueFormat } from './figureSchema.ts';

/** An axis with its ends: where values lie on it, and what is written at it. */
export interface AxisScale {
  readonly min: number;
  readonly max: number;
  /** Where a value lies, 0 at the lower end of the axis and 1 at its upper one. */
  readonly at: (value: number) => number;
  readonly ticks: readonly Tick[];
  /** Where the axis is broken, 0 to 1: the middle of the gap. */
  readonly gap: number | undefined;
}

export interface Tick {
  /** 0 to 1. */
  readonly at: number;
  readonly text: string;
}

/** Share of the values' span that an axis reaches beyond them. */
const MARGIN = 0.05;
/** Of the axis, on either side of the middle of a gap. */
const HALF_GAP = 0.02;
/** Percent up to which a `difference` axis is about even. */
const EVEN = 0.5;

/**
 * @param values all that is to be seen, for the ends that the axis does not say itself
 * @param most ticks that there is room for, at least 2
 * @param tight whether the axis ends where its values do, as one that counts generations does
 */
export function axisScale(axis: Axis, values: readonly number[], most: number, tight = false): AxisScale {
  const [min, max] = endsOf(axis, values, tight);
  const place = placeOf(axis, min, max);
  if (axis.categories) {
    return { min, max, at: place, ticks: axis.categories.map((text, i) => ({ at: place(i), text })), gap: undefined };
  }
  const ticks = ticksOf(axis, min, max, most).filter((value) => !inGap(axis, value));
  const format = formatterOf(axis.format ?? (axis.scale === 'difference' ? 'signed-percent' : 'number'), ticks);
  return {
    ...{ min, max, at: place },
    ticks: ticks.map((value) => ({ at: place(value), text: format(value) })),
    gap: axis.gap && place((axis.gap.from + axis.gap.to) / 2),
  };
}

function endsOf({ scale, min, max, gap }: Axis, values: readonly number[], tight: boolean): [number, number] {
  const isLog = scale === 'log';
  const seen = isLog ? values.filter((value) => value > 0) : values;
  const lowest = min ?? seen.reduce((least, value) => Math.min(least, value), Infinity);
  const highest = max ?? seen.reduce((most, value) => Math.max(most, value), -Infinity);
  // Nothing to see is an axis all the same.
  if (!Number.isFinite(lowest) || !Number.isFinite(highest)) return isLog ? [1, 10] : [0, 1];
  if (isLog) return [min ?? lowest / 1.08, Math.max(max ?? highest * 1.08, (min ?? lowest / 1.08) * 1.1)];
  const span = highest - lowest - (gap ? gap.to - gap.from : 0);
  const margin = tight ? 0 : Math.max(MARGIN * span, span === 0 ? Math.max(Math.abs(highest) * MARGIN, 1e-9) : 0);
  const [from, to] = [min ?? lowest - margin, max ?? highest + margin];
  return from < to ? [from, to] : [from, from + 1];
}

function placeOf({ scale, gap }: Axis, min: number, max: number): (value: number) => number {
  switch (scale) {
    case 'log':
      return scaleLog([min, max], [0, 1]);
    case 'difference':
      return scaleSymlog([min, max], [0, 1]).constant(EVEN);
    case 'linear': {
      if (!gap) return scaleLinear([min, max], [0, 1]);
      const middle = gapPlace(min, max, gap);
      const domain = [min, gap.from, gap.to, max];
      return scaleLinear(domain, [0, middle - HALF_GAP, middle + HALF_GAP, 1]);
    }
  }
}

/** Either side has room for some ticks, however little it spans. */
function gapPlace(min: number, max: number, { from, to }: NonNullable<Axis['gap']>): number {
  const [below, above] = [from - min, max - to];
  return Math.min(0.75, Math.max(0.25, below / (below + above)));
}

function inGap({ gap }: Axis, value: number): boolean {
  return gap !== undefined && value > gap.from && value < gap.to;
}

function ticksOf(axis: Axis, min: number, max: number, most: number): number[] {
  switch (axis.scale) {
    case 'log':
      return logTicks(min, max, most);
    case 'difference':
      return differenceTicks(min, max, most);
    case 'linear': {
      const { gap } = axis;
      if (!gap) return linearTicks(min, max, most, axis.whole);
      const middle = gapPlace(min, max, gap);
      const share = (part: number): number => Math.max(1, Math.floor(most * part) - 1);
      return [
        ...linearTicks(min, gap.from, share(middle), axis.whole),
        ...linearTicks(gap.to, max, share(1 - middle), axis.whole),
      ];
    }
  }
}

/** Round numbers, at most so many. */
function linearTicks(min: number, max: number, most: number, whole = false): number[] {
  const scale = scaleLinear([min, max], [0, 1]);
  for (let count = most; count > 1; count--) {
    const ticks = scale.ticks(count).filter((value) => !whole || Number.isInteger(value));
    if (ticks.length <= most && ticks.length > 0) return ticks;
  }
  return scale.ticks(2).slice(0, most);
}

/** 1, 2, 5 and their tenfolds as far as there is room; where not even two of them lie, as of a linear axis. */
function logTicks(min: number, max: number, most: number): number[] {
  for (const factors of [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const ticks = decades(min, max).flatMap((power) => factors.map((factor) => round(factor * 10 ** power)));
    const inside = ticks.filter((value) => value >= min && value <= max);
    if (inside.length > most) continue;
    return inside.length >= 2 ? inside : linearTicks(min, max, most);
  }
  const every = Math.ceil(decades(min, max).length / most);
  return decades(min, max)
    .filter((power) => power % every === 0)
    .map((power) => 10 ** power)
    .filter((value) => value >= min && value <= max);
}

function decades(min: number, max: number): number[] {
  const [first, last] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** From 0 outwards, so that 0 is one of them and the same steps stand above and below. */
function differenceTicks(min: number, max: number, most: number): number[] {
  const place = placeOf({ label: '', scale: 'difference' }, min, max);
  const apart = 1 / most;
  const ticks = min <= 0 && max >= 0 ? [0] : [];
  for (const sign of [1, -1]) {
    let last = place(0);
    for (const size of DIFFERENCES) {
      const value = sign * size;
      if (value < min || value > max || Math.abs(place(value) - last) < apart) continue;
      ticks.push(value);
      last = place(value);
    }
  }
  return ticks.sort((a, b) => a - b);
}

/** 0.1, 0.2, 0.5, 1, … percent. */
const DIFFERENCES = [-1, 0, 1, 2, 3, 4, 5].flatMap((power) => [1, 2, 5].map((factor) => round(factor * 10 ** power)));

function round(value: number): number {
  return Number(value.toPrecision(12));
}

/** One spelling for all ticks of an axis: with the decimals of the one that needs most. */
export function formatterOf(format: ValueFormat, values: readonly number[]): (value: number) => string {
  const factor = format === 'share' ? 100 : 1;
  const decimals = Math.max(0, ...values.map((value) => decimalsOf(value * factor)));
  const isWide = values.some((value) => Math.abs(value) >= 1e6);
  const plain = (value: number): string => (isWide ? power(value) : value.toFixed(decimals)).replace('-', '−');
  switch (format) {
    case 'number':
      return plain;
    case 'share':
      return (value) => `${plain(value * factor)} %`;
    case 'signed-percent':
      // Steps of such an axis differ by magnitudes: each has the decimals that it needs.
      return (value) => `${value > 0 ? '+' : ''}${String(round(value)).replace('-', '−')} %`;
  }
}

function decimalsOf(value: number): number {
  return Math.min(6, String(round(value)).split('.')[1]?.length ?? 0);
}

function power(value: number): string {
  return Math.abs(value) < 1e6 ? String(value) : value.toExponential().replace('e+', 'e');
}
