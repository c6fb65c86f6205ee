import { attention, rotate } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { gatedModel } from './gated.ts';
import { plus, type Matrix } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { rmsNorm } from './norms.ts';
import { rotation } from './rotary.ts';
import type { StoredTensors } from './storedTensors.ts';

/** SmolLM3: LLaMA in which some blocks do not turn queries and keys; those may have a window. */
export function smolLm3Model(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { heads, kvHeads, headDim, epsilon, raw } = config;
  const weight = (name: string): Float64Array => tensors.get(`${name}.weight`)!.values;
  const interval = (raw['no_rope_layer_interval'] as number | undefined) ?? 4;
  const list = raw['no_rope_layers'] as readonly number[] | undefined;
  const turns = (index: number): boolean => (list ? list[index] === 1 : index % interval !== interval - 1);
  return gatedModel(tensors, {
    depth: config.depth,
    activation: config.activation,
    tied: raw['tie_word_embeddings'] !== false,
    finalNorm: (hidden) => rmsNorm(hidden, weight('model.norm'), epsilon),
    block(index, hidden, { prefix, project, mlp }) {
      const turn = rotation(config, hidden.rows);
      const turned = (made: Matrix): Matrix => (turns(index) ? rotate(made, headDim, turn) : made);
      const slides = raw['use_sliding_window'] === true && !turns(index);
      const window = slides ? (raw['sliding_window'] as number) : Infinity;
      const x = rmsNorm(hidden, weight(`${prefix}.input_layernorm`), epsilon);
      const mixed = attention(
        turned(project('self_attn.q_proj', x)),
        turned(project('self_attn.k_proj', x)),
        project('self_attn.v_proj', x),
        { heads, kvHeads, headDim, window },
      );
      const middle = plus(hidden, project('self_attn.o_proj', mixed));
      return plus(middle, mlp(rmsNorm(middle, weight(`${prefix}.post_attention_layernorm`), epsilon)));
    },
  });
}
