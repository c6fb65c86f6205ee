import type { ComparedRun } from '../../src/search/comparison/comparedRun.ts';
import type { Pinned } from '../../src/search/comparison/pinned.ts';
import type { ComparisonChart, ComparisonMemory } from '../../src/view/comparisonMessages.ts';
import type { Brush } from './settingAxes.ts';

/** What a person looks at: everything that is remembered. */
export interface Looking {
  chart: ComparisonChart;
  pinned: Pinned | undefined;
  sort: { readonly key: string; readonly descending: boolean };
  /** What the rows have to hold. */
  text: string;
  /** What tag they have to have; empty for any. */
  tag: string;
  readonly hidden: Set<string>;
  brushes: readonly Brush[];
}

export function lookingAt(memory: ComparisonMemory | undefined): Looking {
  return {
    chart: memory?.chart ?? { along: 'evaluations', measure: 'fitness', whole: false, grouped: false },
    pinned: memory?.pinned,
    sort: memory?.sort ?? { key: 'best', descending: false },
    text: memory?.text ?? '',
    tag: memory?.tag ?? '',
    hidden: new Set(memory?.hidden ?? []),
    brushes: memory?.brushes ?? [],
  };
}

export function memoryOf(looking: Looking, folders: readonly string[]): ComparisonMemory {
  const { chart, pinned, sort, text, tag, hidden, brushes } = looking;
  return {
    ...{ folders, chart, sort, text, tag, brushes },
    hidden: [...hidden].filter((folder) => folders.includes(folder)),
    ...(pinned && { pinned }),
  };
}

/** Whether a row is among those that were asked for by words and tag. */
export function isAskedFor(run: ComparedRun, { text, tag }: Pick<Looking, 'text' | 'tag'>): boolean {
  if (tag !== '' && !run.tags.includes(tag)) return false;
  const words = text.toLowerCase().split(/\s+/);
  const settings = Object.entries(run.facts).map(([name, fact]) => `${name} ${fact.text}`);
  const said = [run.title, run.id, run.method, run.state, run.note ?? '', run.found, ...run.tags, ...settings]
    .join(' ')
    .toLowerCase();
  return words.every((word) => said.includes(word));
}
