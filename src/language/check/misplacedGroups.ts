import { visitExpression } from '../syntax/syntax.ts';
import type { ExpressionSyntax } from '../syntax/syntax.ts';
import type { PropertyReader } from './propertyReader.ts';
import { isClauseName } from './structureWords.ts';

/** Tells of groups where no metric of single weights stands that could have one, and of what follows a mask where none is. @param values of a property */
export function tellMisplacedGroups(
  reader: PropertyReader,
  values: readonly ExpressionSyntax[],
  takesMetrics: boolean,
): void {
  for (const value of values) {
    const taken = takesMetrics ? metricOf(value) : undefined;
    visitExpression(value, (node) => {
      if (node.group !== undefined && node !== taken) {
        const message = '`group` stands behind a metric of single weights: where one is declared, or in `prune`';
        reader.report('call/argument', node.group.span, message);
      }
      if (node.then !== undefined && !(takesMetrics && node === value)) {
        const message = '`then` stands behind what is pruned with, in `prune`';
        reader.report('call/argument', node.then.span, message);
      }
    });
  }
}

/** What ranks single weights in a value of `prune`: the value itself, or that in `weights(…)`. */
function metricOf(value: ExpressionSyntax): ExpressionSyntax | undefined {
  if (value.kind !== 'call' || !isClauseName(value.callee.text)) return value;
  if (value.callee.text === 'structure') return undefined;
  const named = value.arguments.find(({ name }) => name?.text === 'metric');
  return (named ?? value.arguments.find(({ name }) => name === undefined))?.value;
}
