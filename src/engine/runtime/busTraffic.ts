import type { DeviceTensor } from './deviceTensor.ts';

/** What runs of a program have moved between this process and the memory of a device, in bytes. */
export interface Crossing {
  readonly runs: number;
  readonly up: number;
  readonly down: number;
}

/**
 * Counts what crosses to a device with memory of its own, where it crosses: at the runs of programs. What lies in this process goes up at each
 * run that takes it; what a run leaves in this process has come down.
 */
export class BusTraffic {
  private found = new Map<string, Crossing>();

  /** @param program its graph's name */
  add(program: string, inputs: readonly DeviceTensor[], outputs: readonly DeviceTensor[]): void {
    const { runs, up, down } = this.found.get(program) ?? NOTHING;
    this.found.set(program, { runs: runs + 1, up: up + bytesHere(inputs), down: down + bytesHere(outputs) });
  }

  /** Counts since the last time that they were taken, by the program. */
  take(): ReadonlyMap<string, Crossing> {
    const { found } = this;
    this.found = new Map();
    return found;
  }
}

const NOTHING: Crossing = { runs: 0, up: 0, down: 0 };

function bytesHere(tensors: readonly DeviceTensor[]): number {
  return tensors.reduce((sum, tensor) => sum + (tensor.resident ? 0 : tensor.bytes), 0);
}
