import { plainLine } from '../base/plainText.ts';
import type { RunPlan } from '../search/kinds.ts';
import { rowsText } from '../experiment/corpusRows.ts';
import type { RowsSettings } from '../experiment/corpusRows.ts';
import { printSparsity } from '../experiment/sparsity.ts';
import type { Sparsity } from '../experiment/sparsitySchema.ts';
import type { RunNotes } from './runNotes.ts';

/** What a run is called where runs stand beside each other. */
export interface RunTitle {
  /** The name that somebody gave it; else that of its search, with a number where several runs are of one search. */
  readonly title: string;
  /** What tells it from the other runs of its search: `seed 1`, `population 100`. The name of the search where the title is another. */
  readonly details: readonly string[];
}

interface Titled {
  /** Sorts by time. */
  readonly id: string;
  readonly plan: RunPlan;
  readonly notes: RunNotes;
}

/** Titles of the runs of one workspace folder, by id. Runs of one search are numbered from the oldest on. */
export function runTitles(runs: readonly Titled[]): ReadonlyMap<string, RunTitle> {
  const bySearch = new Map<string, Titled[]>();
  for (const run of [...runs].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const group = bySearch.get(run.plan.name) ?? [];
    bySearch.set(run.plan.name, group);
    group.push(run);
  }
  const titles = new Map<string, RunTitle>();
  for (const [search, group] of bySearch) {
    const differing = differences(group.map(({ plan }) => plan));
    for (const [i, { id, notes }] of group.entries()) {
      const counted = plainLine(group.length > 1 ? `${search} (${i + 1})` : search);
      const details = notes.name === undefined ? differing[i]! : [counted, ...differing[i]!];
      titles.set(id, { title: notes.name ?? counted, details });
    }
  }
  return titles;
}

/** For each plan what it says where the plans say different things: `seed 1`, the most telling first. */
export function differences(plans: readonly RunPlan[]): readonly (readonly string[])[] {
  const facts = plans.map(factsOf);
  const names = [...new Set(facts.flatMap((each) => [...each.keys()]))];
  const differing = names.filter((name) => new Set(facts.map((each) => each.get(name) ?? '')).size > 1);
  const ranked = differing.sort((a, b) => rankOf(a) - rankOf(b));
  return facts.map((each) => ranked.map((name) => `${name} ${each.get(name) ?? '–'}`));
}

/** What is asked for first when two runs differ; everything else comes in the order of the plan. */
const TELLING = [
  'method',
  'sparsity',
  'protocol',
  'model',
  'seed',
  'population',
  'generations',
  'steps',
  'text',
  'calibration',
];

function rankOf(name: string): number {
  const rank = TELLING.indexOf(name);
  return rank < 0 ? TELLING.length : rank;
}

/** Nothing that decides the result differs by these. */
const BESIDE = new Set(['name', 'settings.threads', 'search.workers']);
/** Names that a person would not understand, or that two things have. */
const NAMES: Readonly<Record<string, string>> = {
  'settings.seed': 'calibration seed',
  'settings.length': 'block length',
  'llm.provider': 'language model by',
  'llm.model': 'language model',
};
const LONGEST = 32;

/** Everything that a plan says, by what it is called, in a few words. */
function factsOf(plan: RunPlan): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  const visit = (value: unknown, at: string): void => {
    if (value === undefined || BESIDE.has(at)) return;
    const text = /^rows\.(.+)$/.exec(at)?.[1];
    if (text !== undefined) facts.set(`rows of ${text}`, plainLine(rowsText(value as RowsSettings) ?? '', LONGEST));
    else if (at === 'sparsity' || at === 'evaluation.sparsity')
      facts.set('sparsity', printSparsity(value as Sparsity).replace('%', ' %'));
    else if (at === 'evaluation.metric') facts.set('pruned by', wordsFor(value));
    else if (isSection(at) && typeof value === 'object' && value !== null)
      for (const [name, each] of Object.entries(value)) visit(each, at === '' ? name : `${at}.${name}`);
    else facts.set(NAMES[at] ?? at.replace(/^.*\./, ''), wordsFor(value));
  };
  visit(plan, '');
  return facts;
}

function isSection(at: string): boolean {
  return ['', 'rows', 'settings', 'search', 'recovery', 'evaluation', 'llm'].includes(at);
}

function wordsFor(value: unknown): string {
  const text = typeof value === 'string' ? shortPath(value) : Array.isArray(value) ? listOf(value) : nameOf(value);
  return plainLine(text, LONGEST);
}

/** Numbers as a file lists them: what stands behind them begins with a comma, too. */
function listOf(values: readonly unknown[]): string {
  const list = values.map(nameOf).join(', ');
  return values.length > 0 && values.every((value) => typeof value === 'number') ? `[${list}]` : list;
}

/** A metric or baseline by its name; what has none in full. */
function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { metric, name } = value as { readonly metric?: unknown; readonly name?: unknown };
  return typeof metric === 'string' ? metric : typeof name === 'string' ? name : JSON.stringify(value);
}

/** The end of a path is what differs. */
function shortPath(text: string): string {
  return text.length > LONGEST && text.includes('/') ? text.replace(/^.*\//s, '…/') : text;
}
