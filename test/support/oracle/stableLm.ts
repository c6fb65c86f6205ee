import { attention, rotate } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { gatedModel } from './gated.ts';
import { plus, type Matrix, row, zeros } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { layerNorm } from './norms.ts';
import { rotation } from './rotary.ts';
import type { StoredTensors } from './storedTensors.ts';

/** StableLM: layer norms, rotation of a part of each head, branches after one another or side by side, and maybe a norm for each head. */
export function stableLmModel(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { heads, kvHeads, headDim, raw } = config;
  const epsilon = raw['layer_norm_eps'] as number;
  const turning = {
    ...config,
    rotaryDims: Math.floor(headDim * ((raw['partial_rotary_factor'] as number | undefined) ?? 0.25)),
  };
  const norm = (x: Matrix, name: string): Matrix =>
    layerNorm(x, tensors.get(`${name}.weight`)!.values, tensors.get(`${name}.bias`)!.values, epsilon);
  return gatedModel(tensors, {
    depth: config.depth,
    activation: config.activation,
    tied: raw['tie_word_embeddings'] === true,
    finalNorm: (hidden) => norm(hidden, 'model.norm'),
    block(_, hidden, { prefix, project, mlp }) {
      const turn = rotation(turning, hidden.rows);
      const perHead = (x: Matrix, which: string): Matrix => {
        if (raw['qk_layernorm'] !== true) return x;
        const weights = (head: number): Float64Array =>
          tensors.get(`${prefix}.self_attn.${which}_layernorm.norms.${head}.weight`)!.values;
        return eachHeadNormed(x, headDim, weights, epsilon);
      };
      const x = norm(hidden, `${prefix}.input_layernorm`);
      const queries = rotate(perHead(project('self_attn.q_proj', x), 'q'), headDim, turn);
      const keys = rotate(perHead(project('self_attn.k_proj', x), 'k'), headDim, turn);
      const shape = { heads, kvHeads, headDim, window: Infinity };
      const attended = plus(
        hidden,
        project('self_attn.o_proj', attention(queries, keys, project('self_attn.v_proj', x), shape)),
      );
      const read = raw['use_parallel_residual'] === true ? x : norm(attended, `${prefix}.post_attention_layernorm`);
      return plus(attended, mlp(read));
    },
  });
}

/** (x − mean) / sqrt(variance + ε) · weight of each head of each row, with the weight of that head. */
export function eachHeadNormed(
  x: Matrix,
  headDim: number,
  weights: (head: number) => Float64Array,
  epsilon: number,
): Matrix {
  const normed = zeros(x.rows, x.columns);
  for (let t = 0; t < x.rows; t++) {
    for (let head = 0; head < x.columns / headDim; head++) {
      const one = { rows: 1, columns: headDim, values: row(x, t).slice(head * headDim, (head + 1) * headDim) };
      const { values } = layerNorm(one, weights(head), new Float64Array(headDim), epsilon);
      normed.values.set(values, t * x.columns + head * headDim);
    }
  }
  return normed;
}
