import type { OperandStatistic } from '../../metric/operands.ts';
import type { BlockShape, RotaryPositions, Scaling } from '../families/config.ts';
import type { ModelConfig } from '../families/families.ts';
import { type AttentionInputs, writeAttention } from '../graph/attention.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { ElementType } from '../graph/elementType.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { type BlockLayout, type BlockWriter, type Parameter, rotationOf, type Routed } from '../families/family.ts';
import { familyOf } from '../families/families.ts';
import { stripProducts } from '../graph/gramStrips.ts';
import { alibiTable } from './alibi.ts';

/** Statistics that a forward pass can collect (their number is known without it; a gradient needs a backward pass). */
export type InputStatistic = Exclude<OperandStatistic, 'gradient' | 'token-count'>;

/**
 * What a program takes in beside the weights to leave components out. `mask`: `mask.groups` [kvHeads] and `mask.channels`
 * [intermediate], 1 where a component is kept and 0 where it goes. Where the block mixes experts also
 * `mask.experts` [experts]. `fill`: also `fill.attention` [heads · headDim] and
 * `fill.channels` [intermediate], what the output projections read in the place of what is gone.
 */
export type Masking = 'none' | 'mask' | 'fill';

/** Where tokens stand and what they see: each at its place, itself and those before it; or what comes in says so. */
export type Attending = 'causal' | 'masked';

export interface BlockGraphOptions {
  readonly batch: number;
  readonly tokens: number;
  readonly attending?: Attending;
  /** With `attending: 'masked'`: how many earlier tokens' keys and values come in. Those of the tokens go out then, of no earlier ones too. */
  readonly past?: number;
  /** Type of the matrix products and attention; the residual stream, norms and statistics stay float32. */
  readonly precision: 'float32' | 'float16';
  /** Type in which matrices are fed: float16 only where they are resident on the device. */
  readonly weightType: 'float32' | 'float16';
  /** Whether the block's output is computed; without it the last linear layer's product is left out. */
  readonly output: boolean;
  /** Statistics of every linear layer's input, each [batch, in], summed (or maximised) over the tokens of a sample. */
  readonly statistics: readonly InputStatistic[];
  /** Inputs of linear layers (`Parameter.input`) whose products with themselves are added up, see {@link buildBlockGraph}. */
  readonly grams?: readonly string[];
  readonly masking?: Masking;
  /** How many rows of the states are wanted; absent: all. Statistics are of all rows: they go with no such number. */
  readonly narrowed?: number;
  /** Whether each expert tells how many rows went through it, and the sum of its outputs' lengths times their weights, [1, 1] both. */
  readonly activations?: boolean;
}

/**
 * One decoder block as a program. Inputs: `x` [batch · tokens, hidden], the layout's parameters, where it turns queries and keys
 * `cosines` and `sines` [tokens, dims / 2], and what {@link Masking} says. Outputs: `y` like x, and `statistic:input` for each
 * input of linear layers (`Parameter.input`): of one that all tokens reach [batch, in]; of one that those of an expert reach [1, in], and
 * `tokens:input` [batch, 1], how many of each sample these are. Of each expert `activation:index` and `tokens:index`, where asked for.
 * For each input in `grams`, too, the strips `sum:input:i` of a matrix [in, in] come in ({@link stripShapes}), and `gram:input:i` go out: those
 * plus Σ xᵀx over the rows x of the input.
 *
 * With `attending: 'masked'` `attention.mask` [batch, tokens, past + tokens] comes in (see `AttentionContext`), `cosines` and `sines` are of each
 * row of x [batch · tokens, dims / 2], and of ALiBi `alibi.queries` [batch, heads, tokens] and `alibi.keys` [batch, heads, past + tokens] come in.
 * With `narrowed`, `narrowed` [rows, 1] says which rows `y` is of.
 * With `past`, `past.keys` and `past.values` [batch, kvHeads, past, headDim] come in where it is not 0, and `new.keys` and `new.values` of the
 * tokens go out, in the type of weights, and turned; a block without heads has neither.
 */
