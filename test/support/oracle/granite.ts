import { attention, rotate } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { gatedModel, times } from './gated.ts';
import { plus } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { rmsNorm } from './norms.ts';
import { rotation } from './rotary.ts';
import type { StoredTensors } from './storedTensors.ts';

/** Granite 3: LLaMA with a factor for the embeddings, for the scores, for what each branch adds, and a divisor of the logits. */
export function graniteModel(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { heads, kvHeads, headDim, epsilon, raw } = config;
  const factor = (key: string): number => (raw[key] as number | undefined) ?? 1;
  const weight = (name: string): Float64Array => tensors.get(`${name}.weight`)!.values;
  return gatedModel(tensors, {
    depth: config.depth,
    activation: config.activation,
    tied: raw['tie_word_embeddings'] === true,
    scale: factor('embedding_multiplier'),
    finalNorm: (hidden) => rmsNorm(hidden, weight('model.norm'), epsilon),
    logit: (product) => product / factor('logits_scaling'),
    block(_, hidden, { prefix, project, mlp }) {
      const turn = rotation(config, hidden.rows);
      const x = rmsNorm(hidden, weight(`${prefix}.input_layernorm`), epsilon);
      const mixed = attention(
        rotate(project('self_attn.q_proj', x), headDim, turn),
        rotate(project('self_attn.k_proj', x), headDim, turn),
        project('self_attn.v_proj', x),
        { heads, kvHeads, headDim, window: Infinity, scale: factor('attention_multiplier') },
      );
      const added = factor('residual_multiplier');
      const middle = plus(hidden, times(project('self_attn.o_proj', mixed), added));
      return plus(middle, times(mlp(rmsNorm(middle, weight(`${prefix}.post_attention_layernorm`), epsilon)), added));
    },
  });
}
