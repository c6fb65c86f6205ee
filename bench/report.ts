/** One line of the benchmark. With a peer, ratio says how many times better we are: above 1 is better for us, for every unit. */
export interface Row {
  readonly work: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly ratio: number | null;
  readonly unit: string;
  /** Who the peer is, where there are several. */
  readonly against?: string;
  /** What is asked for; absent where nothing is. */
  readonly goal?: Goal;
  /** Ratio of each side's best round: what is left when other work on the machine disturbs most rounds. */
  readonly best?: number;
  /** Smallest and largest ratio (or figure, without a peer) of the rounds. */
  readonly range?: readonly [number, number];
}

export interface Goal {
  /** Whether the goal is on the ratio (more is better) or on our own figure (less is better). */
  readonly of: 'ratio' | 'ours';
  readonly bar: number;
  readonly stretch: number;
}

export type Verdict = 'stretch' | 'pass' | 'miss' | 'not measured' | '';

export function verdict({ goal, ours, ratio }: Row): Verdict {
  if (goal === undefined) return '';
  if (goal.of === 'ours') return ours <= goal.stretch ? 'stretch' : ours <= goal.bar ? 'pass' : 'miss';
  if (ratio === null) return 'not measured';
  return ratio >= goal.stretch ? 'stretch' : ratio >= goal.bar ? 'pass' : 'miss';
}

export function rowJson(row: Row): string {
  return JSON.stringify({ ...row, verdict: verdict(row) || undefined });
}

export function rowTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.work,
    number(row.ours),
    row.peer === null ? '–' : number(row.peer),
    row.unit,
    row.ratio === null ? '–' : row.ratio.toFixed(2),
    row.best === undefined ? '–' : row.best.toFixed(2),
    row.range === undefined ? '' : row.range.map((bound) => bound.toFixed(2)).join('–'),
    goalText(row.goal),
    verdict(row),
    row.against ?? '',
  ]);
  const table = [['work', 'ours', 'peer', 'unit', 'ratio', 'best', 'range', 'bar (stretch)', '', ''], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  const right = new Set([1, 2, 4, 5]);
  return table
    .map((line) =>
      line
        .map((cell, i) => (right.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Middle value; the mean of the middle two where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Ours against the peer's, round by round: each ratio is of two runs that followed each other. Less is better on both sides. */
export function comparedRow(
  work: string,
  unit: string,
  ours: readonly number[],
  peer: readonly number[] | undefined,
  goal?: Goal,
): Row {
  const ratios = peer?.map((value, round) => value / ours[round]!);
  const spread = ratios ?? ours;
  return {
    work,
    ours: round(median(ours)),
    peer: peer === undefined ? null : round(median(peer)),
    ratio: ratios === undefined ? null : round(median(ratios)),
    unit,
    ...(peer === undefined ? {} : { best: round(Math.min(...peer) / Math.min(...ours)) }),
    ...(goal === undefined ? {} : { goal }),
    range: [round(Math.min(...spread)), round(Math.max(...spread))],
  };
}

function goalText(goal: Goal | undefined): string {
  if (goal === undefined) return '';
  return goal.of === 'ratio' ? `≥ ${goal.bar} (${goal.stretch})` : `≤ ${goal.bar} (${goal.stretch})`;
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
