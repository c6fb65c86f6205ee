import type { Value } from '../graph/graph.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import type { BlockShape, FamilyConfig, RotaryPositions } from './config.ts';
import type { ConfigFields } from './configFields.ts';

/**
 * All that a family is: how its config.json is read and written, which tensors there are, and how a block computes. Weights are inputs
 * of the programs, so one program serves every block with the same {@link BlockLayout.variant}.
 *
 * Methods, so that a family may take the configurations that it reads itself: nobody hands it those of another.
 */
export interface Family<Config extends FamilyConfig = FamilyConfig> {
  /** For people: what of the family there is. */
  readonly title: string;
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** Other spellings of the architecture. */
  readonly aliases?: readonly string[];
  /** Other spellings of {@link modelType}. */
  readonly modelTypes?: readonly string[];
  /** Names of the field with the number of blocks, where that is not `num_hidden_layers`; the first is the family's own. */
  readonly depthNames?: readonly [string, ...string[]];
  /** The head's tensor, where it is not tied to the embeddings. */
  readonly headTensor: string;
  /** Tensors that are computed and not learned, beside those that all families had at a time (`checkTensors`). */
  readonly buffers?: RegExp;
  /** @throws EspalierError `checkpoint/config` */
  read(fields: ConfigFields): Config;
  /** Fields of config.json that give every block this shape, whatever was there before; undefined where the family has none that can. */
  sizeFields(config: Config, shape: BlockShape): JsonFields | undefined;
  /** Fields that give the output projections biases, where the family has such. */
  biasFields?(bias: OutputBias): JsonFields;
  /** Fields that say of each block what it is, when only the blocks `kept` are left. */
  blockFields?(stated: JsonFields, config: Config, kept: readonly number[]): JsonFields;
  /** What else someone has to know who opens an exported checkpoint elsewhere: lines of Markdown. */
  exportNote?(config: Config): readonly string[];
  embedding(config: Config): EmbeddingLayout;
  block(config: Config, index: number): BlockLayout;
  /** Writes one decoder block: x [batch · tokens, hidden] → the same shape. */
  writeBlock(config: Config, writer: BlockWriter, x: Value): Value;
  head(config: Config): HeadLayout;
  /** Writes everything after the last block up to the head's matrix product: x [rows, hidden] → [rows, width of the embedding]. */
  writeFinal(config: Config, writer: ParameterWriter, x: Value): Value;
}

/** Fields of config.json. */
export type JsonFields = Readonly<Record<string, unknown>>;

/** Which output projections have a bias, as config.json has it under Espalier's key. */
export type OutputBias = Readonly<Record<'attention_output' | 'mlp_output', boolean>>;

/** A tensor of the checkpoint that a program takes as an input. */
export interface Parameter {
  /** The program's input name. */
  readonly name: string;
  /** Its name in the checkpoint. */
  readonly tensor: string;
  readonly shape: readonly number[];
  /** Prunable linear layers: [out, in]. */
  readonly linear: boolean;
  /** Of a linear layer: the name of what it reads. Layers of a block that read the same share its statistics. */
  readonly input?: string;
  readonly parts?: Parts;
  /** Whether the checkpoint has the matrix as [in, out] (GPT-2's Conv1D): `shape` and `parts` are about [out, in] all the same. */
  readonly transposed?: boolean;
  /** One of a series with a parameter for each query head, or each key-value head, named `series.index`: it goes with the head. */
  readonly ofHead?: { readonly series: string; readonly index: number };
  /** Of a layer of an expert: which one it is. */
  readonly expert?: number;
  /** Of a router: each row is an expert's. */
  readonly routes?: true;
}

/** What a linear layer is called in each block: `q_proj` of `model.layers.3.self_attn.q_proj.weight`. */
export function layerType({ tensor }: Pick<Parameter, 'tensor'>): string {
  return tensor.replace(/\.weight$/, '').replace(/^.*\./, '');
}

/** The shape that a parameter has in the checkpoint. */
export function storedShape({ shape, transposed }: Pick<Parameter, 'shape' | 'transposed'>): readonly number[] {
  return transposed ? shape.toReversed() : shape;
}

/**
 * A parameter may fall into parts of equal length along one axis, each of which goes with one component of the block: rows of what makes
 * a component's values, columns of what reads them. Query heads of one group stand next to each other, so that a group has one part
 * of the query and output projections, too. Where several projections are one matrix, each of them is a section that falls into such parts.
 */
export interface Parts {
  readonly of: 'groups' | 'channels';
  readonly axis: 0 | 1;
  /** Lengths of the sections along the axis; one where it is not given. */
  readonly sections?: readonly number[];
}

/** The component, of `count`, that each row or column along a parameter's parts goes with. */
export function componentsAlong(
  { shape, parts: { axis, sections = [shape[axis]!] } }: Pick<Coupled, 'shape' | 'parts'>,
  count: number,
): Uint32Array {
  const components = new Uint32Array(shape[axis]!);
  let begin = 0;
  for (const length of sections) {
    const part = length / count;
    for (let i = 0; i < length; i++) components[begin + i] = Math.floor(i / part);
    begin += length;
  }
  return components;
}

