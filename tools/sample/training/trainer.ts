import { Rng } from '../../../src/base/rng.ts';
import type { ModelConfig } from '../../../src/engine/families/families.ts';
import type { Parameter } from '../../../src/engine/families/family.ts';
import { familyOf } from '../../../src/engine/families/families.ts';
import { rotaryTables } from '../../../src/engine/models/rope.ts';
import type { Device, Program } from '../../../src/engine/runtime/device.ts';
import type { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';
import { type AdamSettings, AdamTensor } from './adam.ts';
import { addRows, lookUpRows } from './embeddingTable.ts';
import { initialWeights } from './initialWeights.ts';
import { learningRate, type LearningRateSettings } from './schedule.ts';
import { buildTrainingGraph, trainedParameters } from './trainingGraph.ts';

export interface TrainingSettings extends AdamSettings, LearningRateSettings {
  /** Sequences to an update. */
  readonly batch: number;
  /** Tokens to a sequence. */
  readonly length: number;
  /** Longest gradient (Euclidean, over all tensors); a longer one is scaled down to it. */
  readonly clip: number;
  /** Of the first weights and of the sequences that are drawn. */
  readonly seed: number;
}

export interface StepReport {
  /** Updates done, this one included. */
  readonly step: number;
  /** Mean cross-entropy of the batch before the update, in nats. */
  readonly loss: number;
  readonly rate: number;
  /** Length of the gradient before it was clipped. */
  readonly gradientNorm: number;
}

/**
 * Trains a model of a family with rotary positions from random weights on one text's token ids. Equal settings, ids, device and
 * number of threads give equal weights.
 */
export class Trainer {
  private readonly config: ModelConfig;
  private readonly device: Device;
  private readonly settings: TrainingSettings;
  private readonly ids: Int32Array;
  private readonly rng: Rng;
  private readonly parameters: readonly Parameter[];
  private readonly tensors: ReadonlyMap<string, AdamTensor>;
  private readonly program: Program;
  private readonly rotary: Readonly<Record<'cosines' | 'sines', DeviceTensor>>;
  private step = 0;

  private constructor(parts: TrainerParts) {
    this.config = parts.config;
    this.device = parts.device;
    this.settings = parts.settings;
    this.ids = parts.ids;
    this.rng = parts.rng;
    this.parameters = parts.parameters;
    this.tensors = parts.tensors;
    this.program = parts.program;
    this.rotary = parts.rotary;
  }

  static async create(
    config: ModelConfig,
    device: Device,
    ids: Int32Array,
    settings: TrainingSettings,
  ): Promise<Trainer> {
    const { batch, length } = settings;
    if (config.positions.kind !== 'rotary') throw new RangeError('training needs rotary positions');
    if (ids.length <= length) throw new RangeError(`${ids.length} tokens are too few for sequences of ${length}`);
    const rng = new Rng(settings.seed);
    const parameters = trainedParameters(config);
    const tensors = new Map<string, AdamTensor>();
    for (const parameter of parameters) {
      const weights = initialWeights(parameter, config, rng);
      // Norms and embeddings are not drawn towards zero: their size carries meaning of its own.
      const weightDecay = parameter.linear ? settings.weightDecay : 0;
      tensors.set(
        parameter.tensor,
        await AdamTensor.create(device, parameter.shape, weights, { ...adamSettings(settings), weightDecay }),
      );
    }
    const program = await device.program(
      `training ${JSON.stringify(config)} ${batch}×${length}`,
      () => buildTrainingGraph(config, { batch, tokens: length }),
      (output) => output === 'loss' || output === 'dx',
    );
    const tables = rotaryTables(config.positions, length, config.maxPositions);
    const rotary = {
      cosines: await device.upload(tables.cosines, tables.shape, 'float32'),
      sines: await device.upload(tables.sines, tables.shape, 'float32'),
    };
    return new Trainer({ config, device, settings, ids, rng, parameters, tensors, program, rotary });
  }

  /** One update on sequences drawn from the text. */
  async advance(): Promise<StepReport> {
    const { config, device, settings, tensors } = this;
    const { batch, length } = settings;
    const rows = batch * length;
    const [inputs, targets] = this.drawBatch();
    const table = familyOf(config).embedding(config).table.tensor;
    const x = lookUpRows(await device.download(tensors.get(table)!.weight), inputs, config.hidden);
    const weights = Object.fromEntries([...tensors].map(([name, tensor]) => [name, tensor.weight]));
    const feeds = {
      ...weights,
      ...this.rotary,
      x: await device.upload(x, [rows, config.hidden], 'float32'),
      targets: await device.upload(targets, [rows], 'int32'),
    };
    const outputs = await this.program.run(feeds);

    const gradients = new Map<string, Float32Array>();
    for (const { tensor, shape } of this.parameters) {
      const output = outputs[`d:${tensor}`];
      gradients.set(tensor, output ? await device.download(output) : new Float32Array(shape.reduce((a, b) => a * b)));
    }
    addRows(gradients.get(table)!, inputs, outputs['dx']!.floats(), config.hidden);
    const gradientNorm = Math.sqrt(sumOfSquares(gradients.values()));
    const rate = learningRate(this.step, settings);
    this.step++;
    const scale = gradientNorm > settings.clip ? settings.clip / gradientNorm : 1;
    for (const { tensor, shape } of this.parameters) {
      const gradient = await device.upload(gradients.get(tensor)!, shape, 'float32');
      await tensors.get(tensor)!.update(gradient, { step: this.step, rate, scale });
    }
    return { step: this.step, loss: outputs['loss']!.floats()[0]!, rate, gradientNorm };
  }

  /** The tensors as they are now, under the checkpoint's names. */
  async weights(): Promise<ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>> {
    const weights = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>();
    for (const { tensor, shape } of this.parameters) {
      weights.set(tensor, { shape, data: (await this.device.download(this.tensors.get(tensor)!.weight)).slice() });
    }
    return weights;
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
    this.rotary.cosines.dispose();
    this.rotary.sines.dispose();
  }

  /** Token ids and the ids that follow them, `batch` sequences from anywhere in the text. */
  private drawBatch(): [inputs: Int32Array, targets: Int32Array] {
    const { batch, length } = this.settings;
    const inputs = new Int32Array(batch * length);
    const targets = new Int32Array(batch * length);
    for (let sequence = 0; sequence < batch; sequence++) {
      const begin = this.rng.integer(this.ids.length - length);
      inputs.set(this.ids.subarray(begin, begin + length), sequence * length);
      targets.set(this.ids.subarray(begin + 1, begin + length + 1), sequence * length);
    }
    return [inputs, targets];
  }
}

interface TrainerParts {
  readonly config: ModelConfig;
  readonly device: Device;
  readonly settings: TrainingSettings;
  readonly ids: Int32Array;
  readonly rng: Rng;
  readonly parameters: readonly Parameter[];
  readonly tensors: ReadonlyMap<string, AdamTensor>;
  readonly program: Program;
  readonly rotary: Readonly<Record<'cosines' | 'sines', DeviceTensor>>;
}

function adamSettings({ beta1, beta2, epsilon, weightDecay }: AdamSettings): AdamSettings {
  return { beta1, beta2, epsilon, weightDecay };
}

function sumOfSquares(tensors: Iterable<Float32Array>): number {
  let sum = 0;
  for (const tensor of tensors) for (const value of tensor) sum += value * value;
  return sum;
}