export function buildBlockGraph(config: ModelConfig, layout: BlockLayout, options: BlockGraphOptions): Graph {
  const { batch, tokens } = options;
  const graph = new GraphBuilder();
  const x = graph.input('x', [batch * tokens, config.hidden]);
  const writer = new ProgramBlockWriter(graph, config, layout, options);
  const y = familyOf(config).writeBlock(config, writer, x);
  if (options.output) graph.output('y', y);
  return graph.build(layout.variant);
}

/** A linear layer as it stands in a program: y = x · weightᵀ + bias. */
export interface WrittenLinear {
  readonly x: Value;
  readonly y: Value;
  /** Of a layer of an expert: which rows [rows, 1] x and y have (see the primitive `takeRows`); else all. */
  readonly chosen: Value | undefined;
}

/** Writes a family's block into a program whose inputs are the block's parameters and the rotary tables. */
export class ProgramBlockWriter implements BlockWriter {
  readonly graph: GraphBuilder;
  readonly shape: BlockShape;
  /** The linear layers written so far, by name. */
  readonly linears = new Map<string, WrittenLinear>();
  private readonly options: BlockGraphOptions;
  private readonly window: number | undefined;
  private readonly scale: number | undefined;
  private readonly headDim: number;
  private readonly alibi: boolean;
  private readonly added: readonly (readonly number[])[] | undefined;
  private readonly scores: Scaling | undefined;
  private readonly parameters: ReadonlyMap<string, Value>;
  private readonly rotary: AttentionInputs['rotary'];
  private readonly inputs: ReadonlyMap<string, string>;
  private readonly observed = new Map<string, Value>();
  private readonly masks = new Map<string, Value>();
  /** The rows of the expert that is being written. */
  private chosen: Value | undefined;
  /** Which rows are wanted, where not all are. */
  private readonly wanted: Value | undefined;
  /** What narrowed values are rows of. */
  private readonly wholes = new Map<Value, Value>();

  constructor(graph: GraphBuilder, config: ModelConfig, layout: BlockLayout, options: BlockGraphOptions) {
    this.graph = graph;
    this.shape = layout.shape;
    this.options = options;
    this.window = layout.window;
    this.scale = layout.scale;
    const { positions } = config;
    this.alibi = positions.kind === 'alibi';
    this.added =
      positions.kind === 'alibi' && options.attending !== 'masked'
        ? alibiTable(positions, config, layout.shape, options.tokens)
        : undefined;
    this.headDim = config.headDim;
    this.scores = config.scores;
    this.parameters = new Map(
      layout.parameters.map((parameter) => [
        parameter.name,
        graph.input(parameter.name, parameter.shape, parameterType(parameter, options.weightType)),
      ]),
    );
    this.wanted = options.narrowed === undefined ? undefined : graph.input('narrowed', [options.narrowed, 1], 'int32');
    this.inputs = new Map(layout.parameters.map(({ name, input = name }) => [name, input]));
    this.rotary = rotaryInputs(graph, rotationOf(config, layout), rowsOfTables(options));
  }

  parameter(name: string): Value {
    return this.parameters.get(name)!;
  }

  bias(name: string): Value | undefined {
    return this.parameters.get(`${name}.bias`);
  }

  linear(name: string, x: Value): Value {
    this.observe(name, x);
    const y = this.product(name, x, this.bias(name));
    this.linears.set(name, { x, y, chosen: this.chosen });
    return y;
  }

  attention(query: Value, key: Value, value: Value): Value {
    const { graph, rotary } = this;
    const { batch, tokens, precision } = this.options;
    const typed = (x: Value): Value => graph.cast(graph.reshape(x, [batch, tokens, x.shape[1]!]), precision);
    const { heads, kvHeads } = this.shape;
    // A group is left out by its values: they are fewer than what comes of them, and what is mixed of zeros is exactly zero.
    const mask = this.mask('mask.groups', kvHeads);
    const inputs = {
      query: typed(query),
      key: typed(key),
      value: typed(mask ? graph.mul(value, repeat(graph, mask, value.shape[1]! / kvHeads)) : value),
      rotary: rotary && {
        ...rotary,
        cosines: graph.cast(rotary.cosines, precision),
        sines: graph.cast(rotary.sines, precision),
      },
      context: this.context(),
    };
    const { window, scores, scale = scores?.scale, added } = this;
    const { mixed, keys, values } = writeAttention(graph, inputs, { heads, kvHeads, window, ...scores, scale, added });
    if (this.options.past !== undefined) {
      graph.output('new.keys', graph.cast(keys, this.options.weightType));
      graph.output('new.values', graph.cast(values, this.options.weightType));
    }
    const rows = graph.reshape(graph.cast(mixed, 'float32'), [query.shape[0]!, query.shape[1]!]);
    return mask ? this.fill('fill.attention', rows, repeat(graph, mask, rows.shape[1]! / kvHeads)) : rows;
  }

