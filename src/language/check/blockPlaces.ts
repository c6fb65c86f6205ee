import { replaceFix, shift } from './diagnostics.ts';
import type { Fix } from './diagnostics.ts';
import type { Declaration } from './document.ts';
import type { SettingName } from '../../experiment/settings.ts';
import type { Property } from './property.ts';
import type { ParsedDeclaration, ParsedProperty } from '../syntax/pieces.ts';
import type { Span } from '../syntax/syntax.ts';

/** Places in a block that findings are told at, and fixes that write into it. */

/** Writes a setting's value: over the one there is, or as a new line. */
export function settingFix(
  text: string,
  parsed: ParsedDeclaration,
  search: Pick<Declaration, 'nameSpan'>,
  name: string,
  value: number | readonly number[],
): Fix | undefined {
  const property = propertyNamed(parsed, name);
  const written = property?.tree.syntax.values[0];
  const spelled = typeof value === 'number' ? String(value) : `[${value.join(', ')}]`;
  if (property && written) return replaceFix(shift(written.span, property.base), spelled);
  return insertFix(text, search, `${name}: ${spelled}`);
}

export function insertFix(text: string, { nameSpan }: Pick<Declaration, 'nameSpan'>, line: string): Fix | undefined {
  const brace = text.indexOf('{', nameSpan.end) + 1;
  return brace === 0
    ? undefined
    : { title: `Add \`${line}\``, edits: [{ start: brace, end: brace, text: `\n  ${line}` }] };
}

export function propertyNamed({ properties }: ParsedDeclaration, name: string): ParsedProperty | undefined {
  return properties.find(({ tree }) => tree.syntax.key.text === name);
}

/** The value of a property, or of all of its values. */
export function propertySpan(parsed: ParsedDeclaration, name: string): Span | undefined {
  const property = propertyNamed(parsed, name);
  const values = property?.tree.syntax.values ?? [];
  const [first, last] = [values[0], values.at(-1)];
  return property && first && last && shift({ start: first.span.start, end: last.span.end }, property.base);
}

/** The value of a setting in the parentheses behind a text: of `seed` in `calibrate: calib (seed: 1)`, whatever it is called there. */
export function argumentSpan(parsed: ParsedDeclaration, property: Property, setting: SettingName): Span | undefined {
  const found = propertyNamed(parsed, property.name);
  const value = found?.tree.syntax.values[0];
  if (!found || (value?.kind !== 'call' && value?.kind !== 'text')) return undefined;
  const name = property.arguments?.find(
    (one) => one.setting?.of === 'evaluation' && one.setting.name === setting,
  )?.name;
  const argument = value.arguments.find((one) => one.name !== undefined && one.name.text === name);
  return argument && shift(argument.value.span, found.base);
}
