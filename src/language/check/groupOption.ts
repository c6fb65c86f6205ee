import { SETTINGS } from '../../experiment/settings.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { nearestName } from '../../metric/nearest.ts';
import type { Identifier } from '../syntax/syntax.ts';
import { didYouMean, shift } from './diagnostics.ts';
import type { Findings } from './findings.ts';

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
