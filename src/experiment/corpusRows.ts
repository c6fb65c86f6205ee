import type { SettingsOf, SettingTable } from './settingRow.ts';

/** How the rows of a data set become a text. */
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
      'rows of a plain text: none (it is taken as it is), those of WikiText (a line keeps its line feed, a blank one is an empty row), or lines without the white space around them (a blank one is an empty row)',
  },
  join: { kind: 'text', default: '\n\n', documentation: 'what stands between rows that are joined' },
  first: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    documentation: 'rows taken from the start; 0 takes all',
  },
} as const satisfies SettingTable;

export type RowsSettings = SettingsOf<typeof ROWS_SETTINGS>;
