import { ACTIVATIONS } from './activations.ts';
import { attention, rotate } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { lookUp, observedLinear } from './llama.ts';
import { linear, plus, zeros, type Matrix } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { layerNorm } from './norms.ts';
import { rotation } from './rotary.ts';
import type { StoredTensors } from './storedTensors.ts';

/**
 * GPT-NeoX (Black et al. 2022; Pythia): the rotation turns a part of each head, attention and MLP stand side by side or after one another,
 * and the rows of one matrix make queries, keys and values head by head.
 */
export function gptNeoXModel(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { heads, headDim, raw } = config;
  const rope = (raw['rope_parameters'] ?? {}) as Readonly<Record<string, number>>;
  const share = rope['partial_rotary_factor'] ?? (raw['rotary_pct'] as number | undefined) ?? 0.25;
  const turning: OracleConfig = {
    ...config,
    rotaryDims: Math.floor(headDim * share),
    theta: rope['rope_theta'] ?? (raw['rotary_emb_base'] as number | undefined) ?? 10000,
  };
  const epsilon = raw['layer_norm_eps'] as number;
  const norm = (x: Matrix, name: string) =>
    layerNorm(x, tensors.get(`${name}.weight`)!.values, tensors.get(`${name}.bias`)!.values, epsilon);
  const activation = ACTIVATIONS[config.activation]!;

  return {
    depth: config.depth,
    attention: ['attention.query_key_value', 'attention.dense'],
    mlp: ['mlp.dense_h_to_4h', 'mlp.dense_4h_to_h'],
    tensors,
    weightName: (block, name) => `gpt_neox.layers.${block}.${name}.weight`,
    embed: (tokens) => lookUp(tensors.get('gpt_neox.embed_in.weight')!, tokens),
    logits: (hidden) =>
      linear(
        norm(hidden, 'gpt_neox.final_layer_norm'),
        tensors.get(raw['tie_word_embeddings'] === true ? 'gpt_neox.embed_in.weight' : 'embed_out.weight')!,
      ),
    block(index, hidden, observe) {
      const prefix = `gpt_neox.layers.${index}`;
      const project = observedLinear(tensors, prefix, observe);
      const turn = rotation(turning, hidden.rows);

      const fused = project('attention.query_key_value', norm(hidden, `${prefix}.input_layernorm`));
      const [queries, keys, values] = [0, 1, 2].map((part) => {
        const taken = zeros(fused.rows, heads * headDim);
        for (let t = 0; t < fused.rows; t++)
          for (let head = 0; head < heads; head++)
            for (let d = 0; d < headDim; d++)
              taken.values[t * taken.columns + head * headDim + d] =
                fused.values[t * fused.columns + (3 * head + part) * headDim + d]!;
        return taken;
      }) as [Matrix, Matrix, Matrix];
      const mixed = attention(rotate(queries, headDim, turn), rotate(keys, headDim, turn), values, {
        ...{ heads, kvHeads: heads, headDim, window: Infinity },
      });
      const attended = plus(hidden, project('attention.dense', mixed));

      const read = raw['use_parallel_residual'] === false ? attended : hidden;
      const inner = project('mlp.dense_h_to_4h', norm(read, `${prefix}.post_attention_layernorm`));
      const active: Matrix = { ...inner, values: inner.values.map(activation) };
      return plus(attended, project('mlp.dense_4h_to_h', active));
    },
  };
}
