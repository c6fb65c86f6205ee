import { latexMain } from './formats/latexMain.ts';
import { latexTable } from './formats/latexTable.ts';
import { csvTable } from './formats/csvTable.ts';
import { COLUMN_STYLE } from '../figures/printStyle.ts';
import { figurePdf } from '../figures/pdf.ts';
import { figureSvg } from '../figures/svg.ts';
import type { Line, Table } from './document.ts';
import { printableFigure } from './figures/printableFigure.ts';
import { reportFigures } from './figures/reportFigures.ts';
import { markdownReport } from './formats/markdownReport.ts';
import { bibtex } from './references/bibtex.ts';
import type { ReferenceKey } from './references/references.ts';
import { everyEvaluation } from './reported.ts';
import type { Reported } from './reported.ts';
import { repeatFile } from './repeat/repeatFile.ts';
import type { Places } from './repeat/experimentText.ts';
import { reportTables } from './reportTables.ts';

export const REPORT_FORMATS = ['latex', 'markdown', 'csv', 'svg', 'pdf', 'bib'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export interface ReportOptions {
  readonly formats: readonly ReportFormat[];
  /** Whether the second of each column is underlined. */
  readonly second: boolean;
  /** What the report is called. */
  readonly title: string;
}

/** The files of a report by their paths in its folder: the same bytes of the same runs and evaluations, whoever makes them, and whenever. */
export type ReportFiles = ReadonlyMap<string, string | Uint8Array>;

/** How a report of ours is told from other folders. */
export const REPORT_MARKER = 'report.json';
const FORMAT = 'espalier-report-1';

/** @param places of the folder that it is written to */
export function reportFiles(
  reported: Reported,
  { formats, second, title }: ReportOptions,
  places: Places,
): ReportFiles {
  const has = (format: ReportFormat): boolean => formats.includes(format);
  const files = new Map<string, string | Uint8Array>();
  const evaluations = everyEvaluation(reported);
  const tables = reportTables(reported, second, places.root);
  const figures = reportFigures(reported);
  const repeat = repeatFile(evaluations, places);
  const cited = citedIn(tables);
  files.set('repeat.prune', repeat.text);
  if (has('csv')) for (const table of tables) files.set(`tables/${table.id}.csv`, csvTable(table));
  for (const { id, figure } of figures) {
    if (has('svg')) files.set(`figures/${id}.svg`, figureSvg(figure, COLUMN_STYLE));
    if (has('pdf')) files.set(`figures/${id}.pdf`, figurePdf(printableFigure(figure), COLUMN_STYLE));
  }
  if (has('latex')) {
    for (const table of tables) files.set(`tables/${table.id}.tex`, latexTable(table));
    const shown = has('pdf') ? figures : [];
    const main = { title, tables: tables.map(({ id }) => id), figures: shown, cites: cited.length > 0 };
    files.set('main.tex', latexMain(main));
  }
  // LaTeX without its bibliography does not compile.
  if ((has('bib') || has('latex')) && cited.length > 0) files.set('references.bib', bibtex(cited));
  if (has('markdown')) {
    const shown = has('svg') ? figures : [];
    files.set(
      'report.md',
      markdownReport({ title, tables, figures: shown, left: repeat.left, missing: reported.missing, cited }),
    );
  }
  const marker = { format: FORMAT, files: [...files.keys()].sort() };
  files.set(REPORT_MARKER, `${JSON.stringify(marker, undefined, 2)}\n`);
  return files;
}

/** The files that a marker lists; undefined where it is none of ours. */
export function filesOfMarker(text: string): readonly string[] | undefined {
  try {
    const value = JSON.parse(text) as { readonly format?: unknown; readonly files?: unknown } | null;
    if (value?.format !== FORMAT || !Array.isArray(value.files)) return undefined;
    // A marker may come from anybody: nothing but the names that reports have is believed.
    return value.files.filter((name): name is string => typeof name === 'string' && OWN_FILE.test(name));
  } catch {
    return undefined;
  }
}

const OWN_FILE =
  /^(?:(?:main\.tex|references\.bib|report\.md|repeat\.prune|report\.json)|tables\/[a-z0-9-]{1,80}\.(?:tex|csv)|figures\/[a-z0-9-]{1,80}\.(?:svg|pdf))$/;

/** Keys that tables cite, in their order. */
export function citedIn(tables: readonly Table[]): readonly ReferenceKey[] {
  const lines: readonly Line[] = tables.flatMap(({ caption, notes, rows }) => [
    caption,
    ...notes,
    ...rows.flatMap((row) => row.map(({ line }) => line)),
  ]);
  const keys = lines.flat().flatMap((inline) => (inline.kind === 'cite' ? inline.keys : []));
  return [...new Set(keys)].sort() as ReferenceKey[];
}
