import { SETTINGS } from '../../experiment/settings.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { nearestName } from '../../metric/nearest.ts';
import { isClauseName } from './structureWords.ts';
import { visitExpression } from '../syntax/syntax.ts';
import type { ExpressionSyntax, Identifier } from '../syntax/syntax.ts';
import { didYouMean, shift } from './diagnostics.ts';
import type { Findings } from './findings.ts';
import type { PropertyReader } from './propertyReader.ts';

export type Group = EvaluationSettings['group'];

const { choices } = SETTINGS.group;

/** What a metric says its weights are compared over, `(group: layer)`; undefined where that is no group, which is told. */
export function readGroup(
  group: Identifier | undefined,
  base: number,
  findings: Findings | undefined,
): Group | undefined {
  if (group === undefined) return undefined;
  const found = choices.find((choice) => choice === group.text);
  if (found === undefined) {
    const span = shift(group.span, base);
    const { suffix, ...fixes } = didYouMean(span, nearestName(group.text, choices));
    const listed = choices.map((choice) => `\`${choice}\``).join(', ');
    findings?.diagnostics.add('property/type', span, `\`group\` is one of ${listed}${suffix}`, fixes);
  }
  return found;
}

/** Tells of groups where no metric of single weights stands that could have one. @param values of a property */
export function tellMisplacedGroups(
  reader: PropertyReader,
  values: readonly ExpressionSyntax[],
  takesMetrics: boolean,
): void {
  for (const value of values) {
    const taken = takesMetrics ? metricOf(value) : undefined;
    visitExpression(value, (node) => {
      if (node.group === undefined || node === taken) return;
      const message = '`group` stands behind a metric of single weights: where one is declared, or in `prune`';
      reader.report('call/argument', node.group.span, message);
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
