import { Option } from 'commander';
import type { Command } from 'commander';
import { ROWS_SETTINGS } from '../../experiment/corpusRows.ts';
import type { PlannedText } from '../../experiment/corpusRows.ts';
import type { SaidSettings, SettingRow } from '../../experiment/settingRow.ts';
import { PROTOCOL_NAMES } from '../../experiment/protocols.ts';
import type { BlockContent } from '../../language/check/document.ts';
import { locate } from '../../language/plan/plannedInputs.ts';
import type { PropertyName } from '../../language/check/property.ts';
import { DOWNLOAD_FLAG, MODEL_HELP } from './hubFlags.ts';
import type { MetricReader } from './metricReader.ts';
import { readFlags, said } from './saidFlags.ts';
import type { Options, SaidFlag } from './saidFlags.ts';
import { addFlags, typedAs } from './settingFlags.ts';

/** The flags that say what is worked on: checkpoint, protocol and texts, and how texts are made of their rows. */

interface TextFlag {
  readonly property: PropertyName;
  readonly documentation: string;
}

/** By what a plan calls them, which is what the flags are called, too. */
const TEXTS: Readonly<Record<PlannedText, TextFlag>> = {
  text: { property: 'evaluate', documentation: 'text or data set that the perplexity is taken on' },
  calibration: { property: 'calibrate', documentation: 'text or data set that calibration samples are cut from' },
  gradients: {
    property: 'gradients',
    documentation: 'text or data set that G is taken on (default: that of the calibration)',
  },
  train: {
    property: 'train',
    documentation: 'text, data set or instruction pairs that a recovery trains on',
  },
  validate: {
    property: 'validate',
    documentation: 'text or data set that a recovery is watched on (default: the end of what it trains on)',
  },
  test: {
    property: 'test',
    documentation: 'text or data set that the run never sees: what it found is evaluated there at the end',
  },
};

export const EVALUATED_TEXTS = ['text', 'calibration', 'gradients'] as const;
export const TRAINED_TEXTS = [...EVALUATED_TEXTS, 'train', 'validate'] as const;
/** Of a run that trains: its end is evaluated on a text beside. */
export const RECOVERED_TEXTS = [...TRAINED_TEXTS, 'test'] as const;
export const SEARCHED_TEXTS = [...EVALUATED_TEXTS, 'test'] as const;

/** @param texts those that the command takes @param evaluated what the first one is for */
export function addInputFlags(command: Command, texts: readonly PlannedText[], evaluated = TEXTS.text.documentation) {
  command
    .addOption(
      new Option('--protocol <paper>', 'texts and settings of a paper; what is said beside it goes first').choices([
        ...PROTOCOL_NAMES,
      ]),
    )
    .option('--model <folder>', MODEL_HELP)
    .option(...DOWNLOAD_FLAG);
  for (const name of texts) {
    const documentation = name === 'text' ? evaluated : TEXTS[name].documentation;
    command.option(`--${name} <file>`, `${documentation}; or hf:OWNER/NAME/CONFIG:SPLIT`);
  }
  for (const name of texts) {
    const rows: Record<string, SettingRow> = {};
    for (const [setting, row] of Object.entries(ROWS_SETTINGS))
      rows[setting] = { ...row, documentation: `--${name}: ${row.documentation}` };
    addFlags(command, rows, (setting) => `${name}-${setting}`);
  }
  return command;
}

/** What is worked on, with paths from the current folder; of texts those that every block can say. */
export function saidInputs(options: Options, folder: string): readonly SaidFlag[] {
  return [
    ...said(options, 'protocol', 'protocol'),
    ...said(options, 'model', 'model', { isText: true, wrap: (path) => locate(folder, path) }),
    ...TRAINED_TEXTS.flatMap((name) => saidText(options, name, folder)),
  ];
}

export function saidText(options: Options, name: PlannedText, folder: string): readonly SaidFlag[] {
  return said(options, name, TEXTS[name].property, { isText: true, wrap: (path) => locate(folder, path) });
}

/** How texts are made of their rows, as far as flags say it. */
export async function saidRows(options: Options, metrics: MetricReader): Promise<Pick<BlockContent, 'rows'>> {
  const rows: Partial<Record<PlannedText, SaidSettings>> = {};
  for (const name of [...TRAINED_TEXTS, 'test'] as const) {
    const flags = Object.entries(ROWS_SETTINGS).flatMap(([setting, row]) =>
      said(options, `${name}-${setting}`, setting as keyof typeof ROWS_SETTINGS, typedAs(row)),
    );
    if (flags.length > 0) rows[name] = (await readFlags('corpus', flags, metrics)).ownRows;
  }
  return Object.keys(rows).length > 0 ? { rows } : {};
}
