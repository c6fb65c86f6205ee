import type { OperationName } from '../../metric/operations.ts';
import { shift } from './diagnostics.ts';
import type { Edit, Fix } from './diagnostics.ts';
import type { ArgumentSyntax, CallSyntax } from '../syntax/syntax.ts';

/** `add(a, b, c)` as `add(add(a, b), c)`: of operations where it is clear what was meant. @param base of the spans */
export function nestFixes(name: OperationName, node: CallSyntax, base: number): readonly Fix[] | undefined {
  const { arguments: args, callee } = node;
  if ((name !== 'add' && name !== 'mul') || args.length < 3) return undefined;
  const begin = args[0]!.span.start;
  const edits: Edit[] = [{ start: begin, end: begin, text: `${callee.text}(`.repeat(args.length - 2) }];
  for (const { span } of args.slice(1, -1)) edits.push({ start: span.end, end: span.end, text: ')' });
  return [{ title: `Nest \`${callee.text}\``, edits: moved(edits, base) }];
}

/** `div(x, y)` as `x / y`. @param isRoot whether nothing stands around it @param base of the spans */
export function quotientFix({ span, arguments: args }: CallSyntax, isRoot: boolean, base: number): Fix {
  const [x, y] = [args[0]!, args[1]!];
  const [open, close] = isRoot ? ['', ''] : ['(', ')'];
  const [beforeX, afterX] = needsParentheses(x) ? ['(', ')'] : ['', ''];
  const [beforeY, afterY] = needsParentheses(y) ? ['(', ')'] : ['', ''];
  const edits: Edit[] = [
    { start: span.start, end: x.span.start, text: open + beforeX },
    { start: x.span.end, end: y.span.start, text: `${afterX} / ${beforeY}` },
    { start: y.span.end, end: span.end, text: afterY + close },
  ];
  return { title: 'Divide elementwise: `/`', edits: moved(edits, base) };
}

/** Whether an argument is an operation that has none of its own; the span of an argument includes them. */
function needsParentheses({ value, span }: ArgumentSyntax): boolean {
  const isOperation = value.kind === 'binary' || value.kind === 'negation';
  return isOperation && value.span.start === span.start && value.span.end === span.end;
}

function moved(edits: readonly Edit[], base: number): Edit[] {
  return edits.map((edit) => ({ ...edit, ...shift(edit, base) }));
}
