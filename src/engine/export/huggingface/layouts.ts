import type { Layout } from '../../../experiment/exportFormats.ts';
import { ESPALIER_KEY } from '../../checkpoint/configBlocks.ts';
import { type BlockShape, blockShape, hasMlpOutputBias } from '../../families/config.ts';
import { familyOf, type ModelConfig } from '../../families/families.ts';
import type { JsonFields } from '../../families/family.ts';
import { MODELING_FILE } from './modelingFile.ts';

/** Architectures that {@link MODELING_FILE} computes. */
const MODELLED: readonly ModelConfig['architecture'][] = [
  'LlamaForCausalLM',
  'MistralForCausalLM',
  'Qwen2ForCausalLM',
  'Qwen3ForCausalLM',
];

/** Why {@link MODELING_FILE} cannot compute a model; undefined where it can. */
export function whyNotModelled(config: ModelConfig): string | undefined {
  const { architecture, activation, positions, headDim, windows, depth } = config;
  if (!MODELLED.includes(architecture)) return `${MODELING_FILE} knows LLaMA, Mistral, Qwen2 and Qwen3 alone`;
  if (activation !== 'silu') return `${MODELING_FILE} has no ${activation}`;
  if (positions.kind !== 'rotary' || positions.dims !== headDim) return `${MODELING_FILE} turns whole heads alone`;
  const { kind } = positions.scaling;
  if (kind !== 'none' && kind !== 'linear' && kind !== 'llama3')
    return `${MODELING_FILE} does not scale positions by ${kind}`;
  // Caches take the window of a block by its number among those that have heads.
  const headless = shapesOf(config).some(({ heads }) => heads === 0);
  if (headless && new Set(windows).size > 1 && depth > 1)
    return 'some blocks have a window, and one lost all its heads';
  return undefined;
}

/** Why vLLM's DeciLM cannot have a model; undefined where it can. By the source of its `nemotron_nas.py`. */
export function whyNotDeci(config: ModelConfig): string | undefined {
  const { architecture, windows, bias } = config;
  const shapes = shapesOf(config);
  const missing = whyNotModelled(config);
  if (missing !== undefined) return missing;
  if (architecture === 'Qwen3ForCausalLM') return 'DeciLM has no norms of queries and keys';
  if (windows.some((window) => window !== undefined)) return 'attention windows were not tried with DeciLM';
  if (shapes[0]!.heads === 0) return 'DeciLM’s first block needs heads';
  const counts = new Set(shapes.map(({ heads }) => heads).filter((heads) => heads > 0));
  if (counts.size > 1) return 'DeciLM has one number of heads for all blocks that have any';
  if (bias.attentionOutput && shapes.some(({ heads }) => heads === 0)) return LEFT_BIAS;
  if (hasMlpOutputBias(config) && shapes.some(({ intermediate }) => intermediate === 0)) return LEFT_BIAS;
  return undefined;
}

const LEFT_BIAS = 'a bias is all that is left of an attention or MLP, which DeciLM leaves out whole';

/** Fields beside the family's own and our key. @param config of the pruned model, which the layout can have */
export function layoutFields(stated: JsonFields, config: ModelConfig, layout: Layout): JsonFields {
  const { architecture, windows, activation, normEpsilon, maxPositions, tiedEmbeddings, headDim, kvHeads } = config;
  const window = windows.find((each) => each !== undefined);
  return {
    architectures: [layout === 'deci' ? 'DeciLMForCausalLM' : 'EspalierForCausalLM'],
    model_type: layout === 'deci' ? 'nemotron-nas' : 'espalier',
    auto_map: {
      AutoConfig: `${MODULE}.${layout === 'deci' ? 'EspalierDeciConfig' : 'EspalierConfig'}`,
      AutoModelForCausalLM: `${MODULE}.${layout === 'deci' ? 'EspalierDeciForCausalLM' : 'EspalierForCausalLM'}`,
    },
    // The family's defaults are no longer those of whoever reads this.
    ...{ head_dim: headDim, num_key_value_heads: kvHeads, hidden_act: activation, rms_norm_eps: normEpsilon },
    ...{ max_position_embeddings: maxPositions, tie_word_embeddings: tiedEmbeddings },
    ...(stated['rope_parameters'] === undefined && config.positions.kind === 'rotary'
      ? { rope_theta: config.positions.theta }
      : {}),
    layer_types: windows.map((each) => (each === undefined ? 'full_attention' : 'sliding_attention')),
    ...(window !== undefined && { sliding_window: window }),
    ...(layout === 'deci' ? deciFields(config) : perLayer(config)),
    [ESPALIER_KEY]: {
      format: 1,
      architecture,
      blocks: shapesOf(config).map(({ heads, kvHeads: groups, intermediate }) => ({
        ...{ heads, kv_heads: groups, intermediate },
      })),
      bias: biasOf(config),
    },
  };
}

