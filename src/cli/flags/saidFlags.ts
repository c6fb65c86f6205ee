import { EspalierError } from '../../base/errors.ts';
import { rangeText } from '../../experiment/settingRow.ts';
import type { SettingValues } from '../../experiment/settingRow.ts';
import type { Diagnostic, DiagnosticCode, Severity } from '../../language/check/diagnostics.ts';
import { BLOCK_KINDS, propertyOf } from '../../language/check/properties.ts';
import type { BlockKind } from '../../language/check/properties.ts';
import type { SaidBlock, SaidProperty } from '../../language/check/said.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import type { MetricReader } from './metricReader.ts';
import { camelCase, kebabCase } from './flagNames.ts';
import type { PropertyValue, Property } from '../../language/check/property.ts';

/**
 * Flags are properties that are said elsewhere: each is read as the property of a block is, in the names of the file where there is one.
 */
export interface SaidFlag extends SaidProperty {
  /** Without its two hyphens. */
  readonly flag: string;
  /** What stands around a value in the language. */
  readonly wrap?: (value: string) => string;
  /** A value that it takes; of the property's without it. */
  readonly like?: string;
  /** Whether it takes numbers alone, whatever its property takes. */
  readonly isNumbers?: boolean;
}

/** commander's parsed options: of each flag what was typed, or all that was. */
export type Options = Readonly<Record<string, unknown>>;

/** A flag as a property; none where it was not typed. */
export function said(
  options: Options,
  flag: string,
  name: SaidProperty['name'],
  more: Omit<SaidFlag, 'flag' | 'name' | 'values'> = {},
): readonly SaidFlag[] {
  const typed = options[camelCase(flag)];
  if (typed === undefined) return [];
  return [{ flag, name, values: (Array.isArray(typed) ? typed : [typed]).map(String), ...more }];
}

/** What flags say, and what is wrong with it. */
export interface ReadFlags extends SaidBlock {
  readonly flags: readonly SaidFlag[];
  readonly kind: BlockKind;
}

/**
 * Reads the flags of a block.
 *
 * @throws EspalierError `cli/usage`, `metric/syntax` for the first that is wrong
 */
export async function readFlags(
  kind: BlockKind,
  flags: readonly SaidFlag[],
  metrics: MetricReader,
): Promise<ReadFlags> {
  const { readSaid } = await import('../../language/check/said.ts');
  const readable = await Promise.all(
    flags.map(async ({ wrap = String, ...flag }) => {
      const value = propertyOf(kind, flag.name)?.value;
      const read = (typed: string) => metrics.replace(typed, value === 'metrics' && flag.name === 'baselines');
      const values = METRICS.has(value) ? await Promise.all(flag.values.map(read)) : flag.values;
      return { ...flag, values: values.map(wrap) };
    }),
  );
  const keyword = kind === 'experiment' || kind === 'defaults' || kind === 'corpus' ? kind : 'search';
  const block = { ...readSaid(await metrics.document(), keyword, readable, metrics.labelOf), flags, kind };
  throwMistake(block);
  return block;
}

/** Properties whose values are metrics, or what holds some. */
const METRICS: ReadonlySet<PropertyValue | undefined> = new Set([
  'metrics',
  'prunings',
  'target',
  'score',
  'structures',
] as const);

/** Properties whose values are numbers and words of their own: no metric can stand in one. */
const NUMBERS: ReadonlySet<PropertyValue | undefined> = new Set([
  'setting',
  'sparsities',
  'sparsity',
  'share',
  'rates',
] as const);

/** Where a search is about to begin, some findings weigh otherwise than while one is written. */
const SEVERITIES: Partial<Record<DiagnosticCode, Severity>> = {
  // It may be about to become another text; here it is a slip.
  'search/seen-test': 'error',
  // Other leaves than a file's can be tried on the metrics that it starts from.
  'search/operand': 'warning',
};

function findingsOf({ context }: SaidBlock): readonly Diagnostic[] {
  const found = context.findings.diagnostics.sorted();
  return found.map((one) => ({ ...one, severity: SEVERITIES[one.code] ?? one.severity }));
}

/** @throws EspalierError `cli/usage`, `metric/syntax` for the first mistake that has been found */
export function throwMistake(block: ReadFlags): void {
  const mistake = findingsOf(block).find(({ severity }) => severity === 'error');
  if (mistake) throw flagError(mistake, block);
}

