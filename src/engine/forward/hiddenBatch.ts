import type { DeviceTensor } from '../runtime/deviceTensor.ts';

/** Sequences that go through the network together. */
export interface HiddenBatch {
  readonly batch: number;
  readonly ids: readonly Int32Array[];
  /** [batch · tokens, hidden] */
  x: DeviceTensor;
}