  /** What comes in of what tokens see, where that is not theirs to know. */
  private context(): AttentionInputs['context'] {
    const { graph } = this;
    const { batch, tokens, precision, weightType, attending, past = 0 } = this.options;
    if (attending !== 'masked') return undefined;
    const { heads, kvHeads } = this.shape;
    const earlier = (name: string): Value =>
      graph.cast(graph.input(name, [batch, kvHeads, past, this.headDim], weightType), precision);
    return {
      mask: graph.cast(graph.input('attention.mask', [batch, tokens, past + tokens]), precision),
      past: past > 0 ? { keys: earlier('past.keys'), values: earlier('past.values') } : undefined,
      added: this.alibi
        ? {
            queries: graph.input('alibi.queries', [batch, heads, tokens]),
            keys: graph.input('alibi.keys', [batch, heads, past + tokens]),
          }
        : undefined,
    };
  }

  headsNorm(x: Value, weight: Value, epsilon: number): Value {
    const { graph } = this;
    const mask = this.mask('mask.groups', this.shape.kvHeads);
    if (!mask) return graph.rmsNorm(x, weight, epsilon);
    const width = x.shape[1]!;
    const kept = repeat(graph, mask, width / this.shape.kvHeads);
    // Where no head is kept all are zero, whatever they are divided by.
    const count = graph.add(graph.reduceSum(kept, [0]), graph.scalar(1e-20));
    const meanSquare = graph.div(graph.reduceSum(graph.mul(graph.mul(x, x), kept), [1]), count);
    const root = graph.sqrt(graph.add(meanSquare, graph.scalar(epsilon)));
    return graph.mul(graph.div(x, root), graph.mul(weight, kept));
  }

  narrowed(x: Value): Value {
    const { batch, tokens } = this.options;
    if (!this.wanted || x.shape[0] !== batch * tokens) return x;
    const rows = this.graph.rowsAt(x, this.wanted);
    this.wholes.set(rows, x);
    return rows;
  }

  channels(x: Value): Value {
    const mask = this.mask('mask.channels', this.shape.intermediate);
    return mask ? this.fill('fill.channels', this.graph.mul(x, mask), mask) : x;
  }

  experts(logits: Value): Value {
    const { graph } = this;
    const mask = this.mask('mask.experts', logits.shape[1]!);
    // So far below the others that nothing is left of it, to the last bit.
    return mask ? graph.add(logits, graph.mul(graph.sub(mask, graph.scalar(1)), graph.scalar(GONE))) : logits;
  }

  addExpert(y: Value, index: number, { x, chosen, weights }: Routed, write: (rows: Value) => Value): Value {
    const { graph } = this;
    this.chosen = chosen;
    const made = graph.mul(write(graph.takeRows(x, chosen)), graph.takeRows(weights, chosen));
    this.chosen = undefined;
    if (this.options.activations) {
      // Lengths of whole outputs, weighed: a weight is no less than 0.
      const lengths = graph.sqrt(graph.reduceSum(graph.mul(made, made), [1]));
      graph.output(`activation:${index}`, graph.reduceSum(lengths, [0]));
      graph.output(`tokens:${index}`, graph.reduceSum(chosen, [0]));
    }
    return graph.addRows(y, made, chosen);
  }

  private mask(name: string, count: number): Value | undefined {
    const { masking = 'none' } = this.options;
    if (masking === 'none') return undefined;
    const mask = this.masks.get(name) ?? this.graph.input(name, [count]);
    this.masks.set(name, mask);
    return mask;
  }

