import type { Expression } from '../../metric/expression.ts';
import type { Parameter } from '../families/family.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Groups } from './comparisonGroups.ts';

/** A linear layer whose weights a metric is to rank. */
export interface RankedLayer {
  readonly layer: Parameter;
  readonly expression: Expression;
  /** For messages. */
  readonly metric: string;
  /** `weight` [out, in] as the device has it, and what the metric names beside: rows [1, in], and G [out, in], float32. */
  readonly operands: Readonly<{ weight: DeviceTensor } & Record<string, DeviceTensor>>;
  readonly groups: Groups;
}
