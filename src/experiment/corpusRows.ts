import { defaultsOf } from './settingRow.ts';
import type { SaidSettings, SettingsOf, SettingTable } from './settingRow.ts';

/** How the rows of a data set become a text. JSON, JSON lines and Parquet have rows; a plain text has those that `rows` says. */
export const ROWS_SETTINGS = {
  field: {
    kind: 'text',
    default: '',
    documentation: 'field of a row that holds its text; without it `text`, or the only field with text in it',
  },
  rows: {
    kind: 'choice',
    default: 'whole',
    choices: ['whole', 'wikitext', 'lines'],
    documentation:
      'rows of a plain text: none (it is taken as it is), those of WikiText (a line keeps its line feed, a blank one is an empty row), or its lines, without line feeds and blanks around them',
  },
  join: {
    kind: 'choice',
    default: 'blank-line',
    choices: ['blank-line', 'line', 'space', 'nothing'],
    documentation: 'what stands between rows that are joined: two line feeds, one, a space, or nothing',
  },
  first: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    documentation: 'rows that are taken, from the start; 0 takes all',
  },
} as const satisfies SettingTable;

export type RowsSettings = SettingsOf<typeof ROWS_SETTINGS>;
export const DEFAULT_ROWS: RowsSettings = defaultsOf(ROWS_SETTINGS);

/** What stands between rows. */
export const JOINS: Readonly<Record<RowsSettings['join'], string>> = {
  'blank-line': '\n\n',
  line: '\n',
  space: ' ',
  nothing: '',
};

/** The texts that a plan names. */
export type PlannedText = 'text' | 'calibration' | 'gradients' | 'train' | 'validate' | 'test';

/** What is said of rows that is not said by default: equal exactly where two texts are made of a file alike. */
export function saidOfRows(rows: SaidSettings | undefined): SaidSettings | undefined {
  const said = Object.entries(rows ?? {}).filter(
    ([name, value]) => Object.hasOwn(DEFAULT_ROWS, name) && value !== DEFAULT_ROWS[name as keyof RowsSettings],
  );
  return said.length === 0 ? undefined : Object.fromEntries(said);
}

/** "rows wikitext, join space": how a text is made of its file, where that is not as ever. */
export function rowsText(rows: RowsSettings | undefined): string | undefined {
  const said = Object.entries(saidOfRows(rows) ?? {}).map(([name, value]) => `${name} ${String(value)}`);
  return said.length === 0 ? undefined : said.join(', ');
}
