import { formatChange, formatGap, formatPerplexity, formatSeconds, perplexityDigits } from '../../experiment/format.ts';
import { formatFitness, FITNESS_WORDS } from '../lifecycle/fitnessText.ts';
import { bestOf } from './comparedRun.ts';
import type { ComparedRun } from './comparedRun.ts';
import { whyNotComparable } from './fitnessKind.ts';
import { againstPinned } from './pinned.ts';
import type { Pinned } from './pinned.ts';
import { seedGroups, spreadOfBest } from './seedGroups.ts';
import { settingColumns } from './settingColumns.ts';
import type { SettingColumns } from './settingColumns.ts';

export interface ComparisonColumn {
  readonly key: string;
  readonly title: string;
  readonly isNumber: boolean;
  /** Whether it is a setting of the plans, which stand here as far as they differ. */
  readonly isSetting: boolean;
}

export interface ComparisonCell {
  readonly text: string;
  /** What it sorts by, and what stands in a file for machines; without one the text. */
  readonly value?: number;
  /** What a person may wonder about. */
  readonly why?: string;
  /** Whether it is a number of another kind than those of the run that the others are compared with. */
  readonly isApart?: true;
}

export interface ComparisonRow {
  readonly run: ComparedRun;
  readonly cells: Readonly<Record<string, ComparisonCell>>;
}

export interface ComparisonTable {
  readonly columns: readonly ComparisonColumn[];
  readonly rows: readonly ComparisonRow[];
  /** The same for all. */
  readonly equal: SettingColumns['equal'];
  /** Of runs that differ in their seed alone: their mean and spread, in words. */
  readonly seeds: readonly string[];
  /** Why not all of the numbers can be compared; empty where they can. */
  readonly notes: readonly string[];
}

const DASH: ComparisonCell = { text: '–' };

/** Runs beside each other, in the order in which they came. Columns in which no run has anything are left out. */
export function comparisonTable(runs: readonly ComparedRun[], pinned?: Pinned): ComparisonTable {
  const settings = settingColumns(runs);
  const digits = perplexityDigits(runs.map(bestOf));
  const shown = COLUMNS.map(({ cell, ...column }) => ({
    ...column,
    cells: runs.map((run) => cell(run, { runs, pinned, digits })),
  })).filter(({ key, cells }) => ALWAYS.has(key) || cells.some((cell) => cell !== undefined));
  const said = settings.differing.map((name) => {
    const facts = runs.map(({ facts: of }) => of[name]);
    const isNumber = facts.every((fact) => fact === undefined || fact.value !== undefined);
    return { key: `setting ${name}`, title: name, isNumber, isSetting: true, cells: facts };
  });
  const found = { key: 'found', title: 'what it is', isNumber: false, isSetting: false };
  const all = [
    ...shown.map((column) => ({ ...column, isSetting: false })),
    ...said,
    { ...found, cells: runs.map((run) => (run.found === '' ? undefined : { text: run.found })) },
  ];
  return {
    columns: all.map(({ key, title, isNumber, isSetting }) => ({ key, title, isNumber, isSetting })),
    rows: runs.map((run, i) => ({
      run,
      cells: Object.fromEntries(all.map(({ key, cells }) => [key, cells[i] ?? DASH])),
    })),
    equal: settings.equal,
    seeds: seedLines(runs, digits),
    notes: notesOf(runs, pinned),
  };
}

interface Context {
  readonly runs: readonly ComparedRun[];
  readonly pinned: Pinned | undefined;
  readonly digits: number;
}

/** Also where they are empty: a person looks for them. */
const ALWAYS = new Set(['run', 'method', 'state', 'best']);

