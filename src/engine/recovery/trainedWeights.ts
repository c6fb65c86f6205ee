import type { BlockWeights, Weights } from '../forward/blockWeights.ts';
import type { BlockLayout } from '../families/family.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Adapter, AdaptedLayer, Place, TrainedTensor } from './adapter.ts';
import { tensorsOf } from './adapter.ts';
import { downName, upName } from './trainingBlock.ts';

/** How a layer's factors go into its weight: `masked` leaves zeros of the weight zero. */
export type Merge = 'plain' | 'masked';

/**
 * The checkpoint's weights with what has been learnt so far: W + scaling · B · A, and vectors in their places. Merged before a program runs, once
 * after each update where the model is kept in memory, else at each visit: that costs out · in · rank multiplications, where factors in the
 * program would cost rows · (in + out) · rank and another pass over the layer's output, there and back.
 */
export class TrainedWeights {
  readonly layouts: readonly BlockLayout[];
  private readonly base: BlockWeights;
  private readonly device: Device;
  private readonly layers = new Map<number, AdaptedLayer[]>();
  private readonly trained = new Map<Place, TrainedTensor[]>();
  /** Of blocks that are kept: what was merged since the last {@link changed}. */
  private readonly current = new Map<Place, Weights>();
  /** Tensors of this process that merged weights were written to, and may be again. */
  private readonly spares = new Map<Place, Record<string, DeviceTensor>>();
  private merge: Merge = 'plain';

  constructor(base: BlockWeights, device: Device, adapter: Adapter) {
    this.base = base;
    this.device = device;
    this.layouts = base.layouts;
    for (const layer of adapter.layers) put(this.layers, layer.block, layer);
    for (const tensor of tensorsOf(adapter)) put(this.trained, tensor.place, tensor);
  }

  /** A block's weights, and its factors under their own names; valid until {@link done}. */
  block(index: number): Promise<Weights> {
    return this.at(index, () => this.base.block(index));
  }

  /** The weights after the last block. */
  head(): Promise<Weights> {
    return this.at('head', () => this.base.head());
  }

  done(weights: Weights): void {
    if (this.base.keeps) return;
    // The base's own and what was merged alike: its arrays are read into again at the next visit.
    this.base.done(weights);
  }

  /** Says that the adapter has other values now, or that it is to be merged in another way. */
  changed(merge: Merge): void {
    this.merge = merge;
    for (const weights of this.current.values()) for (const tensor of Object.values(weights)) tensor.dispose();
    this.current.clear();
  }

  dispose(): void {
    this.changed('plain');
    this.spares.clear();
  }

  private async at(place: Place, load: () => Promise<Weights>): Promise<Weights> {
    const found = this.current.get(place);
    const base = await load();
    if (found) return { ...base, ...found };
    const own = await this.own(place, base);
    if (this.base.keeps) this.current.set(place, own);
    else for (const name of Object.keys(own)) base[name]?.dispose();
    return { ...base, ...own };
  }

  /** What stands in the place of the base's weights, and the factors. */
  private async own(place: Place, base: Weights): Promise<Weights> {
    const own: Record<string, DeviceTensor> = {};
    for (const tensor of this.trained.get(place) ?? []) {
      // A copy: the runtime may read it yet when the next update changes the values.
      own[tensor.input] = await this.device.upload(tensor.values.slice(), tensor.shape, 'float32');
    }
    const layers = place === 'head' ? [] : (this.layers.get(place) ?? []);
    if (layers.length === 0) return own;
    const program = await this.device.program(
      `recovery merge ${this.merge} ${JSON.stringify(layers.map(({ name, rank, scaling, parameter }) => [name, rank, scaling, parameter.shape]))}`,
      () => buildMerge(layers, this.merge),
      () => false,
    );
    const slot = this.base.keeps ? place : 0;
    const merged = await program.run({ ...base, ...own }, this.device.resident ? {} : this.spare(slot, layers));
    for (const { name } of layers) own[name] = merged[`merged:${name}`]!;
    return own;
  }

  private spare(place: Place, layers: readonly AdaptedLayer[]): Record<string, DeviceTensor> {
    const before = this.spares.get(place);
    const spare = Object.fromEntries(
      layers.map(({ name, parameter: { shape } }) => {
        const old = before?.[`merged:${name}`];
        const fits = old?.shape.join() === shape.join();
        return [`merged:${name}`, fits ? old : DeviceTensor.empty(shape)];
      }),
    );
    this.spares.set(place, spare);
    return spare;
  }
}

/** name, name.lora_A, name.lora_B → `merged:name` of each layer. */
function buildMerge(layers: readonly AdaptedLayer[], merge: Merge): Graph {
  const graph = new GraphBuilder();
  for (const { name, scaling, parameter, down, up } of layers) {
    const weight = graph.input(name, parameter.shape);
    const factors = [graph.input(upName(name), up.shape), graph.input(downName(name), down.shape)] as const;
    const sum = graph.add(weight, graph.matMul(...factors, { scale: scaling }));
    const zero = merge === 'masked' ? graph.cast(graph.equal(weight, graph.scalar(0)), 'float32') : undefined;
    graph.output(`merged:${name}`, zero ? graph.mul(sum, graph.sub(graph.scalar(1), zero)) : sum);
  }
  return graph.build(`merge, ${merge}`);
}

function put<Key, Item>(map: Map<Key, Item[]>, key: Key, item: Item): void {
  const items = map.get(key);
  if (items) items.push(item);
  else map.set(key, [item]);
}
