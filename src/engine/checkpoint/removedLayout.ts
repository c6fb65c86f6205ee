import { type BlockShape, hasMlpOutputBias, type ModelConfig } from './config.ts';
import { ESPALIER_FORMAT, ESPALIER_KEY } from './configBlocks.ts';
import type { TensorEntry } from './safetensors.ts';

type Shapes = ReadonlyMap<string, Pick<TensorEntry, 'shape'>>;

/**
 * What to write into config.json where the weights are those of a model that heads and channels were removed from by another program,
 * which left config.json as it was: FLAP's biases of the output projections, the sizes of each block of FLAP and LLM-Pruner. Undefined where
 * they are something else.
 *
 * @returns `{"espalier": {…}}`, and what of it there is, in words
 */
export function removedLayout(
  tensors: Shapes,
  config: ModelConfig,
): { readonly what: string; readonly key: string } | undefined {
  const names = config.architecture === 'OPTForCausalLM' ? OPT_NAMES : LLAMA_NAMES;
  const shapes = Array.from({ length: config.depth }, (_, index) => shapeOf(tensors, config, names, index));
  if (!shapes.every((shape) => shape !== undefined) || !shapes.every((shape) => isPart(shape, config)))
    return undefined;
  const blocks = shapes.some((shape) => shape.kvHeads < config.kvHeads || shape.intermediate < config.intermediate)
    ? shapes.map(({ heads, kvHeads, intermediate }) => ({ heads, kv_heads: kvHeads, intermediate }))
    : undefined;
  const bias = biasOf(tensors, config, names);
  if (!bias || (!blocks && !bias.differs)) return undefined;
  const { attention_output, mlp_output } = bias;
  const key = {
    format: ESPALIER_FORMAT,
    ...(blocks && { blocks }),
    ...(bias.differs && { bias: { attention_output, mlp_output } }),
  };
  const what = [
    ...(blocks ? ['fewer heads or channels in some blocks (FLAP, LLM-Pruner)'] : []),
    ...(bias.differs ? ['biases of the output projections (FLAP)'] : []),
  ];
  return { what: what.join(' and '), key: JSON.stringify({ [ESPALIER_KEY]: key }) };
}

interface Names {
  readonly block: string;
  readonly queries: string;
  readonly keys: string;
  readonly down: string;
  readonly output: string;
}

const LLAMA_NAMES: Names = {
  block: 'model.layers.',
  queries: 'self_attn.q_proj',
  keys: 'self_attn.k_proj',
  down: 'mlp.down_proj',
  output: 'self_attn.o_proj',
};
const OPT_NAMES: Names = {
  block: 'model.decoder.layers.',
  queries: 'self_attn.q_proj',
  keys: 'self_attn.k_proj',
  down: 'fc2',
  output: 'self_attn.out_proj',
};

function shapeOf(tensors: Shapes, { headDim }: ModelConfig, names: Names, index: number): BlockShape | undefined {
  const extent = (name: string, axis: number): number | undefined =>
    tensors.get(`${names.block}${index}.${name}.weight`)?.shape[axis];
  const [queries, keys, intermediate] = [extent(names.queries, 0), extent(names.keys, 0), extent(names.down, 1)];
  if (queries === undefined || keys === undefined || intermediate === undefined) return undefined;
  return { heads: queries / headDim, kvHeads: keys / headDim, intermediate };
}

/** Whether it is what removal leaves: no more than there was, and whole groups of heads. */
function isPart(shape: BlockShape, { heads, kvHeads, intermediate }: ModelConfig): boolean {
  return (
    Number.isInteger(shape.heads) &&
    Number.isInteger(shape.kvHeads) &&
    shape.heads <= heads &&
    shape.intermediate <= intermediate &&
    shape.heads * kvHeads === shape.kvHeads * heads
  );
}

/** Which output projections have a bias; undefined where that is not what removal leaves. */
function biasOf(tensors: Shapes, config: ModelConfig, { block, output, down }: Names) {
  const inBlocks = (name: string): boolean | undefined => {
    const each = Array.from({ length: config.depth }, (_, index) => tensors.has(`${block}${index}.${name}.bias`));
    return each.every((has) => has === each[0]) ? each[0]! : undefined;
  };
  const [attention_output, mlp_output] = [inBlocks(output), inBlocks(down)];
  if (attention_output === undefined || mlp_output === undefined) return undefined;
  const [attentionBefore, mlpBefore] = [config.bias.attentionOutput, hasMlpOutputBias(config)];
  // Removal adds biases and takes none away.
  if ((attentionBefore && !attention_output) || (mlpBefore && !mlp_output)) return undefined;
  return { attention_output, mlp_output, differs: attention_output !== attentionBefore || mlp_output !== mlpBefore };
}
