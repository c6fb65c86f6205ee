import type { ModelMask } from '../../experiment/structureSchema.ts';
import { unpackBits } from '../../experiment/components.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { readParameter } from '../checkpoint/readParameter.ts';
import { type BlockShape, blockShape } from '../families/config.ts';
import { allParameters, familyOf } from '../families/families.ts';
import { type BlockLayout, type Coupled, couplings, type Parameter, spread } from '../families/family.ts';
import type { BlockFill } from '../forward/maskInputs.ts';
import type { PrunedConfig } from './prunedConfig.ts';

/** Where the values of an exported tensor come from. */
export type TensorSource =
  | {
      readonly kind: 'stored';
      /** The dense checkpoint's tensor, and which of its rows and columns are taken; all where that is not said. */
      readonly parameter: Parameter;
      readonly rows?: Uint8Array;
      readonly columns?: Uint8Array;
    }
  /** Written as float32. */
  | { readonly kind: 'values'; readonly values: Float32Array };

/**
 * Every tensor of the model that is left, under its name there. Rows and columns of kept components are taken as they are stored; a
 * bias that makes up for removed ones is W[:, removed] · fill, added to the one there was.
 *
 * @param fills of each dense block, where removal is compensated
 */
export function structuralSources(
  dense: Checkpoint,
  { config, kept }: PrunedConfig,
  mask: ModelMask,
  fills: readonly BlockFill[] | undefined,
): Map<string, TensorSource> {
  const family = familyOf(dense.config);
  const sources = new Map<string, TensorSource>();
  for (const parameter of allParameters(config)) sources.set(parameter.tensor, { kind: 'stored', parameter });
  for (const [index, source] of kept.entries()) {
    const before = family.block(dense.config, source);
    const parameters = new Map(before.parameters.map((parameter) => [parameter.name, parameter]));
    const coupled = new Map(couplings(before).map((coupling) => [coupling.name, coupling]));
    const { groups, channels, experts } = keptBits(mask, source, blockShape(dense.config, source));
    const expertsBefore = [...experts.keys()].filter((expert) => experts[expert] === 1);
    for (const { name, tensor, shape, expert, routes, ofHead } of family.block(config, index).parameters) {
      if (expert !== undefined || routes) {
        const parameter = parameters.get(expert === undefined ? name : ofExpert(name, expert, expertsBefore[expert]!))!;
        sources.set(tensor, { kind: 'stored', parameter, ...(routes && { rows: experts }) });
        continue;
      }
      const parameter = parameters.get(ofHead ? keptHead(before, ofHead, groups) : name);
      const coupling = coupled.get(name);
      const part = coupling && spread(coupling.parts.of === 'groups' ? groups : channels, coupling);
      const fill = fills?.[source];
      const reader = name.endsWith('.bias') ? coupled.get(name.slice(0, -'.bias'.length)) : undefined;
      if (fill && reader?.parts.axis === 1) {
        const [bits, values] = reader.parts.of === 'groups' ? [groups, fill.attention] : [channels, fill.channels];
        sources.set(tensor, { kind: 'values', values: compensation(dense, reader, parameter, bits, values) });
      } else if (!parameter) sources.set(tensor, { kind: 'values', values: new Float32Array(shape[0]!) });
      else if (!part) sources.set(tensor, { kind: 'stored', parameter });
      else
        sources.set(tensor, {
          kind: 'stored',
          parameter,
          ...(coupling.parts.axis === 0 ? { rows: part } : { columns: part }),
        });
    }
  }
  return sources;
}

/** The name that one of a series of heads' parameters had before others were removed. */
function keptHead(
  { parameters }: BlockLayout,
  { series, index }: NonNullable<Parameter['ofHead']>,
  groups: Uint8Array,
): string {
  const heads = parameters.filter(({ ofHead }) => ofHead?.series === series).length;
  const kept = [...spread(groups, { shape: [heads], parts: { of: 'groups', axis: 0 } }).entries()].filter(
    ([, bit]) => bit === 1,
  );
  return `${series}.${kept[index]![0]}`;
}

function keptBits(mask: ModelMask, index: number, { kvHeads, intermediate, experts = 0 }: BlockShape) {
  const { groups, channels, experts: kept } = mask[index]!;
  return {
    groups: unpackBits(groups, kvHeads),
    channels: unpackBits(channels, intermediate),
    experts: kept === undefined ? new Uint8Array(experts).fill(1) : unpackBits(kept, experts),
  };
}

/** The name of the same layer of another expert. */
function ofExpert(name: string, expert: number, other: number): string {
  return name.replace(`.experts.${expert}.`, `.experts.${other}.`);
}

/** Elements of a matrix that are read at a time. */
const CHUNK = 1 << 22;

/** bias + Σ over removed inputs of W[:, input] · fill[input], [out]; summed in float64. */
function compensation(
  dense: Checkpoint,
  reader: Coupled,
  bias: Parameter | undefined,
  bits: Uint8Array,
  fill: Float32Array,
): Float32Array {
  const [rows, columns] = reader.shape as [number, number];
  const kept = spread(bits, reader);
  const added = new Float64Array(rows);
  const step = Math.max(1, Math.floor(CHUNK / columns));
  const whole = reader.transposed ? readParameter(dense, reader) : undefined;
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    const weight =
      whole?.subarray(first * columns, (first + count) * columns) ??
      dense.readRows(reader.tensor, [rows, columns], first, count);
    for (let row = 0; row < count; row++) {
      let sum = 0;
      for (let i = 0; i < columns; i++) if (!kept[i]) sum += weight[row * columns + i]! * fill[i]!;
      added[first + row] = sum;
    }
  }
  const before = bias ? dense.read(bias.tensor, bias.shape) : undefined;
  return Float32Array.from(added, (sum, row) => sum + (before?.[row] ?? 0));
}
