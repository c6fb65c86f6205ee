import type { ModelConfig } from '../families/families.ts';
import type { RotaryPositions } from '../families/config.ts';
import { type BlockLayout, rotationOf } from '../families/family.ts';
import { HIDDEN } from '../graph/attentionMask.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Shape } from '../graph/shape.ts';
import type { RotaryTables } from '../models/rope.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Weights } from './blockWeights.ts';
import { keyOf, leantTables, type PlacedTables, tablesFor } from './placedTables.ts';
import type { Places } from './places.ts';

/**
 * What `placedTables` makes in this process, made on a device with memory of its own: a few numbers for each token and key go there, and not a
 * mask of all pairs of them and a row of angles for each, at each block anew.
 */
export class ResidentPlaces {
  private readonly config: ModelConfig;
  private readonly device: Device;
  /** In this process, and on the device, by the rotation: of each the last that was asked for. */
  private readonly tables: PlacedTables = new Map();
  private readonly uploaded = new Map<string, { readonly of: RotaryTables; readonly there: Weights }>();

  constructor(config: ModelConfig, device: Device) {
    this.config = config;
    this.device = device;
  }

  /** As `ModelPrograms.placed`, whose tensors are the caller's to dispose of. */
  async make(layout: BlockLayout, places: Places, tokens: number): Promise<Weights> {
    const { config, device } = this;
    const batch = places.positions.length / tokens;
    const keys = places.keys.length / batch;
    const rotation = rotationOf(config, layout);
    const tables = rotation && (await this.tablesOf(places, rotation));
    const asked = { batch, tokens, keys, window: layout.window, table: tables?.['cosines']?.shape };
    const program = await device.program(
      `places ${JSON.stringify(asked)}`,
      () => placesGraph(asked),
      () => false,
    );
    const { from, until } = places.seen();
    const made: Record<string, DeviceTensor> = await program.run({
      ...(tables && { 'table.cosines': tables['cosines']!, 'table.sines': tables['sines']! }),
      positions: vector(places.positions, [batch * tokens, 1]),
      keys: vector(places.keys, [batch, 1, keys]),
      from: vector(from, [batch, 1, keys]),
      until: vector(until, [batch, 1, keys]),
    });
    for (const [name, { data, shape }] of Object.entries(leantTables(config, layout, places, batch))) {
      made[name] = await device.upload(data, shape, 'float32');
    }
    return made;
  }

  dispose(): void {
    for (const { there } of this.uploaded.values()) disposeAll(there);
    this.uploaded.clear();
  }

  private async tablesOf({ longest }: Places, rotation: RotaryPositions): Promise<Weights> {
    const key = keyOf(rotation);
    const of = tablesFor(rotation, longest, this.config.maxPositions, this.tables);
    const found = this.uploaded.get(key);
    if (found?.of === of) return found.there;
    if (found) disposeAll(found.there);
    const there = {
      cosines: await this.device.upload(of.cosines, of.shape, 'float32'),
      sines: await this.device.upload(of.sines, of.shape, 'float32'),
    };
    this.uploaded.set(key, { of, there });
    return there;
  }
}

interface PlacesShape {
  readonly batch: number;
  readonly tokens: number;
  readonly keys: number;
  readonly window: number | undefined;
  /** [positions, pairs] of the rotary tables. */
  readonly table: Shape | undefined;
}

function placesGraph({ batch, tokens, keys, window, table }: PlacesShape): Graph {
  const graph = new GraphBuilder();
  const read = (name: string): Value => graph.cast(graph.input(name, [batch, 1, keys], 'int32'), 'float32');
  const positions = graph.input('positions', [batch * tokens, 1], 'int32');
  const token = graph.constant(
    Array.from({ length: tokens }, (_, i) => i),
    [1, tokens, 1],
  );
  const holds = (a: Value, b: Value): Value => graph.cast(graph.lessOrEqual(a, b), 'float32');
  const begun = holds(read('from'), token);
  let seen = graph.mul(begun, holds(graph.add(token, graph.scalar(1)), read('until')));
  if (window !== undefined) {
    const behind = graph.sub(graph.cast(graph.reshape(positions, [batch, tokens, 1]), 'float32'), read('keys'));
    seen = graph.mul(seen, holds(behind, graph.scalar(window - 1)));
  }
  graph.output('attention.mask', graph.mul(graph.sub(seen, graph.scalar(1)), graph.scalar(-HIDDEN)));
  if (table) {
    for (const name of ['cosines', 'sines']) {
      graph.output(name, graph.rowsAt(graph.input(`table.${name}`, table), positions));
    }
  }
  return graph.build('places');
}

function vector(places: Int32Array, shape: Shape): DeviceTensor {
  return DeviceTensor.fromHost(places, shape);
}

function disposeAll(tensors: Weights): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}