const MODULE = MODELING_FILE.replace(/\.py$/, '');

const ADDED = ['auto_map', 'per_layer_config', 'block_configs', 'qkv_bias'];

/** Fields of a config.json as the family has them: without those that {@link layoutFields} adds. */
export function familyFields(stated: JsonFields, { architecture }: ModelConfig): JsonFields {
  const key = stated[ESPALIER_KEY];
  const isOfLayout = typeof key === 'object' && key !== null && 'architecture' in key;
  const added: readonly string[] = [ESPALIER_KEY, ...(isOfLayout ? ADDED : [])];
  const fields = Object.fromEntries(Object.entries(stated).filter(([name]) => !added.includes(name)));
  if (!isOfLayout) return fields;
  return { ...fields, architectures: [architecture], model_type: familyOf({ architecture }).modelType };
}

/** Whether a config.json says that {@link MODELING_FILE} lies beside it. */
export function isModelled(values: JsonFields): boolean {
  return JSON.stringify(values['auto_map'] ?? {}).includes(`"${MODULE}.`);
}

function shapesOf(config: ModelConfig): readonly BlockShape[] {
  return config.windows.map((_, index) => blockShape(config, index));
}

function biasOf(config: ModelConfig): JsonFields {
  const { queryKeyValue, attentionOutput, mlp } = config.bias;
  return {
    query_key_value: queryKeyValue,
    attention_output: attentionOutput,
    mlp,
    mlp_output: hasMlpOutputBias(config),
  };
}

/** What transformers 5.15 and newer keep of each block, and size static caches by: what differs from the file's own fields. */
function perLayer(config: ModelConfig): JsonFields {
  const entries = shapesOf(config).map(({ heads, kvHeads, intermediate }): JsonFields => {
    const skip = [...(heads === 0 ? ['attention'] : []), ...(intermediate === 0 ? ['mlp'] : [])];
    return {
      ...(heads > 0 && heads !== config.heads && { num_attention_heads: heads, num_key_value_heads: kvHeads }),
      ...(intermediate > 0 && intermediate !== config.intermediate && { intermediate_size: intermediate }),
      ...(skip.length > 0 && { skip }),
    };
  });
  const differing = entries.flatMap((entry, index) => (Object.keys(entry).length > 0 ? [[`${index}`, entry]] : []));
  return differing.length > 0 ? { per_layer_config: Object.fromEntries(differing) as JsonFields } : {};
}

/** As vLLM's `nemotron_nas.py` reads it: one number of query heads; key-value heads by how many read one. */
function deciFields(config: ModelConfig): JsonFields {
  const shapes = shapesOf(config);
  const { heads, kvHeads } = shapes.find((shape) => shape.heads > 0)!;
  return {
    ...{ num_attention_heads: heads, num_key_value_heads: kvHeads },
    intermediate_size: Math.max(...shapes.map(({ intermediate }) => intermediate)),
    ...{ qkv_bias: config.bias.queryKeyValue, attention_bias: config.bias.attentionOutput, mlp_bias: config.bias.mlp },
    block_configs: shapes.map((shape) => ({
      attention: { n_heads_in_group: shape.heads > 0 ? heads / kvHeads : null, no_op: shape.heads === 0 },
      ffn: { intermediate_size: shape.intermediate > 0 ? shape.intermediate : null, no_op: shape.intermediate === 0 },
    })),
  };
}
