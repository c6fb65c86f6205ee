import { ACTIVATIONS } from './activations.ts';
import { attention, rotate } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { linear, plus, row, zeros, type Matrix } from './matrix.ts';
import type { Observer, OracleModel } from './model.ts';
import { rmsNorm } from './norms.ts';
import { rotation } from './rotary.ts';
import type { StoredTensors } from './storedTensors.ts';

/**
 * LLaMA and its kin (Mistral, Qwen2, Qwen3): pre-norm blocks with RMS norms, rotary attention and a gated FFN. A bias that is stored is
 * added and a query or key norm that is stored is applied, so what config.json says of them is not relied upon.
 */
export function llamaModel(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { heads, kvHeads, headDim, epsilon } = config;
  const vector = (name: string) => row(tensors.get(name)!, 0);
  const activation = ACTIVATIONS[config.activation]!;

  return {
    depth: config.depth,
    attention: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.o_proj'],
    mlp: ['mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj'],
    tensors,
    weightName: (block, name) => `model.layers.${block}.${name}.weight`,
    embed: (tokens) => lookUp(tensors.get('model.embed_tokens.weight')!, tokens),
    logits: (hidden) =>
      linear(
        rmsNorm(hidden, vector('model.norm.weight'), epsilon),
        tensors.get('lm_head.weight') ?? tensors.get('model.embed_tokens.weight')!,
      ),
    block(index, hidden, observe) {
      const prefix = `model.layers.${index}`;
      const turn = rotation(config, hidden.rows);
      const project = observedLinear(tensors, prefix, observe);
      const normedHeads = (x: Matrix, norm: string) => {
        const weight = tensors.get(`${prefix}.self_attn.${norm}.weight`);
        return weight ? rmsNorm(x, weight.values, epsilon) : x;
      };

      const x = rmsNorm(hidden, vector(`${prefix}.input_layernorm.weight`), epsilon);
      const queries = rotate(normedHeads(project('self_attn.q_proj', x), 'q_norm'), headDim, turn);
      const keys = rotate(normedHeads(project('self_attn.k_proj', x), 'k_norm'), headDim, turn);
      const values = project('self_attn.v_proj', x);
      const mixed = attention(queries, keys, values, { heads, kvHeads, headDim, window: config.windows[index]! });
      const attended = plus(hidden, project('self_attn.o_proj', mixed));

      const y = rmsNorm(attended, vector(`${prefix}.post_attention_layernorm.weight`), epsilon);
      const gate = project('mlp.gate_proj', y);
      const up = project('mlp.up_proj', y);
      const gated: Matrix = { ...up, values: up.values.map((value, i) => value * activation(gate.values[i]!)) };
      return plus(attended, project('mlp.down_proj', gated));
    },
  };
}

/** A linear layer of the block `prefix`, with its bias where one is stored; its input is shown to `observe`. */
export function observedLinear(
  tensors: StoredTensors,
  prefix: string,
  observe: Observer | undefined,
): (name: string, x: Matrix) => Matrix {
  return (name, x) => {
    observe?.(name, x);
    return linear(x, tensors.get(`${prefix}.${name}.weight`)!, tensors.get(`${prefix}.${name}.bias`)?.values);
  };
}

/** The rows of `table` that `indices` name. */
export function lookUp(table: Matrix, indices: readonly number[]): Matrix {
  const found = zeros(indices.length, table.columns);
  indices.forEach((index, t) => {
    row(found, t).set(row(table, index));
  });
  return found;
}
