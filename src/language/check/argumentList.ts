import { nearestName } from '../../metric/nearest.ts';
import type { ArgumentSyntax, ExpressionSyntax, Identifier, Span } from '../syntax/syntax.ts';
import { didYouMean, replaceFix } from './diagnostics.ts';
import type { Property } from './property.ts';
import type { PropertyReader } from './propertyReader.ts';

/** What stands in parentheses, and behind what. */
export interface GivenArguments {
  readonly callee: Identifier;
  /** Of the whole value. */
  readonly span: Span;
  readonly given: readonly ArgumentSyntax[];
}

/**
 * The settings in parentheses behind a text, each by its name; what cannot stand there is told.
 *
 * @param allowed settings that may stand there
 * @param take what is done with the value of each
 */
export function readArguments(
  reader: PropertyReader,
  { callee, span, given }: GivenArguments,
  allowed: readonly Property[],
  take: (property: Property, name: Span, value: ExpressionSyntax) => void,
): void {
  const [first] = given;
  if (first === undefined) return;
  if (allowed.length === 0) {
    const fixes = [replaceFix(reader.at(span), callee.text)];
    reader.report('call/argument', first.span, `no settings can stand behind \`${callee.text}\` here`, { fixes });
    return;
  }
  const said = new Set<string>();
  for (const argument of given) {
    const found = readName(reader, argument, callee, allowed);
    if (found === undefined) continue;
    const { property, name } = found;
    if (said.has(property.name)) reader.report('property/duplicate', name.span, `\`${property.name}\` is said twice`);
    else take(property, name.span, argument.value);
    said.add(property.name);
  }
}

function readName(
  reader: PropertyReader,
  { name, span }: ArgumentSyntax,
  callee: Identifier,
  allowed: readonly Property[],
): { property: Property; name: Identifier } | undefined {
  const names = allowed.map((property) => property.name);
  const list = names.map((known) => `\`${known}\``).join(', ');
  if (name === undefined) {
    reader.report('call/argument', span, `behind \`${callee.text}\` stand settings by name, such as ${list}`);
    return undefined;
  }
  const property = allowed.find((known) => known.name === name.text);
  if (property?.setting === undefined) {
    const { suffix, ...fixes } = didYouMean(reader.at(name.span), nearestName(name.text, names));
    reader.report('call/argument', name.span, `\`${name.text}\` cannot stand here, only ${list}${suffix}`, fixes);
    return undefined;
  }
  reader.site(name.span, { kind: 'property', name: name.text, property });
  return { property, name };
}