/** One bit for each component → one for each of the rows or columns that go with it. */
export function spread(bits: Uint8Array, coupling: Pick<Coupled, 'shape' | 'parts'>): Uint8Array {
  return Uint8Array.from(componentsAlong(coupling, bits.length), (component) => bits[component]!);
}

export interface Coupled extends Parameter {
  readonly parts: Parts;
}

/** Everything of a block that goes with its groups and channels: weights, and the biases of what makes their values. */
export function couplings({ parameters }: BlockLayout): Coupled[] {
  return parameters.filter((parameter): parameter is Coupled => parameter.parts !== undefined);
}

export interface EmbeddingLayout {
  readonly table: Parameter;
  /** What the rows of the table are multiplied by. */
  readonly scale?: number;
  /** Learned positions: row t + offset is added at position t. */
  readonly positions?: { readonly parameter: Parameter; readonly offset: number };
  /** opt-350m: embedding [tokens, width] · projectionᵀ → [tokens, hidden]. */
  readonly projection?: Parameter;
  /** BLOOM: layer norm of what the first block reads. */
  readonly norm?: { readonly weight: Parameter; readonly bias: Parameter };
}

export interface BlockLayout {
  /** Blocks with equal variants run the same program. */
  readonly variant: string;
  /** Attention window in tokens, where the block has one. */
  readonly window: number | undefined;
  /** Factor of the products of queries and keys, where that is not 1/√headDim. */
  readonly scale?: number | undefined;
  /** How it turns queries and keys, where that is not the model's `positions`; null: not at all. */
  readonly rotation?: RotaryPositions | null | undefined;
  readonly shape: BlockShape;
  readonly parameters: readonly Parameter[];
}

/** How a block turns queries and keys, where it does. */
export function rotationOf(
  { positions }: Pick<FamilyConfig, 'positions'>,
  { rotation }: Pick<BlockLayout, 'rotation'>,
): RotaryPositions | undefined {
  if (rotation !== undefined) return rotation ?? undefined;
  return positions.kind === 'rotary' ? positions : undefined;
}

export interface HeadLayout {
  /** Parameters of writeFinal. */
  readonly parameters: readonly Parameter[];
  /** [vocabulary, width of the embedding]. */
  readonly weight: Parameter;
}

/**
 * What families write with: each of these treats the rows of x alike (slices are of columns, parameters are concatenated), so a block can be
 * written for any number of them.
 */
export type RowOperations = Pick<
  GraphBuilder,
  | 'add'
  | 'mul'
  | 'div'
  | 'rmsNorm'
  | 'layerNorm'
  | 'silu'
  | 'relu'
  | 'gelu'
  | 'tanh'
  | 'linear'
  | 'reshape'
  | 'slice'
  | 'concat'
  | 'constant'
  | 'sigmoid'
  | 'softmax'
  | 'sumOfRow'
  | 'largest'
  | 'clip'
>;

export interface ParameterWriter {
  readonly graph: RowOperations;
  /** The parameter with that input name. */
  parameter(name: string): Value;
}

/** What a family's block uses to write itself; `linear` is where inputs are observed. */
export interface BlockWriter extends ParameterWriter {
  readonly shape: BlockShape;
  /** The linear layer `name` (weight input `name`, and bias input `name.bias` where it has one), applied to x [rows, in]. */
  linear(name: string, x: Value): Value;
  /** Its bias alone, where it has one. */
  bias(name: string): Value | undefined;
  /** Causal attention over query, key and value [rows, heads · dim]; → [rows, heads · dim]. */
  attention(query: Value, key: Value, value: Value): Value;
  /**
   * RMS norm over what the kept heads have together: x and weight [… heads · dim]. Where a head goes, the others are larger for it, in a
   * masked block as in one without it.
   */
  headsNorm(x: Value, weight: Value, epsilon: number): Value;
  /** Of what stands for all rows those that are wanted of the block; where all are, or it has only these, x itself. */
  narrowed(x: Value): Value;
  /** What the MLP's last projection reads [rows, intermediate], as far as its channels are kept. */
  channels(x: Value): Value;
  /** What a router says [rows, experts] before it chooses, as far as its experts are kept. */
  experts(logits: Value): Value;
  /** y plus what expert `index` makes of the rows that go through it, times their weights. Linear layers that `write` writes see these rows alone. */
  addExpert(y: Value, index: number, routed: Routed, write: (rows: Value) => Value): Value;
}

/** Rows that choose among experts, as one of them has it. */
export interface Routed {
  /** [rows, in] */
  readonly x: Value;
  /** [rows, 1]: 1 where the row goes through the expert, else 0. */
  readonly chosen: Value;
  /** [rows, 1]; what stands where the row goes by is not read. */
  readonly weights: Value;
}
