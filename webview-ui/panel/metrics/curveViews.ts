import type { Curves } from '../../../src/view/panelMessages.ts';

/** How curves are drawn: against the best baseline of each place, which shows what differs, or as they are. */
export type CurveView = 'baseline' | 'perplexity' | 'logarithmic';

export interface CurveSeries {
  readonly label: string;
  /** Sparsity as a share or number of samples, and a perplexity or a difference in percent. */
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

/** Whether there is a baseline to draw them against. */
export function hasBaseline({ lines }: Curves, baselines: ReadonlySet<string>): boolean {
  return lines.some(({ label, points }) => baselines.has(label) && points.length > 0);
}

/** Every line in percent against the baseline that is the best at that place; of a place without one there is no point. */
export function againstBaseline({ lines }: Curves, baselines: ReadonlySet<string>): readonly CurveSeries[] {
  const lowest = new Map<number, number>();
  for (const { label, points } of lines) {
    if (!baselines.has(label)) continue;
    for (const { at, perplexity } of points) lowest.set(at, Math.min(perplexity, lowest.get(at) ?? Infinity));
  }
  return lines.map(({ label, points }) => ({
    label,
    points: points.flatMap(({ at, perplexity }) => {
      const reference = lowest.get(at);
      return reference === undefined ? [] : [{ at, value: (perplexity / reference - 1) * 100 }];
    }),
  }));
}

export function asPerplexities({ lines }: Curves): readonly CurveSeries[] {
  return lines.map(({ label, points }) => ({
    label,
    points: points.map(({ at, perplexity }) => ({ at, value: perplexity })),
  }));
}
