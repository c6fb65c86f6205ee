import type { Expression } from '../metric/expression.ts';
import { keepsRanking } from '../metric/sign.ts';
import { shift } from './diagnostics.ts';
import type { DiagnosticList, Fix } from './diagnostics.ts';
import type { Compiled } from './expressions.ts';
import type { ExpressionSyntax, Span } from './syntax.ts';

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
