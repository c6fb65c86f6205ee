import type { Expression } from '../../../src/metric/expression.ts';
import type { OperandName } from '../../../src/metric/operands.ts';
import type { OperationName } from '../../../src/metric/operations.ts';

/** An expression from its prefix form, `mul(W, sqrt(X))`: what the reference takes too. For well-formed text of tests only. */
export function fromPrefix(text: string): Expression {
  const tokens = [...text.matchAll(/[A-Za-z]+|[\d.]+|[(),]/g)].map(([token]) => token);
  let at = 0;
  const parse = (): Expression => {
    const token = tokens[at++]!;
    if (/^[\d.]/.test(token)) return { kind: 'number', value: Number(token) };
    if (tokens[at] !== '(') return { kind: 'operand', name: token as OperandName };
    const inside: Expression[] = [];
    do {
      at++;
      inside.push(parse());
    } while (tokens[at] === ',');
    at++;
    return { kind: 'operation', operation: token as OperationName, arguments: inside };
  };
  return parse();
}
