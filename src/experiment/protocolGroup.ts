import { canonical } from '../metric/canonical.ts';
import { operand } from '../metric/expression.ts';
import type { Expression } from '../metric/expression.ts';
import { protocolOf } from './protocols.ts';
import type { ProtocolName } from './protocols.ts';
import type { EvaluationSettings } from './settings.ts';

/**
 * What a protocol compares the weights of a metric over, where that is something else than for its other metrics: those that rank as the
 * weights' magnitudes do, however they are written, over the whole matrix.
 */
export function protocolGroup(protocol: ProtocolName, expression: Expression): EvaluationSettings['group'] | undefined {
  const { magnitude } = protocolOf(protocol);
  return magnitude && canonical(expression).key === MAGNITUDE ? magnitude.group : undefined;
}

const MAGNITUDE = canonical(operand('W')).key;
