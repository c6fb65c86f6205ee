import { isInRange, rangeText, writtenDefault } from '../../experiment/settingRow.ts';
import type { ChoiceValues, ListValues, NumberRange, NumberValues, SettingRow } from '../../experiment/settingRow.ts';
import { nearestName } from '../../metric/nearest.ts';
import type { ExpressionSyntax } from '../syntax/syntax.ts';
import { didYouMean, replaceFix } from './diagnostics.ts';
import type { PropertyReader } from './propertyReader.ts';
import { readNumber, shareOf } from './propertyValues.ts';

/**
 * The value of the setting of a row; undefined where it is wrong, which is told.
 *
 * @param name that the property or argument has
 */
export function readSetting(
  reader: PropertyReader,
  row: SettingRow,
  name: string,
  syntax: ExpressionSyntax,
): SettingRow['default'] | undefined {
  switch (row.kind) {
    case 'text':
      return readText(reader, name, syntax);
    case 'choice':
      return readChoice(reader, row, name, syntax);
    case 'integer':
    case 'number':
      return readNumeric(reader, row, name, syntax);
    case 'list':
      return readList(reader, row, name, syntax);
  }
}

/** What was meant by several values where one can be, and the fix for it: a list whose brackets are missing. */
export function inBrackets(
  reader: PropertyReader,
  row: SettingRow | undefined,
  values: readonly ExpressionSyntax[],
): ReturnType<typeof didYouMean> {
  const isBare = row?.kind === 'list' && values.every(({ kind }) => kind !== 'list');
  const list = isBare ? `[${values.map(({ span }) => reader.source(span)).join(', ')}]` : undefined;
  return didYouMean(reader.at({ start: values[0]!.span.start, end: values.at(-1)!.span.end }), list);
}

function readText(reader: PropertyReader, name: string, syntax: ExpressionSyntax): string | undefined {
  if (syntax.kind === 'text' && syntax.arguments.length === 0) return syntax.text;
  if (syntax.kind === 'text') {
    const fixes = [replaceFix(reader.at(syntax.span), `"${syntax.text}"`)];
    const message = `nothing can stand in parentheses behind the text of \`${name}\``;
    reader.report('call/argument', syntax.span, message, { fixes });
    return undefined;
  }
  const word = reader.word(syntax);
  const { suffix, ...fixes } = didYouMean(reader.at(syntax.span), word === '' ? undefined : `"${word}"`);
  reader.report('property/type', syntax.span, `\`${name}\` is a text in quotes${suffix}`, fixes);
  return undefined;
}

function readChoice(
  reader: PropertyReader,
  row: ChoiceValues,
  name: string,
  syntax: ExpressionSyntax,
): string | undefined {
  const text = reader.word(syntax);
  if (row.choices.includes(text)) return text;
  const { suffix, ...fixes } = didYouMean(reader.at(syntax.span), nearestName(text, row.choices));
  const choices = row.choices.map((choice) => `\`${choice}\``).join(', ');
  reader.report('property/type', syntax.span, `\`${name}\` is one of ${choices}${suffix}`, fixes);
  return undefined;
}

function readNumeric(
  reader: PropertyReader,
  row: NumberValues,
  name: string,
  syntax: ExpressionSyntax,
): number | undefined {
  const kind = row.kind === 'integer' ? 'a whole number' : 'a number';
  const is = `\`${name}\` is`;
  const isShare = syntax.kind === 'percentage' && row.kind === 'number' && row.maximum <= 1;
  const value = isShare ? shareOf(syntax) : readNumber(reader, syntax, `${is} ${kind}`);
  return value === undefined ? undefined : inRange(reader, row, is, kind, syntax, value);
}

/** Numbers in brackets, or one without them. */
function readList(
  reader: PropertyReader,
  row: ListValues,
  name: string,
  syntax: ExpressionSyntax,
): readonly number[] | undefined {
  const elements = syntax.kind === 'list' ? syntax.values : [syntax];
  const is = `each of \`${name}\` is`;
  const expected =
    syntax.kind === 'list'
      ? `${is} a whole number`
      : `\`${name}\` is a list of whole numbers such as \`${writtenDefault(row)}\``;
  const values = elements.flatMap((element) => {
    const value = readNumber(reader, element, expected);
    return value === undefined ? [] : (inRange(reader, row, is, 'a whole number', element, value) ?? []);
  });
  if (elements.length >= 1 && elements.length <= row.most) {
    return values.length === elements.length ? values : undefined;
  }
  const message = `\`${name}\` has 1 to ${row.most} numbers, not ${elements.length}`;
  reader.report('property/range', syntax.span, message);
  return undefined;
}

/** A number that is as its row wants it. @param is what the sentence begins with that says it is not */
function inRange(
  reader: PropertyReader,
  range: NumberRange,
  is: string,
  kind: 'a whole number' | 'a number',
  { span }: ExpressionSyntax,
  value: number,
): number | undefined {
  if ((kind === 'a number' || Number.isInteger(value)) && isInRange(range, value)) return value;
  reader.report('property/range', span, `${is} ${rangeText(range, kind)}, not ${value}`);
  return undefined;
}
