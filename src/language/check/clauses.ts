import { nearestName } from '../../metric/nearest.ts';
import { didYouMean } from './diagnostics.ts';
import type { PropertyReader } from './propertyReader.ts';
import { CLAUSES, isClauseName } from './structureWords.ts';
import type { ClauseName } from './structureWords.ts';
import type { CallSyntax, ExpressionSyntax } from '../syntax/syntax.ts';

/** `structure(…)` and `weights(…)` as calls: what is given for which parameter. */

export interface Clause {
  readonly name: ClauseName;
  readonly call: CallSyntax;
}

/** A metric that the file declares under a clause's name goes first: what a file said before the language had clauses, it still says. */
export function clauseOf({ context }: PropertyReader, syntax: ExpressionSyntax): Clause | undefined {
  if (syntax.kind !== 'call' || !isClauseName(syntax.callee.text)) return undefined;
  return context.definitions.metrics.has(syntax.callee.text) ? undefined : { name: syntax.callee.text, call: syntax };
}

/** What a clause is about, and its rates. */
export function clauseArguments(
  reader: PropertyReader,
  call: CallSyntax,
  name: ClauseName,
): { readonly of?: ExpressionSyntax; readonly rates?: ExpressionSyntax } {
  reader.site(call.callee.span, { kind: 'clause', name });
  const [first, second] = CLAUSES[name].parameters;
  const given = argumentsByName(reader, call, name, [first.name, second.name]);
  const [of, rates] = [given.get(first.name), given.get(second.name)];
  // An argument that has no place has been told.
  if (of === undefined && given.size === call.arguments.length) {
    reader.report(
      'call/arity',
      call.callee.span,
      `\`${name}\` needs its \`${first.name}\`, as in \`${CLAUSES[name].example}\``,
    );
  }
  return { ...(of && { of }), ...(rates && { rates }) };
}

/** The arguments of a call by the names of the parameters: each is given in order or by its name. */
export function argumentsByName(
  reader: PropertyReader,
  call: CallSyntax,
  callee: string,
  parameters: readonly string[],
): ReadonlyMap<string, ExpressionSyntax> {
  const given = new Map<string, ExpressionSyntax>();
  let namedBefore = false;
  call.arguments.forEach(({ name, value, span }, i) => {
    const isUnclear = name === undefined && namedBefore;
    namedBefore ||= name !== undefined;
    const parameter = name === undefined ? parameters[i] : parameters.find((known) => known === name.text);
    if (isUnclear) {
      reader.report('call/argument', span, 'name this argument: the one before it has a name');
    } else if (parameter === undefined && name === undefined) {
      reader.report('call/arity', span, `\`${callee}\` takes at most ${parameters.length} arguments`);
    } else if (parameter === undefined && name !== undefined) {
      const { suffix, ...fixes } = didYouMean(reader.at(name.span), nearestName(name.text, parameters));
      const list = parameters.map((known) => `\`${known}\``).join(' and ');
      reader.report('call/argument', name.span, `\`${callee}\` has ${list}, not \`${name.text}\`${suffix}`, fixes);
    } else if (parameter !== undefined && given.has(parameter)) {
      reader.report('call/argument', span, `\`${parameter}\` is given twice`);
    } else if (parameter !== undefined) {
      given.set(parameter, value);
    }
  });
  return given;
}
