import { type ModelMask, unpackBits } from '../../experiment/components.ts';
import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import type { BlockFill } from '../forward/maskInputs.ts';
import { type BlockLayout, familyOf, type Parameter } from '../models/model.ts';
import { type Coupling, couplings } from './coupling.ts';
import { removedConfig } from './removedConfig.ts';

/**
 * The model that a mask leaves, with its tensors under the names that they have there: rows and columns of removed components are gone,
 * dropped blocks too, and what comes after one moves up. It computes what the masked model computes, and is read like any checkpoint.
 *
 * @param mask one that keeps a block
 * @param fills of each dense block, where removal is compensated: W[:, removed] · fill is added to the output projection's bias
 */
export function removeComponents(dense: ModelTensors, mask: ModelMask, fills?: readonly BlockFill[]): ModelTensors {
  const family = familyOf(dense.config);
  const { config, kept } = removedConfig(dense.config, mask, fills !== undefined);
  const readers = new Map<string, () => Float32Array>();
  for (const [index, source] of kept.entries()) {
    const block = new RemovedBlock(dense, family.block(dense.config, source), mask[source]!, fills?.[source]);
    for (const parameter of family.block(config, index).parameters) {
      readers.set(parameter.tensor, () => block.read(parameter));
    }
  }
  return {
    config,
    read(name, shape, into) {
      const read = readers.get(name);
      if (!read) return dense.read(name, shape, into);
      const values = read();
      into?.set(values);
      return into ?? values;
    },
    // Of blocks no single rows are asked for.
    readRows: (name, shape, first, count, into) => dense.readRows(name, shape, first, count, into),
  };
}

/** What is left of one block's tensors. */
class RemovedBlock {
  private readonly dense: ModelTensors;
  private readonly parameters: ReadonlyMap<string, Parameter>;
  private readonly couplings: ReadonlyMap<string, Coupling>;
  private readonly kept: Readonly<Record<Coupling['of'], Uint8Array>>;
  private readonly fill: Readonly<Record<Coupling['of'], Float32Array>> | undefined;

  constructor(
    dense: ModelTensors,
    layout: BlockLayout,
    { groups, channels }: ModelMask[number],
    fill: BlockFill | undefined,
  ) {
    this.dense = dense;
    this.parameters = new Map(layout.parameters.map((parameter) => [parameter.name, parameter]));
    this.couplings = new Map(couplings(layout).map((coupling) => [coupling.parameter.name, coupling]));
    this.kept = {
      groups: unpackBits(groups, layout.shape.kvHeads),
      channels: unpackBits(channels, layout.shape.intermediate),
    };
    this.fill = fill && { groups: fill.attention, channels: fill.channels };
  }

  /** @param parameter of the block that is left */
  read({ name, shape }: Parameter): Float32Array {
    const before = this.parameters.get(name);
    const values = before ? this.dense.read(before.tensor, before.shape) : new Float32Array(shape[0]!);
    const coupling = this.couplings.get(name);
    if (coupling) return keepParts(values, coupling, this.kept[coupling.of]);
    const reader = name.endsWith('.bias') ? this.couplings.get(name.slice(0, -'.bias'.length)) : undefined;
    if (this.fill && reader?.axis === 1) this.addFilling(values, reader, this.fill[reader.of]);
    return values;
  }

  /** bias += Σ over removed inputs of W[:, input] · fill[input]. */
  private addFilling(bias: Float32Array, { parameter: { tensor, shape }, of }: Coupling, fill: Float32Array): void {
    const [rows, columns] = shape as [number, number];
    const weight = this.dense.read(tensor, shape);
    const kept = this.kept[of];
    const part = columns / kept.length;
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let i = 0; i < columns; i++) if (!kept[Math.floor(i / part)]) sum += weight[row * columns + i]! * fill[i]!;
      bias[row]! += sum;
    }
  }
}

/** The rows or columns that go with kept components, in order. */
function keepParts(values: Float32Array, { parameter: { shape }, axis }: Coupling, kept: Uint8Array): Float32Array {
  // A vector is one column.
  const columns = shape[1] ?? 1;
  const part = shape[axis]! / kept.length;
  const stays = Uint8Array.from({ length: shape[axis]! }, (_, index) => kept[Math.floor(index / part)]!);
  return values.filter((_, at) => stays[axis === 0 ? Math.floor(at / columns) : at % columns]);
}
