import { ACTIVATIONS } from './activations.ts';
import { attention } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { lookUp, observedLinear } from './llama.ts';
import { columnsOf, linear, plus, range, type Matrix } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { layerNorm } from './norms.ts';
import type { StoredTensors } from './storedTensors.ts';

/** GPT-2 (Radford et al. 2019): learned positions, queries, keys and values from one matrix, one after the other. */
export function gpt2Model(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { heads, headDim, raw } = config;
  const width = heads * headDim;
  const epsilon = (raw['layer_norm_epsilon'] as number | undefined) ?? 1e-5;
  const norm = (x: Matrix, name: string) =>
    layerNorm(x, tensors.get(`${name}.weight`)!.values, tensors.get(`${name}.bias`)!.values, epsilon);
  const activation = ACTIVATIONS[config.activation]!;
  const table = tensors.get('transformer.wte.weight')!;

  return {
    depth: config.depth,
    attention: ['attn.c_attn', 'attn.c_proj'],
    mlp: ['mlp.c_fc', 'mlp.c_proj'],
    sections: { 'attn.c_attn': [width, width, width] },
    tensors,
    weightName: (block, name) => `transformer.h.${block}.${name}.weight`,
    embed: (tokens) =>
      plus(lookUp(table, tokens), lookUp(tensors.get('transformer.wpe.weight')!, range(0, tokens.length))),
    logits: (hidden) =>
      linear(
        norm(hidden, 'transformer.ln_f'),
        raw['tie_word_embeddings'] === false ? tensors.get('lm_head.weight')! : tensors.get('transformer.wte.weight')!,
      ),
    block(index, hidden, observe) {
      const prefix = `transformer.h.${index}`;
      const project = observedLinear(tensors, prefix, observe);
      const root = raw['scale_attn_weights'] === false ? 1 : Math.sqrt(headDim);
      const scale = 1 / root / (raw['scale_attn_by_inverse_layer_idx'] === true ? index + 1 : 1);

      const fused = project('attn.c_attn', norm(hidden, `${prefix}.ln_1`));
      const [queries, keys, values] = [0, 1, 2].map((part) => columnsOf(fused, range(part * width, width)));
      const mixed = attention(queries!, keys!, values!, { ...config, kvHeads: heads, window: Infinity, scale });
      const attended = plus(hidden, project('attn.c_proj', mixed));

      const inner = project('mlp.c_fc', norm(attended, `${prefix}.ln_2`));
      const active: Matrix = { ...inner, values: inner.values.map(activation) };
      return plus(attended, project('mlp.c_proj', active));
    },
  };
}
