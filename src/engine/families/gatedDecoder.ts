import type { Value } from '../graph/graph.ts';
import { activation, addBranch, linearLayer, type LinearOptions, parameter, variantOf } from './blockParts.ts';
import { type BlockShape, blockShape, type FamilyConfig, hasMlpOutputBias } from './config.ts';
import type { BlockWriter, Family, JsonFields, Parameter } from './family.ts';
import type { Norm } from './norms.ts';
import type { QueryKeyNorm } from './queryKeyNorms.ts';

/** What differs between LLaMA and those that have its linear layers: grouped-query attention and a gated MLP. */
export interface GatedStyle {
  readonly norm: Norm;
  /** Names of the norms around attention and MLP. */
  readonly attention: NormNames;
  readonly mlp: NormNames;
  readonly queryKeyNorm?: QueryKeyNorm | undefined;
  /** The MLP reads what attention reads, and not what attention has added to. */
  readonly parallel?: boolean;
  /** What a branch is multiplied by before it is added. */
  readonly residualScale?: number | undefined;
  /** What the embeddings are multiplied by. */
  readonly embeddingScale?: number | undefined;
}

interface NormNames {
  /** Of what the branch reads. */
  readonly before?: string;
  /** Of what it gives, before that is added. */
  readonly after?: string;
}

const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';

type Written = 'headTensor' | 'embedding' | 'block' | 'writeBlock' | 'head' | 'writeFinal';

/** A block whose heads or channels are all gone has no tensors for them but the bias of their output projection, and the norm behind that. */
export function gatedDecoder<Config extends FamilyConfig>(
  styleOf: (config: Config) => GatedStyle,
): Pick<Family<Config>, Written> {
  return {
    headTensor: HEAD,

    embedding(config) {
      const scale = styleOf(config).embeddingScale;
      const table = parameter('embedding', EMBEDDING, [config.vocabulary, config.hidden]);
      return { table, ...(scale !== undefined && { scale }) };
    },

    block: (config, index) => ({
      variant: variantOf(config, index),
      window: config.windows[index],
      ...(config.rotations && { rotation: config.rotations[index] }),
      shape: blockShape(config, index),
      parameters: blockParameters(config, styleOf(config), index),
    }),

    writeBlock(config, writer, x) {
      const style = styleOf(config);
      const { heads, intermediate } = writer.shape;
      const scale = style.residualScale;
      const norm = (value: Value, name: string | undefined): Value =>
        name === undefined ? value : style.norm.write(config, writer, value, name);
      const after = (value: Value, name: string | undefined): Value => {
        const normed = norm(value, name);
        return scale === undefined ? normed : writer.graph.mul(normed, writer.graph.constant([scale], []));
      };
      const { attention, mlp } = style;
      const attended = addBranch(
        ...([writer, x, 'self_attn.o_proj'] as const),
        heads > 0 ? () => attend(config, style, writer, norm(x, attention.before)) : undefined,
        (value) => after(value, attention.after),
      );
      return addBranch(
        ...([writer, attended, 'mlp.down_proj'] as const),
        intermediate > 0
          ? () => gate(config, writer, norm(style.parallel ? writer.narrowed(x) : attended, mlp.before))
          : undefined,
        (value) => after(value, mlp.after),
      );
    },

    head: (config) => ({
      parameters: styleOf(config).norm.parameters('norm', 'model.norm', config.hidden),
      weight: parameter('head', config.tiedEmbeddings ? EMBEDDING : HEAD, [config.vocabulary, config.hidden]),
    }),

    writeFinal: (config, writer, x) => styleOf(config).norm.write(config, writer, x, 'norm'),
  };
}