const COLUMNS: readonly {
  readonly key: string;
  readonly title: string;
  readonly isNumber: boolean;
  readonly cell: (run: ComparedRun, context: Context) => ComparisonCell | undefined;
}[] = [
  { key: 'run', title: 'run', isNumber: false, cell: ({ title, id }) => ({ text: title, why: id }) },
  { key: 'method', title: 'method', isNumber: false, cell: ({ method }) => ({ text: method }) },
  {
    key: 'tags',
    title: 'tags',
    isNumber: false,
    cell: ({ tags }) => (tags.length === 0 ? undefined : { text: tags.join(', ') }),
  },
  {
    key: 'state',
    title: 'state',
    isNumber: false,
    cell: ({ state, trouble }) => ({ text: state, ...(trouble !== undefined && { why: trouble }) }),
  },
  {
    key: 'best',
    title: 'best',
    isNumber: true,
    cell: (run, { digits, runs, pinned }) => {
      const best = bestOf(run);
      if (best === undefined) return undefined;
      const { objective, of } = run.fitness;
      const short = FITNESS_WORDS[objective].short;
      const apart = whyNotComparable(referenceOf(runs, pinned).fitness, run.fitness);
      return {
        text: `${short} ${formatFitness(best, objective, digits)}`.trimStart(),
        value: best,
        ...(apart === undefined ? { why: of['what'] ?? '' } : { why: `not comparable: ${apart}`, isApart: true }),
      };
    },
  },
  {
    key: 'dense',
    title: 'to dense',
    isNumber: true,
    cell: (run) => {
      const [best, { dense }] = [bestOf(run), run.fitness];
      if (best === undefined || dense === null) return undefined;
      return { text: formatChange(best, dense), value: best / dense - 1 };
    },
  },
  {
    key: 'pinned',
    title: 'to pinned',
    isNumber: true,
    cell: (run, { pinned, runs }) => {
      const against = againstPinned(run, pinned, runs);
      if (!against) return undefined;
      if ('why' in against) return { text: '–', why: against.why };
      if (pinned?.kind === 'run' && pinned.folder === run.folder) return { text: 'pinned', value: 0 };
      return { text: formatGap(against.ratio, 1), value: against.ratio - 1 };
    },
  },
  { key: 'evaluated', title: 'evaluated', isNumber: true, cell: ({ evaluated }) => perplexityCell(evaluated) },
  { key: 'test', title: 'unseen text', isNumber: true, cell: ({ test }) => perplexityCell(test) },
  {
    key: 'evaluations',
    title: 'evaluations',
    isNumber: true,
    cell: ({ curve: { end } }) =>
      end.evaluations === null ? undefined : { text: end.evaluations.toFixed(0), value: end.evaluations },
  },
  {
    key: 'time',
    title: 'time',
    isNumber: true,
    cell: ({ curve: { end } }) => ({ text: formatSeconds(end.seconds), value: end.seconds }),
  },
  {
    key: 'steps',
    title: 'steps',
    isNumber: true,
    cell: ({ curve: { end } }) => ({ text: String(end.steps), value: end.steps }),
  },
  { key: 'seed', title: 'seed', isNumber: true, cell: ({ seed }) => ({ text: String(seed), value: seed }) },
  {
    key: 'note',
    title: 'note',
    isNumber: false,
    cell: ({ note }) => (note === undefined ? undefined : { text: note }),
  },
];

function perplexityCell(perplexity: number | null): ComparisonCell | undefined {
  return perplexity === null ? undefined : { text: formatPerplexity(perplexity), value: perplexity };
}

/** `metrics_for_tiny: 152.3 ± 0.42 (3 seeds)`. */
function seedLines(runs: readonly ComparedRun[], digits: number): readonly string[] {
  return seedGroups(runs).flatMap((group) => {
    const of = spreadOfBest(group);
    if (of?.spread == null) return [];
    const { objective } = group.runs[0]!.fitness;
    const mean = formatFitness(of.mean, objective, digits);
    const names = [...new Set(group.runs.map(({ search }) => search))].join(', ');
    return [`${names}: ${mean} ± ${Number(of.spread.toPrecision(2))} (${of.count} seeds, standard deviation)`];
  });
}

/** What the numbers of the others are told beside: the pinned run, or the first. */
function referenceOf(runs: readonly ComparedRun[], pinned: Pinned | undefined): ComparedRun {
  const folder = pinned?.kind === 'run' ? pinned.folder : undefined;
  return runs.find((run) => run.folder === folder) ?? runs[0]!;
}

/** Against the pinned run, or the first: only numbers of one kind are told from each other. */
function notesOf(runs: readonly ComparedRun[], pinned: Pinned | undefined): readonly string[] {
  if (runs.length === 0) return [];
  const to = referenceOf(runs, pinned);
  const byReason = new Map<string, string[]>();
  for (const run of runs) {
    const why = whyNotComparable(to.fitness, run.fitness);
    if (why !== undefined) byReason.set(why, [...(byReason.get(why) ?? []), run.title]);
  }
  return [...byReason].map(([why, titles]) => `not comparable with ${to.title}: ${titles.join(', ')} (${why})`);
}

/** Rows by a column; those that have nothing there stand last, whichever way. */
export function sorted(rows: readonly ComparisonRow[], key: string, descending: boolean): readonly ComparisonRow[] {
  const sign = descending ? -1 : 1;
  return [...rows].sort(({ cells: a }, { cells: b }) => {
    const [one, other] = [a[key] ?? DASH, b[key] ?? DASH];
    const [isNone, isOtherNone] = [isEmpty(one), isEmpty(other)];
    if (isNone || isOtherNone) return Number(isNone) - Number(isOtherNone);
    if (one.value !== undefined && other.value !== undefined) return sign * (one.value - other.value);
    return sign * (one.text < other.text ? -1 : one.text > other.text ? 1 : 0);
  });
}

function isEmpty({ text, value }: ComparisonCell): boolean {
  return value === undefined && text === DASH.text;
}
