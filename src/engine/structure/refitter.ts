import type { StructureUpdate } from '../../experiment/updates.ts';
import type { Gram } from '../algebra/gram.ts';
import type { Pause } from '../runtime/pause.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { leastSquares } from '../update/leastSquares.ts';
import type { Refit } from './refits.ts';

/** An output projection just after it was refitted, for exporting. */
export interface RefittedLayer {
  /** Name in the dense checkpoint. */
  readonly tensor: string;
  /** [out, in] of the dense model, row-major; zero in the columns that go. */
  readonly weight: Float32Array;
}

/** What `reconstruct` does to one model, layer by layer, with the counts of what it took. */
export class Refitter {
  readonly update: StructureUpdate;
  /** Layers refitted so far. */
  layers = 0;
  /** Those whose H needed more damping than was asked for, and the most that one got. */
  readonly damped = { layers: 0, damping: 0 };
  private readonly device: Device;
  private readonly onRefitted: ((layer: RefittedLayer) => void) | undefined;

  constructor(device: Device, update: StructureUpdate, onRefitted?: (layer: RefittedLayer) => void) {
    this.device = device;
    this.update = update;
    this.onRefitted = onRefitted;
  }

  /**
   * The output projection that gives, of the columns that stay, what the whole one gave, as far as that can be.
   *
   * @param weight [out, in], as the checkpoint has it
   * @param gram of what the layer reads in the whole block, on the inputs that the blocks before leave
   * @throws EspalierError `recovery/ill-conditioned`
   */
  async refit({ layer, kept }: Refit, weight: DeviceTensor, gram: Gram, pause?: Pause): Promise<DeviceTensor> {
    const { device, update, damped } = this;
    const { weight: refitted, damping } = await leastSquares(device, weight, gram, kept, update.damping, pause);
    this.layers++;
    if (damping > update.damping) {
      damped.layers++;
      damped.damping = Math.max(damped.damping, damping);
    }
    this.onRefitted?.({ tensor: layer.tensor, weight: await device.download(refitted) });
    return refitted;
  }
}