  /** x [rows, n] with the filling added where the mask [n] is 0. */
  private fill(name: string, x: Value, mask: Value): Value {
    const { graph } = this;
    if (this.options.masking !== 'fill') return x;
    const gone = graph.sub(graph.scalar(1), mask);
    return graph.add(x, graph.mul(graph.input(name, mask.shape), gone));
  }

  private product(name: string, x: Value, bias: Value | undefined): Value {
    const { graph } = this;
    const { precision } = this.options;
    const weight = graph.cast(this.parameter(name), precision);
    if (precision === 'float32') return graph.linear(x, weight, bias);
    const product = graph.cast(graph.linear(graph.cast(x, precision), weight), 'float32');
    return bias ? graph.add(product, bias) : product;
  }

  private observe(linear: string, x: Value): void {
    const name = this.inputs.get(linear)!;
    const whole = this.wholes.get(x) ?? x;
    const seen = this.observed.get(name);
    if (seen && seen !== whole) throw new RangeError(`${linear} does not read what ${name} reads`);
    if (seen) return;
    this.observed.set(name, whole);
    const { batch, tokens, statistics, grams = [] } = this.options;
    const wantsGram = grams.includes(name);
    if (statistics.length === 0 && !wantsGram) return;
    const { graph, chosen } = this;
    const columns = x.shape[1]!;
    const addGram = (rows: Value): void => {
      stripProducts(graph, rows).forEach((strip, i) => {
        graph.output(`gram:${name}:${i}`, graph.add(graph.input(`sum:${name}:${i}`, strip.shape), strip));
      });
    };
    if (chosen) {
      // A row of zeros, of which nothing is seen, so that there is one where no row was chosen.
      const rows = graph.concat([x, graph.constant([0], [1, columns])], 0);
      for (const statistic of statistics) graph.output(`${statistic}:${name}`, STATISTICS[statistic](graph, rows, 0));
      if (wantsGram) addGram(rows);
      graph.output(`tokens:${name}`, graph.reduceSum(graph.reshape(chosen, [batch, tokens]), [1]));
      return;
    }
    const samples = graph.reshape(x, [batch, tokens, columns]);
    for (const statistic of statistics) {
      const value = graph.reshape(STATISTICS[statistic](graph, samples, 1), [batch, columns]);
      graph.output(`${statistic}:${name}`, value);
    }
    if (wantsGram) addGram(x);
  }
}

/** What a router's value for an expert that is gone falls by. */
const GONE = 1e9;

function rowsOfTables({ batch, tokens, attending }: BlockGraphOptions): number {
  return attending === 'masked' ? batch * tokens : tokens;
}

/** Adds the rotary tables as inputs, where queries and keys are turned. @param rows of the tables */
export function rotaryInputs(
  graph: GraphBuilder,
  rotation: RotaryPositions | undefined,
  rows: number,
): AttentionInputs['rotary'] {
  if (!rotation) return undefined;
  const { dims, interleaved = false } = rotation;
  const table = [rows, dims / 2];
  return { cosines: graph.input('cosines', table), sines: graph.input('sines', table), interleaved };
}

/** mask [n] → [n · times], each element `times` times. */
function repeat(graph: GraphBuilder, mask: Value, times: number): Value {
  const [count] = mask.shape as [number];
  return graph.reshape(graph.expand(graph.reshape(mask, [count, 1]), [count, times]), [count * times]);
}

/** x [… tokens …, in], tokens along an axis → the same with 1 there. */
const STATISTICS: Readonly<Record<InputStatistic, (graph: GraphBuilder, x: Value, axis: number) => Value>> = {
  'sum-of-squares': (graph, x, axis) => graph.reduceSum(graph.mul(x, x), [axis]),
  'sum-of-absolutes': (graph, x, axis) => graph.reduceSum(graph.abs(x), [axis]),
  'maximum-absolute': (graph, x, axis) => graph.reduceMax(graph.abs(x), [axis]),
  sum: (graph, x, axis) => graph.reduceSum(x, [axis]),
};

/** Only matrices are fed in float16; norms and biases are few and stay float32. */
export function parameterType(parameter: Parameter, weightType: 'float32' | 'float16'): ElementType {
  return parameter.linear ? weightType : 'float32';
}
