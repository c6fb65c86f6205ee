import { ACTIVATIONS } from './activations.ts';
import { attention, rotate } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { lookUp, observedLinear } from './llama.ts';
import { columnsOf, linear, plus, range, row, type Matrix } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { rmsNorm } from './norms.ts';
import { rotation } from './rotary.ts';
import type { StoredTensors } from './storedTensors.ts';

/** Phi-3 and Phi-4: LLaMA with queries, keys and values in one matrix and gate and up in another, and a part of each head turned. */
export function phi3Model(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { heads, kvHeads, headDim, raw } = config;
  const rope = (raw['rope_parameters'] ?? {}) as Readonly<Record<string, number>>;
  const share = rope['partial_rotary_factor'] ?? (raw['partial_rotary_factor'] as number | undefined) ?? 1;
  const turning: OracleConfig = { ...config, rotaryDims: Math.floor(headDim * share) };
  const intermediate = raw['intermediate_size'] as number;
  const [queries, keys] = [heads * headDim, kvHeads * headDim];
  const norm = (x: Matrix, name: string) => rmsNorm(x, row(tensors.get(name)!, 0), raw['rms_norm_eps'] as number);
  const activation = ACTIVATIONS[config.activation]!;

  return {
    depth: config.depth,
    attention: ['self_attn.qkv_proj', 'self_attn.o_proj'],
    mlp: ['mlp.gate_up_proj', 'mlp.down_proj'],
    sections: { 'self_attn.qkv_proj': [queries, keys, keys], 'mlp.gate_up_proj': [intermediate, intermediate] },
    tensors,
    weightName: (block, name) => `model.layers.${block}.${name}.weight`,
    embed: (tokens) => lookUp(tensors.get('model.embed_tokens.weight')!, tokens),
    logits: (hidden) =>
      linear(
        norm(hidden, 'model.norm.weight'),
        tensors.get(raw['tie_word_embeddings'] === true ? 'model.embed_tokens.weight' : 'lm_head.weight')!,
      ),
    block(index, hidden, observe) {
      const prefix = `model.layers.${index}`;
      const turn = rotation(turning, hidden.rows);
      const project = observedLinear(tensors, prefix, observe);

      const fused = project('self_attn.qkv_proj', norm(hidden, `${prefix}.input_layernorm.weight`));
      const mixed = attention(
        rotate(columnsOf(fused, range(0, queries)), headDim, turn),
        rotate(columnsOf(fused, range(queries, keys)), headDim, turn),
        columnsOf(fused, range(queries + keys, keys)),
        { heads, kvHeads, headDim, window: config.windows[index]! },
      );
      const attended = plus(hidden, project('self_attn.o_proj', mixed));

      const both = project('mlp.gate_up_proj', norm(attended, `${prefix}.post_attention_layernorm.weight`));
      const [gate, up] = [0, intermediate].map((first) => columnsOf(both, range(first, intermediate)));
      const gated: Matrix = { ...up!, values: up!.values.map((value, i) => value * activation(gate!.values[i]!)) };
      return plus(attended, project('mlp.down_proj', gated));
    },
  };
}