function blockParameters(config: FamilyConfig, style: GatedStyle, index: number): Parameter[] {
  const { hidden, headDim, bias } = config;
  const { heads, kvHeads, intermediate } = blockShape(config, index);
  const [queries, keys] = [heads * headDim, kvHeads * headDim];
  const prefix = `model.layers.${index}`;
  const linear = (name: string, size: readonly [number, number], options: LinearOptions): Parameter[] =>
    linearLayer(prefix, name, size, options);
  const norm = (name: string | undefined): Parameter[] =>
    name === undefined ? [] : style.norm.parameters(name, `${prefix}.${name}`, hidden);
  const attends: LinearOptions = { biased: bias.queryKeyValue, makes: 'groups', besides: 'self_attn.q_proj' };
  const opens: LinearOptions = { biased: bias.mlp, makes: 'channels', besides: 'mlp.gate_proj' };
  const ofHeads = (which: 'q' | 'k', count: number): Parameter[] => {
    if (!style.queryKeyNorm) return [];
    const name = `self_attn.${which}${style.queryKeyNorm.suffix}`;
    return style.queryKeyNorm.parameters(config, name, `${prefix}.${name}`, count);
  };
  const attention = [
    ...norm(style.attention.before),
    ...linear('self_attn.q_proj', [queries, hidden], attends),
    ...linear('self_attn.k_proj', [keys, hidden], attends),
    ...linear('self_attn.v_proj', [keys, hidden], attends),
    ...ofHeads('q', heads),
    ...ofHeads('k', kvHeads),
  ];
  const gated = [
    ...norm(heads > 0 && style.mlp.before === style.attention.before ? undefined : style.mlp.before),
    ...linear('mlp.gate_proj', [intermediate, hidden], opens),
    ...linear('mlp.up_proj', [intermediate, hidden], opens),
  ];
  const mlpOutput = hasMlpOutputBias(config);
  return [
    ...(heads > 0 ? attention : []),
    ...linear('self_attn.o_proj', [hidden, queries], { biased: bias.attentionOutput, reads: 'groups' }),
    ...(heads > 0 || bias.attentionOutput ? norm(style.attention.after) : []),
    ...(intermediate > 0 ? gated : []),
    ...linear('mlp.down_proj', [hidden, intermediate], { biased: mlpOutput, reads: 'channels' }),
    ...(intermediate > 0 || mlpOutput ? norm(style.mlp.after) : []),
  ];
}

/** @param x normed [rows, hidden] */
function attend(config: FamilyConfig, style: GatedStyle, writer: BlockWriter, x: Value): Value {
  const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) => writer.linear(`self_attn.${name}`, x));
  const normed = (which: 'q' | 'k', of: Value): Value =>
    style.queryKeyNorm?.write(config, writer, of, `self_attn.${which}${style.queryKeyNorm.suffix}`) ?? of;
  return writer.attention(normed('q', query!), normed('k', key!), value!);
}

/** @param x normed [rows, hidden] */
function gate(config: FamilyConfig, writer: BlockWriter, x: Value): Value {
  const opened = activation(config, writer, writer.linear('mlp.gate_proj', x));
  return writer.channels(writer.graph.mul(opened, writer.linear('mlp.up_proj', x)));
}

/** Fields with the sizes of blocks that are alike, in families that have `head_dim`. */
export function gatedSizeFields(
  config: FamilyConfig,
  { heads, kvHeads, intermediate }: BlockShape,
): JsonFields | undefined {
  if (heads === 0 || intermediate === 0) return undefined;
  return {
    intermediate_size: intermediate,
    // hidden_size / num_attention_heads is no longer the size of a head, and some families have defaults of their own.
    ...(heads !== config.heads && {
      num_attention_heads: heads,
      num_key_value_heads: kvHeads,
      head_dim: config.headDim,
    }),
  };
}

/** The same in families whose heads have the size that is derived from their number. */
export function channelSizeFields(config: FamilyConfig, shape: BlockShape): JsonFields | undefined {
  return shape.heads === config.heads && shape.intermediate > 0 ? { intermediate_size: shape.intermediate } : undefined;
}

/** Of models whose blocks are no longer in the order that older versions of transformers derive from their numbers. */
export function layerTypeNote({ windows }: FamilyConfig, pattern: number): readonly string[] {
  const isDerived = windows.every((window, index) => (window === undefined) === ((index + 1) % pattern === 0));
  return isDerived
    ? []
    : ['Load it with transformers 4.53 or newer: older ones do not read `layer_types`, and put windows elsewhere.'];
}

/** `layer_types` of the blocks that are left, where it is there or by default says another thing of each block. */
export function layerTypeFields(stated: JsonFields, { windows }: FamilyConfig, kept: readonly number[]): JsonFields {
  const differ = windows.some((window) => window !== windows[0]) && kept.length < windows.length;
  if (!differ && !Array.isArray(stated['layer_types'])) return {};
  return {
    layer_types: kept.map((index) => (windows[index] === undefined ? 'full_attention' : 'sliding_attention')),
  };
}
