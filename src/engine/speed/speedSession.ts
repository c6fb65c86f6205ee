import { storedParts } from '../checkpoint/modelTensor.ts';
import type { SpeedRequest, SpeedRound, SpeedSubject } from '../../experiment/exportSchema.ts';
import type { LoadedModel, LoadedModels } from '../forward/loadedModels.ts';
import { modelLength, requireLength } from '../forward/modelLength.ts';
import { sizeOf } from '../graph/shape.ts';
import { allParameters } from '../families/families.ts';
import { peakMemory } from '../runtime/memory.ts';
import type { OpenDevices } from '../runtime/openDevices.ts';
import { SpeedPass } from './speedPass.ts';

/** One checkpoint loaded to be measured. */
export class SpeedSession {
  private readonly model: LoadedModel;
  private readonly pass: SpeedPass;

  private constructor(model: LoadedModel, pass: SpeedPass) {
    this.model = model;
    this.pass = pass;
  }

  static async open(
    { model: folder, batch, length, settings }: SpeedRequest,
    signal: AbortSignal | undefined,
    { devices, models }: { readonly devices: OpenDevices; readonly models: LoadedModels },
  ): Promise<SpeedSession> {
    const device = await devices.device(settings);
    const model = await models.load(folder, device, signal);
    requireLength(model.checkpoint.config, length);
    return new SpeedSession(model, await SpeedPass.open({ ...model, device }, batch, length));
  }

  get subject(): SpeedSubject {
    const { tensors, config } = this.model.checkpoint;
    const parameters = allParameters(config);
    const stored = parameters.flatMap(({ tensor }) => storedParts(tensors.get(tensor)!));
    return {
      parameters: parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
      bytes: stored.reduce((sum, { begin, end }) => sum + end - begin, 0),
      modelLength: modelLength(config),
    };
  }

  /** One pass; the first also reads the weights and compiles. */
  async round(signal: AbortSignal | undefined): Promise<SpeedRound> {
    const { blocks, outside, decode } = await this.pass.run(signal);
    const total = (phase: 'prefill' | 'decode'): number =>
      blocks.reduce((sum, block) => sum + block[phase], outside[phase]);
    const { tokens, batch } = decode;
    return {
      seconds: total('prefill'),
      decode: { seconds: total('decode') * tokens, tokens: tokens * batch, batch },
      peakMemory: peakMemory(),
    };
  }

  dispose(): void {
    this.pass.dispose();
  }
}
