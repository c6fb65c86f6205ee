import { attention, rotate } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { gatedModel } from './gated.ts';
import { plus, type Matrix, row, zeros } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { rmsNorm } from './norms.ts';
import { rotation } from './rotary.ts';
import type { StoredTensors } from './storedTensors.ts';

/**
 * OLMo 2: norms of what attention and MLP give; queries and keys are normed over all heads at once, so that a block with fewer heads, as many
 * as its tensors have rows for, computes something else of each.
 */
export function olmo2Model(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { headDim, epsilon, raw } = config;
  const weight = (name: string): Float64Array => tensors.get(`${name}.weight`)!.values;
  return gatedModel(tensors, {
    depth: config.depth,
    activation: config.activation,
    tied: raw['tie_word_embeddings'] === true,
    groupRows: ['q_proj.weight', 'k_proj.weight', 'v_proj.weight', 'q_norm.weight', 'k_norm.weight'].map(
      (name) => `self_attn.${name}`,
    ),
    finalNorm: (hidden) => rmsNorm(hidden, weight('model.norm'), epsilon),
    block(_, hidden, { prefix, project, mlp }) {
      const turn = rotation(config, hidden.rows);
      const together = (made: Matrix, name: string): Matrix => {
        const [scales, normed] = [weight(`${prefix}.self_attn.${name}`), zeros(made.rows, made.columns)];
        for (let t = 0; t < made.rows; t++) {
          let squares = 0;
          for (const value of row(made, t)) squares += value * value;
          const size = Math.sqrt(squares / made.columns + epsilon);
          row(made, t).forEach((value, i) => (normed.values[t * made.columns + i] = (value / size) * scales[i]!));
        }
        return normed;
      };
      const queries = rotate(together(project('self_attn.q_proj', hidden), 'q_norm'), headDim, turn);
      const keys = rotate(together(project('self_attn.k_proj', hidden), 'k_norm'), headDim, turn);
      const shape = { heads: queries.columns / headDim, kvHeads: keys.columns / headDim, headDim, window: Infinity };
      const mixed = attention(queries, keys, project('self_attn.v_proj', hidden), shape);
      const made = project('self_attn.o_proj', mixed);
      const middle = plus(hidden, rmsNorm(made, weight(`${prefix}.post_attention_layernorm`), epsilon));
      return plus(middle, rmsNorm(mlp(middle), weight(`${prefix}.post_feedforward_layernorm`), epsilon));
    },
  });
}
