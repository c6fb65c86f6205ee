import type { CanonicalForm } from '../../metric/canonical.ts';
import type { Expression } from '../../metric/expression.ts';
import { keepsRanking } from '../../metric/sign.ts';
import { shift } from './diagnostics.ts';
import type { DiagnosticList, Fix } from './diagnostics.ts';
import type { DeclaredSymbol } from './symbols.ts';
import type { Compiled } from './expressions.ts';
import { visitExpression } from '../syntax/syntax.ts';
import type { ExpressionSyntax, MetricSyntax, Span } from '../syntax/syntax.ts';

/** Tells that a metric has the same value everywhere. @param isUsed whether other metrics use it, as one uses a parameter */
export function reportConstant(
  name: string,
  { constant, shape }: Compiled,
  span: Span,
  isUsed: boolean,
  diagnostics: DiagnosticList,
): void {
  const same = `\`${name}\` is ${constant ?? 'the same'} for every weight and cannot rank them`;
  const remedy = shape.length === 0 && isUsed ? `: for a number that metrics use write \`parameter ${name} = …\`` : '';
  diagnostics.add('metric/constant', span, same + remedy);
}

/**
 * Hints that the operation at the root can be left out: for metrics that no other one uses, since those need the values.
 * @param base offset that the syntax counts from
 */
export function hintAtRoot(
  body: ExpressionSyntax,
  expression: Expression,
  base: number,
  diagnostics: DiagnosticList,
): void {
  const argument = body.kind === 'call' ? body.arguments[0] : undefined;
  if (body.kind !== 'call' || argument === undefined || body.arguments.length > 1) return;
  if (expression.kind !== 'operation' || expression.operation !== body.callee.text) return;
  if (!keepsRanking(expression.operation, expression.arguments[0]!)) return;
  const name = body.callee.text;
  const fix: Fix = {
    title: `Remove \`${name}\``,
    edits: [
      { ...shift({ start: body.span.start, end: argument.span.start }, base), text: '' },
      { ...shift({ start: argument.span.end, end: body.span.end }, base), text: '' },
    ],
  };
  const message = `\`${name}\` at the root changes no ranking: without it the metric prunes the same weights, rounding aside`;
  diagnostics.add('metric/root-keeps-ranking', shift(body.callee.span, base), message, { fixes: [fix] });
}

/** Tells that a metric removes the same weights as one before it. */
export function reportSameRanking(
  { name, span }: DeclaredSymbol,
  other: DeclaredSymbol,
  form: CanonicalForm,
  diagnostics: DiagnosticList,
): void {
  const aside = form.saturates ? 'where float32 makes no ties' : 'rounding aside';
  const message = `\`${name}\` has the same ranking as \`${other.name}\`: both prune the same weights, ${aside}`;
  const { start, end } = other.span;
  const related = [{ start, end, message: `\`${other.name}\` is declared here` }];
  diagnostics.add('metric/same-ranking', span, message, { related });
}

/** More of a file are counted: nobody reads them, they would crowd out mistakes, and they cross to the editor with each keystroke. */
export const MOST_SAME_RANKINGS = 100;

/** Tells that one more metric, and so many others, remove the same weights as one before them. */
export function reportMoreSameRankings(
  { name, span }: DeclaredSymbol,
  others: number,
  diagnostics: DiagnosticList,
): void {
  const who = others === 0 ? `\`${name}\` has` : `\`${name}\` and ${others} more metrics have`;
  const message = `${who} the same ranking as metrics before: hovering over a name tells which`;
  diagnostics.add('metric/same-ranking', span, message);
}

/** Tells that only rounding tells weights apart. */
export function reportRanksNothing({ name, span }: DeclaredSymbol, diagnostics: DiagnosticList): void {
  const message = `\`${name}\` is the same for every weight, rounding aside: it cannot rank them`;
  diagnostics.add('metric/ranks-nothing', span, message);
}

/** Hints at parameters that the metric does not use. @param base offset that the syntax counts from */
export function hintAtUnused(
  { name, parameters, body }: MetricSyntax,
  base: number,
  diagnostics: DiagnosticList,
): void {
  if (parameters.length === 0) return;
  const used = new Set<string>();
  visitExpression(body, (node) => {
    if (node.kind === 'name') used.add(node.name);
    if (node.kind === 'call') used.add(node.callee.text);
  });
  parameters.forEach((parameter, i) => {
    const { text, span } = parameter.name;
    if (used.has(text)) return;
    const message = `\`${name?.text ?? ''}\` does not use its parameter \`${text}\``;
    const fix = { title: `Remove \`${text}\``, edits: [{ ...shift(spanInList(parameters, i), base), text: '' }] };
    const isAlone = parameters.length === 1;
    diagnostics.add('name/unused', shift(span, base), message, isAlone ? {} : { fixes: [fix] });
  });
}

/** A parameter with the comma that goes with it. */
function spanInList(parameters: MetricSyntax['parameters'], i: number): Span {
  const [before, own, after] = [parameters[i - 1], parameters[i]!, parameters[i + 1]];
  if (after) return { start: own.name.span.start, end: after.name.span.start };
  return { start: before?.value.span.end ?? own.name.span.start, end: own.value.span.end };
}
