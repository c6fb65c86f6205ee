import type { Table } from '../document.ts';
import { referenceOf } from '../references/references.ts';
import type { ReferenceKey } from '../references/references.ts';
import { markdownLine, markdownTable } from './markdownTable.ts';
import { markdownWords } from './markdownWords.ts';

/** The report as a page that GitHub and editors show. */
export function markdownReport({
  title,
  tables,
  figures,
  left,
  missing,
  cited,
}: {
  readonly title: string;
  readonly tables: readonly Table[];
  readonly figures: readonly { readonly id: string; readonly caption: string }[];
  readonly left: readonly string[];
  readonly missing: readonly string[];
  readonly cited: readonly ReferenceKey[];
}): string {
  const parts = [
    `# ${markdownWords(title)}`,
    ...(missing.length === 0
      ? []
      : [['Not in this report:', '', ...missing.map((one) => `- ${markdownWords(one)}`)].join('\n')]),
    ...tables.flatMap((table) => [
      `## ${markdownLine(table.caption).replace(/[.,]$/, '')}`,
      markdownTable(table),
      ...(table.notes.length === 0 ? [] : [table.notes.map(markdownLine).join(' ')]),
    ]),
    ...(figures.length === 0 ? [] : ['## Figures']),
    ...figures.flatMap(({ id, caption }) => [
      `![${markdownWords(caption)}](figures/${id}.svg)`,
      markdownWords(caption),
    ]),
    '## Repeating it',
    'Every number again: `espalier evaluate repeat.prune` in this folder. Paths in the file are relative to it.',
    ...(left.length === 0
      ? []
      : [['What it cannot repeat:', '', ...left.map((one) => `- ${markdownWords(one)}`)].join('\n')]),
    ...(cited.length === 0 ? [] : ['## References', cited.map(referenceLine).join('\n')]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function referenceLine(key: ReferenceKey): string {
  const { authors, title, venue, year, arXiv } = referenceOf(key);
  const first = authors[0]!.split(',')[0]!;
  const who =
    authors.length === 1
      ? first
      : authors.length === 2
        ? `${first} and ${authors[1]!.split(',')[0]!}`
        : `${first} et al.`;
  const where = venue ?? (arXiv === undefined ? undefined : `arXiv ${arXiv}`);
  return `- ${markdownWords(`${who}: ${title}. ${where === undefined ? '' : `${where}, `}${year}.`)}`;
}
