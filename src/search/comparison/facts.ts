import { plainLine } from '../../base/plainText.ts';
import { rowsText } from '../../experiment/corpusRows.ts';
import type { RowsSettings } from '../../experiment/corpusRows.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import type { RunPlan } from '../kinds.ts';

/** One thing that a plan says, in a few words. */
export interface Fact {
  readonly text: string;
  /** The same as a number, where it is one: of a sparsity the share. */
  readonly value?: number;
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

/** Names of facts, the most telling first. */
export function byTelling(names: readonly string[]): readonly string[] {
  return [...names].sort((a, b) => rankOf(a) - rankOf(b));
}

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

/** Everything that a plan says, by what it is called. */
export function factsOf(plan: RunPlan): ReadonlyMap<string, Fact> {
  const facts = new Map<string, Fact>();
  const visit = (value: unknown, at: string): void => {
    if (value === undefined || BESIDE.has(at)) return;
    const text = /^rows\.(.+)$/.exec(at)?.[1];
    if (text !== undefined)
      facts.set(`rows of ${text}`, { text: plainLine(rowsText(value as RowsSettings) ?? '', LONGEST) });
    else if (at === 'sparsity' || at === 'evaluation.sparsity') facts.set('sparsity', sparsityFact(value as Sparsity));
    else if (at === 'evaluation.metric') facts.set('pruned by', factFor(value));
    else if (isSection(at) && typeof value === 'object' && value !== null)
      for (const [name, each] of Object.entries(value)) visit(each, at === '' ? name : `${at}.${name}`);
    else facts.set(NAMES[at] ?? at.replace(/^.*\./, ''), factFor(value));
  };
  visit(plan, '');
  return facts;
}

function isSection(at: string): boolean {
  return ['', 'rows', 'settings', 'search', 'recovery', 'evaluation', 'llm'].includes(at);
}

function sparsityFact(sparsity: Sparsity): Fact {
  const text = printSparsity(sparsity).replace('%', ' %');
  return sparsity.kind === 'unstructured' ? { text, value: sparsity.share } : { text };
}

function factFor(value: unknown): Fact {
  const text = typeof value === 'string' ? shortPath(value) : Array.isArray(value) ? listOf(value) : nameOf(value);
  return { text: plainLine(text, LONGEST), ...(typeof value === 'number' && { value }) };
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