/** Says what has no effect, or is unlikely to be meant. */
export function tellWarnings(block: ReadFlags, { terminal }: Pick<CommandContext, 'terminal'>): void {
  for (const { severity, message } of findingsOf(block)) {
    if (severity === 'warning') terminal.say(`warning: ${inFlags(message, block)}`);
  }
}

function flagError(mistake: Diagnostic, block: ReadFlags): EspalierError {
  const { parsed, flags, kind } = block;
  const at = parsed.properties.findIndex(
    ({ base, text }) => mistake.start >= base && mistake.start <= base + text.length,
  );
  const flag = flags[at];
  const property = flag && propertyOf(kind, flag.name);
  const takesNumbers = flag?.isNumbers === true || NUMBERS.has(property?.value);
  // That a word is no metric says nothing where none can stand.
  const isStray = takesNumbers && mistake.code === 'name/unknown';
  const choices = property?.setting?.row.kind === 'choice' ? property.setting.row.choices : [];
  const message = inFlags(mistake.message.replace(/: did you mean .*\?$/, ''), block, choices);
  const typed = flag?.values.map((value) => JSON.stringify(value)).join(', ');
  const isMetric =
    METRICS.has(property?.value) &&
    !takesNumbers &&
    /^(syntax|call|shape|number|metric|name\/unknown)/.test(mistake.code);
  return new EspalierError({
    code: isMetric ? 'metric/syntax' : 'cli/usage',
    operation: 'reading the command line',
    expected: flag ? `--${flag.flag} ${takes(property, flag)}` : 'flags that go together',
    actual: typed === undefined ? message : isStray ? typed : `${typed}: ${message}`,
    remedy: isStray ? SEE_HELP : remedyOf(mistake, flag, property),
  });
}

const SEE_HELP = 'Run it with --help to see what it takes.';

/** What a flag takes, in the words of its property. */
function takes(property: Property | undefined, { like }: SaidFlag): string {
  if (property === undefined) return 'with a method that has it';
  if (property.setting) return `with ${valuesOf(property.setting.row)}`;
  if (property.value === 'model') return 'with a folder, or hf:owner/name';
  if (property.value === 'corpus') return 'with another text';
  return `such as ${like ?? property.example.slice(property.name.length + 2)}`;
}

function valuesOf(row: SettingValues): string {
  if (row.kind === 'text') return 'a text';
  if (row.kind === 'choice') return `one of ${row.choices.join(', ')}`;
  if (row.kind === 'list') {
    return `a list of 1 to ${row.most} ${rangeText(row, 'whole numbers')}, such as ${typedDefault(row)}`;
  }
  return rangeText(row, row.kind === 'integer' ? 'a whole number' : 'a number');
}

/** The default of a setting as it is typed: `128`, `8,2,1`. */
export function typedDefault(row: SettingValues): string {
  return row.kind === 'list' ? row.default.join(',') : String(row.default);
}

function remedyOf({ code, fixes }: Diagnostic, flag: SaidFlag | undefined, property: Property | undefined): string {
  const [text] = fixes?.[0]?.edits.map((edit) => edit.text.trim()) ?? [];
  if (text === undefined || !flag) return SEE_HELP;
  // As it is typed: a shell would take `[8, 2, 1]` for several words.
  const typed = property?.setting?.row.kind === 'list' ? text.replaceAll(/[[\] ]/g, '') : text;
  return code === 'property/range' ? `Write --${flag.flag} ${typed}, for example.` : `Did you mean ${typed}?`;
}

/** A message in which properties stand, with the flags that say them here. @param values that are called as properties are */
function inFlags(message: string, { flags }: ReadFlags, values: readonly string[] = []): string {
  return message.replaceAll(/`(\w+)(?::( [^`]*))?`/g, (quoted, name: string, value = '') => {
    if (value === '' && values.includes(name)) return quoted;
    const isSetting = BLOCK_KINDS.some((kind) => propertyOf(kind, name)?.setting);
    const flag = flags.find((one) => one.name === name)?.flag ?? (isSetting ? kebabCase(name) : undefined);
    return flag === undefined ? quoted : `--${flag}${String(value)}`;
  });
}
