import { ACTIVATIONS } from './configLlama.ts';
import { LIMITS } from './configLimits.ts';
import type { ArchitectureName, ModelConfig } from './config.ts';
import type { ConfigFields } from './configFields.ts';

/** config.json of OPTForCausalLM: learned positions, LayerNorm, biases, one up projection. */
export function readOptConfig(fields: ConfigFields, architecture: ArchitectureName): ModelConfig {
  const hidden = fields.integer('hidden_size', LIMITS.hidden);
  const heads = fields.integer('num_attention_heads', LIMITS.heads);
  if (hidden % heads !== 0) throw fields.wrong('hidden_size', `a multiple of the ${heads} attention heads`);
  const depth = fields.integer('num_hidden_layers', LIMITS.depth);
  const biases = fields.boolean('enable_bias', true);
  const normFirst = fields.boolean('do_layer_norm_before', true);
  refuseVariants(fields, normFirst);
  return {
    architecture,
    hidden,
    intermediate: fields.integer('ffn_dim', LIMITS.intermediate),
    depth,
    heads,
    kvHeads: heads,
    headDim: hidden / heads,
    vocabulary: fields.integer('vocab_size', LIMITS.vocabulary),
    maxPositions: fields.integer('max_position_embeddings', LIMITS.positions, 2048),
    // LayerNorm's own default: OPT has no field for it.
    norm: { kind: 'layer', epsilon: 1e-5 },
    normPlacement: normFirst ? 'pre' : 'post',
    activation: fields.choice('activation_function', ACTIVATIONS, 'relu'),
    gated: false,
    // The first two rows of the table are left from padding.
    positions: { kind: 'learned', offset: 2 },
    bias: { queryKeyValue: biases, attentionOutput: biases, mlp: biases },
    queryKeyNorm: false,
    windows: Array.from({ length: depth }, () => undefined),
    tiedEmbeddings: fields.boolean('tie_word_embeddings', true),
    embeddingWidth: fields.integer('word_embed_proj_dim', LIMITS.hidden, hidden),
  };
}

/** Two variants that no published checkpoint of the family needs. */
function refuseVariants(fields: ConfigFields, normFirst: boolean): void {
  if (!fields.boolean('layer_norm_elementwise_affine', true)) {
    throw fields.wrong('layer_norm_elementwise_affine', 'true', 'Choose a checkpoint whose norms have weights.');
  }
  // Without norms before the layers there is no final one to remove.
  if (normFirst && fields.boolean('_remove_final_layer_norm', false)) {
    throw fields.wrong('_remove_final_layer_norm', 'false', 'Choose a checkpoint with its final norm.');
  }
}
