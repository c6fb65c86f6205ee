import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Places } from './places.ts';

/** Sequences that go through the network together. */
export interface HiddenBatch {
  readonly batch: number;
  readonly ids: readonly Int32Array[];
  /** Where tokens are not at the place where they stand, or do not see all those before them. */
  readonly places?: Places | undefined;
  /** [batch · tokens, hidden] */
  x: DeviceTensor;
}
