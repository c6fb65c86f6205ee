import type { Shape } from '../graph/shape.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';

/**
 * Tensors that are used up and may be written again. On the CPU a program writes its outputs into them; on a device with memory of
 * its own the runtime reuses buffers itself, and what is used up is freed at once.
 */
export class TensorPool {
  private readonly device: Device;
  private readonly free = new Map<string, DeviceTensor[]>();
  private readonly zeros = new Map<string, DeviceTensor>();
  private readonly shared = new Set<DeviceTensor>();
  /** Tensors on a device with memory of its own that somebody reads yet. */
  private readonly read = new Set<DeviceTensor>();

  constructor(device: Device) {
    this.device = device;
  }

  /** Whether the device has memory of its own. */
  get resident(): boolean {
    return this.device.resident;
  }

  /** Outputs to pass to `Program.run`, by name; empty where the device allocates them. */
  outputs(shapes: Readonly<Record<string, Shape>>): Record<string, DeviceTensor> {
    if (this.resident) return {};
    return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, this.take(shape)]));
  }

  /** Takes charge of tensors until they are given back: what is left over when a pass fails is freed by {@link dispose}. */
  own(tensors: Readonly<Record<string, DeviceTensor>> | readonly DeviceTensor[]): void {
    for (const tensor of Object.values(tensors)) if (tensor.resident) this.read.add(tensor);
  }

  /** Takes back a tensor that nobody reads any more. */
  give(tensor: DeviceTensor): void {
    if (this.shared.has(tensor)) return;
    if (tensor.resident) {
      tensor.dispose();
      this.read.delete(tensor);
      return;
    }
    const key = tensor.shape.join('×');
    this.free.set(key, [...(this.free.get(key) ?? []), tensor]);
  }

  /** Zeros that are shared by all who ask for this shape: not to be written to. */
  async zero(shape: Shape): Promise<DeviceTensor> {
    const key = shape.join('×');
    const kept = this.zeros.get(key);
    if (kept) return kept;
    const zero = await this.device.zeros(shape);
    this.zeros.set(key, zero);
    this.shared.add(zero);
    return zero;
  }

  /** Drops tensors that are free, and zeros, of shapes that will not be asked for again. */
  forget(shape: Shape): void {
    const key = shape.join('×');
    this.free.delete(key);
    const zero = this.zeros.get(key);
    if (!zero) return;
    this.zeros.delete(key);
    this.shared.delete(zero);
    zero.dispose();
  }

  dispose(): void {
    for (const tensor of [...this.shared, ...this.read]) tensor.dispose();
    this.zeros.clear();
    this.shared.clear();
    this.read.clear();
    this.free.clear();
  }

  private take(shape: Shape): DeviceTensor {
    return this.free.get(shape.join('×'))?.pop() ?? DeviceTensor.empty(shape);
  }
}
