/**
 * One setting, of an evaluation or a search: its row drives flags, `.prune` properties, hover, completion, checks and schemas. A table of
 * them is the one place that says which settings there are; types and defaults follow from it.
 */
export type SettingRow = {
  /** One line, for `--help`, hover and completion. */
  readonly documentation: string;
  /** Said of those that can change no number beyond rounding: where and how fast something is computed. */
  readonly decidesResult?: false;
  /** Whether plans that were written before there was this setting mean its default. */
  readonly isLater?: true;
} & SettingValues;

/** What a setting takes, and its default. */
export type SettingValues = ChoiceValues | NumberValues | ListValues | TextValues;

export interface ChoiceValues {
  readonly kind: 'choice';
  readonly default: string;
  readonly choices: readonly string[];
}

export interface NumberValues extends NumberRange {
  readonly kind: 'integer' | 'number';
  readonly default: number;
}

/** Whole numbers, each of them in the range: at least one. */
export interface ListValues extends Omit<NumberRange, 'orZero'> {
  readonly kind: 'list';
  readonly default: readonly number[];
  /** How many there may be. */
  readonly most: number;
}

export interface TextValues {
  readonly kind: 'text';
  readonly default: string;
}

export interface NumberRange {
  readonly minimum: number;
  readonly maximum: number;
  /** Whether 0 may be written as well: it stands for what the checkpoint says. */
  readonly orZero?: true;
}

export type SettingTable = Readonly<Record<string, SettingRow>>;

/** What the settings of a table are: one field for each row. */
export type SettingsOf<Table extends SettingTable> = { readonly [Name in keyof Table]: ValueOf<Table[Name]> };

export type ValueOf<Row extends SettingRow> = Row extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : Row extends { readonly kind: 'text' }
    ? string
    : Row extends { readonly kind: 'list' }
      ? readonly number[]
      : number;

export function defaultsOf<const Table extends SettingTable>(table: Table): SettingsOf<Table> {
  return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, row.default])) as SettingsOf<Table>;
}

/** What is said of settings, by name; each has been checked against its row. */
export type SaidSettings = Readonly<Record<string, SettingRow['default']>>;

/** The settings of a table: what was said of each last, or its default. */
export function settingsWith<const Table extends SettingTable>(
  table: Table,
  ...said: readonly SaidSettings[]
): SettingsOf<Table> {
  const entries = said.flatMap(Object.entries).filter(([name]) => Object.hasOwn(table, name));
  return { ...defaultsOf(table), ...(Object.fromEntries(entries) as Partial<SettingsOf<Table>>) };
}

/** The settings of a table that can change a result, beyond rounding. */
export function decidingNames<Table extends SettingTable>(table: Table): readonly (keyof Table & string)[] {
  return Object.keys(table).filter((name) => table[name]!.decidesResult !== false);
}

/** The settings among these that can change no number beyond rounding. */
export function undecidingOf<Settings extends object>(table: SettingTable, settings: Settings): Partial<Settings> {
  const entries = Object.entries(settings).filter(([name]) => table[name]?.decidesResult === false);
  return Object.fromEntries(entries) as Partial<Settings>;
}

/** Settings without those that are at their default, and that plans had none of once: both mean the same. */
export function withoutLaterDefaults<Settings extends object>(
  table: SettingTable,
  settings: Settings,
): Partial<Settings> {
  const entries = Object.entries(settings).filter(([name, value]) => {
    const row = table[name];
    return row?.isLater !== true || value !== row.default;
  });
  return Object.fromEntries(entries) as Partial<Settings>;
}

/** Whether a number is in the range of a setting; that it is whole is another question. */
export function isInRange({ minimum, maximum, orZero }: NumberRange, value: number): boolean {
  return (value >= minimum && value <= maximum) || (orZero === true && value === 0);
}

/** "0, or a whole number from 2 to 1048576": what a setting takes. */
export function rangeText({ minimum, maximum, orZero }: NumberRange, kind = 'a whole number'): string {
  return `${orZero ? '0, or ' : ''}${kind} from ${minimum} to ${maximum}`;
}

/** The default of a setting as a `.prune` file says it: `128`, `"text"`, `[8, 2, 1]`. */
export function writtenDefault(row: SettingValues): string {
  if (row.kind === 'list') return `[${row.default.join(', ')}]`;
  return row.kind === 'text' ? `"${row.default}"` : String(row.default);
}
