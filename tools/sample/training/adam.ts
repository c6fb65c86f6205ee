import { GraphBuilder } from '../../../src/engine/graph/graphBuilder.ts';
import type { Graph, Value } from '../../../src/engine/graph/graph.ts';
import type { Shape } from '../../../src/engine/graph/shape.ts';
import type { Device } from '../../../src/engine/runtime/device.ts';
import { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';

export interface AdamSettings {
  /** Decay of the mean of gradients. */
  readonly beta1: number;
  /** Decay of the mean of squared gradients. */
  readonly beta2: number;
  readonly epsilon: number;
  /** Share of the weight that an update takes away, times the rate (decoupled: Loshchilov and Hutter). */
  readonly weightDecay: number;
}

/** What differs from update to update. */
export interface AdamStep {
  /** Updates so far, this one included. */
  readonly step: number;
  readonly rate: number;
  /** What gradients are multiplied with first, to clip them. */
  readonly scale: number;
}

/**
 * Adam (Kingma and Ba) as a program for one shape:
 *
 *     g' = scale · g
 *     m ← β₁ m + (1 − β₁) g'
 *     v ← β₂ v + (1 − β₂) g'²
 *     w ← w − shrink · w − rate · (m · unbias1) / (sqrt(v · unbias2) + ε)
 *
 * with unbias = 1 / (1 − β^step) and shrink = rate · weightDecay, which come in as numbers of one element each.
 */
function buildAdamGraph(shape: Shape, { beta1, beta2, epsilon }: AdamSettings): Graph {
  const graph = new GraphBuilder();
  const tensor = (name: string): Value => graph.input(name, shape);
  const number = (name: string): Value => graph.input(name, [1]);
  const [weight, gradient, mean, square] = [tensor('weight'), tensor('gradient'), tensor('mean'), tensor('square')];
  const { add, sub, mul, div, sqrt } = graph;
  const scaled = mul(gradient, number('scale'));
  const nextMean = add(mul(mean, graph.scalar(beta1)), mul(scaled, graph.scalar(1 - beta1)));
  const nextSquare = add(mul(square, graph.scalar(beta2)), mul(mul(scaled, scaled), graph.scalar(1 - beta2)));
  const deviation = add(sqrt(mul(nextSquare, number('unbias2'))), graph.scalar(epsilon));
  const change = mul(div(mul(nextMean, number('unbias1')), deviation), number('rate'));
  graph.output('nextWeight', sub(sub(weight, mul(weight, number('shrink'))), change));
  graph.output('nextMean', nextMean);
  graph.output('nextSquare', nextSquare);
  return graph.build('adam');
}

/** One tensor under training: its weights and Adam's two means, which take turns with spare tensors of the same shape. */
export class AdamTensor {
  private readonly device: Device;
  private readonly shape: Shape;
  private readonly settings: AdamSettings;
  private state: AdamState;
  private spare: AdamState | undefined;

  private constructor(device: Device, shape: Shape, settings: AdamSettings, state: AdamState) {
    this.device = device;
    this.shape = shape;
    this.settings = settings;
    this.state = state;
  }

  static async create(device: Device, shape: Shape, weight: Float32Array, settings: AdamSettings): Promise<AdamTensor> {
    const upload = (data: Float32Array): Promise<DeviceTensor> => device.upload(data, shape, 'float32');
    const zeros = (): Float32Array => new Float32Array(weight.length);
    return new AdamTensor(device, shape, settings, {
      weight: await upload(weight.slice()),
      mean: await upload(zeros()),
      square: await upload(zeros()),
    });
  }

  get weight(): DeviceTensor {
    return this.state.weight;
  }

  async update(gradient: DeviceTensor, { step, rate, scale }: AdamStep): Promise<void> {
    const { device, shape, settings, state, spare } = this;
    const { beta1, beta2, weightDecay } = settings;
    const program = await device.program(
      `adam ${shape.join('×')} ${JSON.stringify(settings)}`,
      () => buildAdamGraph(shape, settings),
      () => false,
    );
    const number = (value: number): DeviceTensor => DeviceTensor.fromHost(Float32Array.of(value), [1]);
    const outputs = await program.run(
      {
        ...state,
        gradient,
        scale: number(scale),
        rate: number(rate),
        shrink: number(rate * weightDecay),
        unbias1: number(1 / (1 - beta1 ** step)),
        unbias2: number(1 / (1 - beta2 ** step)),
      },
      spare ? { nextWeight: spare.weight, nextMean: spare.mean, nextSquare: spare.square } : {},
    );
    const next = { weight: outputs['nextWeight']!, mean: outputs['nextMean']!, square: outputs['nextSquare']! };
    if (device.resident) disposeState(state);
    else this.spare = state;
    this.state = next;
  }

  dispose(): void {
    disposeState(this.state);
    this.spare = undefined;
  }
}

interface AdamState {
  readonly weight: DeviceTensor;
  readonly mean: DeviceTensor;
  readonly square: DeviceTensor;
}

function disposeState(state: AdamState): void {
  for (const tensor of Object.values(state) as DeviceTensor[]) tensor.dispose();
}
