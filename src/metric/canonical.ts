import type { Expression } from './expression.ts';
import { printPrefix } from './print.ts';
import { keepsRanking } from './sign.ts';

/** An expression that ranks the same weights in the same order, the same one for many spellings. */
export interface CanonicalForm {
  readonly expression: Expression;
  /** Equal keys: equal rankings within every comparison group, in exact arithmetic. */
  readonly key: string;
  /** What was done, in words for a person: "mms at the root keeps the ranking". */
  readonly steps: readonly string[];
  /** Whether float32 may tell apart, or fail to, what exact arithmetic has equal: then equal keys are only likely equal masks. */
  readonly saturates: boolean;
}

export function canonical(expression: Expression): CanonicalForm {
  const steps: string[] = [];
  let saturates = false;
  let node = expression;
  while (node.kind === 'operation' && keepsRanking(node.operation, node.arguments[0]!)) {
    steps.push(`${node.operation} at the root keeps the ranking`);
    saturates ||= node.operation === 'tanh' || node.operation === 'exp';
    node = node.arguments[0]!;
  }
  return { expression: node, key: printPrefix(node), steps, saturates };
}
