import type { Expression } from './expression.ts';
import { OPERAND_NAMES, OPERANDS } from './operands.ts';
import type { OperandName, OperandStatistic } from './operands.ts';

/** Nodes of the tree; a subtree that is shared counts as often as it occurs. */
export function sizeOf(expression: Expression): number {
  return expression.kind === 'operation' ? expression.arguments.reduce((sum, part) => sum + sizeOf(part), 1) : 1;
}

/** Nodes on the longest way from the root to a leaf; a single operand has depth 1. */
export function depthOf(expression: Expression): number {
  return expression.kind === 'operation' ? 1 + Math.max(0, ...expression.arguments.map(depthOf)) : 1;
}

/** The operands that occur, each once, in the order of the table. */
export function operandsOf(expression: Expression): readonly OperandName[] {
  const found = new Set<OperandName>();
  const visit = (node: Expression): void => {
    if (node.kind === 'operand') found.add(node.name);
    else if (node.kind === 'operation') node.arguments.forEach(visit);
  };
  visit(expression);
  return OPERAND_NAMES.filter((name) => found.has(name));
}

/** What has to be collected from the model before any of the expressions can be evaluated, each statistic once. */
export function statisticsOf(...expressions: readonly Expression[]): readonly OperandStatistic[] {
  return [...new Set(expressions.flatMap(operandsOf).flatMap((name) => OPERANDS[name].needs))];
}
