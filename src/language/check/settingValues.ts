import { isInRange, rangeText } from '../../experiment/settingRow.ts';
import type { ChoiceValues, NumberValues, SettingRow } from '../../experiment/settingRow.ts';
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
  }
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
  const isShare = syntax.kind === 'percentage' && row.kind === 'number' && row.maximum <= 1;
  const value = isShare ? shareOf(syntax) : readNumber(reader, syntax, `\`${name}\` is ${kind}`);
  if (value === undefined) return undefined;
  if ((row.kind === 'integer' && !Number.isInteger(value)) || !isInRange(row, value)) {
    const range = rangeText(row, kind);
    reader.report('property/range', syntax.span, `\`${name}\` is ${range}, not ${value}`);
    return undefined;
  }
  return value;
}
