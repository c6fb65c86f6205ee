import type { ComparisonTable } from '../../search/comparison/comparisonTable.ts';

/** Settings that a terminal shows: more have no room on a line. */
const MOST_SETTINGS = 6;
const WIDEST = 40;

/** A table for a terminal: what is known of each run, and the first of the settings that differ. */
export function comparisonLines({ columns, rows, equal, seeds, notes }: ComparisonTable): readonly string[] {
  const settings = columns.filter(({ isSetting }) => isSetting);
  const left = new Set(settings.slice(MOST_SETTINGS).map(({ key }) => key));
  const shown = columns.filter(({ key }) => !left.has(key) && key !== 'note');
  const texts = rows.map(({ cells }) => shown.map(({ key }) => cut(cells[key]?.text ?? '–')));
  const widths = shown.map(({ title }, i) => Math.max(title.length, ...texts.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (shown[i]!.isNumber ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [
    line(shown.map(({ title }) => title)),
    ...texts.map(line),
    ...(left.size === 0
      ? []
      : ['', `${left.size} more settings differ; --csv, --markdown and --json have all of them`]),
    ...(seeds.length === 0 ? [] : ['', ...seeds]),
    ...(notes.length === 0 ? [] : ['', ...notes]),
    ...(equal.length === 0
      ? []
      : ['', `the same for all: ${equal.map(({ name, text }) => `${name} ${text}`).join(', ')}`]),
  ];
}

function cut(text: string): string {
  return text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text;
}
