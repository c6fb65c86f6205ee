import { ROWS_SETTINGS } from '../../experiment/corpusRows.ts';
import { PROTOCOL_NAMES, PROTOCOLS } from '../../experiment/protocols.ts';
import { RECOVERY_SETTINGS } from '../../experiment/recovery.ts';
import { UPDATE_METHODS, UPDATES } from '../../experiment/updates.ts';
import type { UpdateMethod } from '../../experiment/updates.ts';
import { LLM_SETTINGS } from '../../search/llm/settings.ts';
import type { SearchMethod } from '../../search/kinds.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHOD_NAMES, SEARCH_METHODS } from '../../search/methods.ts';
import { rangeText, writtenDefault } from '../../experiment/settingRow.ts';
import type { NumberRange, SettingRow, SettingTable } from '../../experiment/settingRow.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import { TASK_SETTINGS, TASKS_SETTINGS, TEMPLATE_SETTINGS } from '../../experiment/taskSettings.ts';
import type { SettingName } from '../../experiment/settings.ts';
import type { EvaluationProperty, Property, PropertySetting, SettingProperty } from './property.ts';

/** The property that says a setting: its own name, but `calibration` for `calibrate`, which names the corpus. */
export function propertyOfSetting(setting: SettingName): EvaluationProperty {
  return setting === 'calibrate' ? 'calibration' : setting;
}

export const EVALUATION_SETTINGS = properties('evaluation', SETTINGS);
/** Of a corpus: behind its path, and where it is named. */
export const CORPUS_SETTINGS = properties('rows', ROWS_SETTINGS);
/** How tasks are asked. */
export const TASKS_PROPERTIES = properties('tasks', TASKS_SETTINGS);
/** What can stand behind a task where it is named, and where it is declared. */
export const TASK_ARGUMENTS = properties('task', TASK_SETTINGS);
/** How a document becomes a question, as a file says it. */
export const TEMPLATE_EXAMPLES = {
  context: 'context: "{question}\\nAnswer:"',
  choices: 'choices: choices',
  gold: 'gold: label',
} as const satisfies Record<keyof typeof TEMPLATE_SETTINGS, string>;
export const OWN_TASK_ARGUMENTS: readonly Property[] = [
  ...Object.entries(TEMPLATE_SETTINGS).map(([name, row]): Property => ({
    ...settingProperty(name as keyof typeof TEMPLATE_SETTINGS, { of: 'task', name, row }),
    documentation: `${row.documentation[0]!.toUpperCase()}${row.documentation.slice(1)}.`,
    example: TEMPLATE_EXAMPLES[name as keyof typeof TEMPLATE_EXAMPLES],
  })),
  ...TASK_ARGUMENTS.filter(({ name }) => name !== 'documents'),
];
const METHOD_ROW: SettingRow = {
  kind: 'choice',
  default: DEFAULT_SEARCH_METHOD,
  choices: SEARCH_METHOD_NAMES,
  documentation: 'how to search; each method has settings of its own',
};
const METHOD: Property = {
  ...settingProperty('method', { of: 'method', name: 'method', row: METHOD_ROW }),
  documentation: [
    'How to search; each method has settings of its own.',
    '',
    ...SEARCH_METHOD_NAMES.map((name) => `- \`${name}\`: ${SEARCH_METHODS[name].documentation}`),
    '',
    `Default: \`${DEFAULT_SEARCH_METHOD}\`.`,
  ].join('\n'),
};

const PROTOCOL_ROW: SettingRow = {
  kind: 'choice',
  default: '',
  choices: PROTOCOL_NAMES,
  documentation: 'texts and settings of a paper; what is said beside it goes first',
};

export const PROTOCOL: Property = {
  name: 'protocol',
  value: 'setting',
  setting: { of: 'protocol', name: 'protocol', row: PROTOCOL_ROW },
  documentation: [
    'Texts and settings of a paper, as its authors’ code has them; what is said beside it goes first, and every number says in what it differs.',
    '',
    ...PROTOCOL_NAMES.map((name) => `- \`${name}\`: ${PROTOCOLS[name].documentation}`),
  ].join('\n'),
  example: 'protocol: wanda',
};

/** Of a method, with those of the language model that it may ask. */
export function methodSettings(method: SearchMethod): readonly Property[] {
  const { settings, asksLlm } = SEARCH_METHODS[method];
  return [METHOD, ...properties('search', settings), ...(asksLlm ? properties('llm', LLM_SETTINGS) : [])];
}

/** The settings of an evaluation that may stand in parentheses behind a text. */
export function evaluationSettings(...names: readonly EvaluationProperty[]): readonly Property[] {
  return names.map((name) => EVALUATION_SETTINGS.find((property) => property.name === name)!);
}

/** The settings that may stand behind an update. */
export function updateArguments(method: UpdateMethod): readonly Property[] {
  return UPDATE_ARGUMENTS.get(method)!;
}

const UPDATE_ARGUMENTS = new Map(UPDATE_METHODS.map((name) => [name, properties('update', UPDATES[name].settings)]));

/** Those of a recovery. */
export const RECOVERY_ARGUMENTS = properties('recovery', RECOVERY_SETTINGS);

function properties(of: PropertySetting['of'], table: SettingTable): readonly Property[] {
  const rows = Object.entries(table).filter(([name]) => name !== 'method');
  return rows.map(([name, row]) => {
    const called = of === 'evaluation' ? propertyOfSetting(name as SettingName) : (name as SettingProperty);
    return settingProperty(called, { of, name, row });
  });
}

function settingProperty(name: SettingProperty, setting: PropertySetting): Property {
  const { row } = setting;
  const values = valuesOf(row);
  const written = writtenDefault(row);
  const byDefault = row.kind === 'text' && row.default === '' ? '' : ` Default: \`${written}\`.`;
  const what = `${row.documentation[0]!.toUpperCase()}${row.documentation.slice(1)}.${values}${byDefault}`;
  const effect =
    row.decidesResult !== false
      ? ''
      : `\n\nDoes not change ${setting.of === 'evaluation' ? 'the numbers beyond rounding' : 'what is found'}.`;
  return { name, value: 'setting', setting, documentation: `${what}${effect}`, example: `${name}: ${written}` };
}

/** What a setting takes, as a sentence. */
function valuesOf(row: SettingRow): string {
  if (row.kind === 'text') return ' A text in quotes.';
  if (row.kind === 'choice') return ` One of ${row.choices.map((choice) => `\`${choice}\``).join(', ')}.`;
  if (row.kind === 'list') return ` A list of 1 to ${row.most} ${fromTo(row, 'whole numbers')}.`;
  const kind = row.kind === 'integer' ? 'a whole number' : 'a number';
  const text = fromTo(row, kind);
  return ` ${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

function fromTo(range: NumberRange, kind: string): string {
  return range.maximum === Number.MAX_SAFE_INTEGER ? `${kind} from ${range.minimum} on` : rangeText(range, kind);
}
