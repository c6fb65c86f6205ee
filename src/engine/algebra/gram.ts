import type { DeviceTensor } from '../runtime/deviceTensor.ts';

/** What the inputs of a linear layer are to each other: H = Σ x xᵀ over the calibration tokens. Layers that read the same share it. */
export interface Gram {
  /** Inputs of the layer, n. */
  readonly size: number;
  /** H [n, n], float32, symmetric. */
  readonly sums: DeviceTensor;
  /** Tokens that were added up. */
  readonly tokens: number;
  dispose(): void;
}
