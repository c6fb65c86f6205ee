import { ACTIVATIONS } from './activations.ts';
import { slopesOf, toBfloat16 } from './alibi.ts';
import { attention, rotate } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { lookUp, observedLinear } from './llama.ts';
import { columnsOf, linear, plus, range, type Matrix } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { layerNorm } from './norms.ts';
import { rotation } from './rotary.ts';
import type { StoredTensors } from './storedTensors.ts';

/**
 * Falcon (Almazrouei et al. 2023): the rows of one matrix make queries, keys and values group by group; attention and MLP side by side
 * or after one another; rotary positions or ALiBi, which transformers rounds to bfloat16.
 */
export function falconModel(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { heads, kvHeads, headDim, raw } = config;
  const share = heads / kvHeads;
  const epsilon = (raw['layer_norm_epsilon'] as number | undefined) ?? 1e-5;
  const norm = (x: Matrix, name: string) =>
    layerNorm(x, tensors.get(`${name}.weight`)!.values, tensors.get(`${name}.bias`)!.values, epsilon);
  const activation = ACTIVATIONS[(raw['activation'] as string | undefined) ?? 'gelu']!;
  const table = tensors.get('transformer.word_embeddings.weight')!;
  const slopes = slopesOf(heads).map(toBfloat16);

  return {
    depth: config.depth,
    attention: ['self_attention.query_key_value', 'self_attention.dense'],
    mlp: ['mlp.dense_h_to_4h', 'mlp.dense_4h_to_h'],
    tensors,
    weightName: (block, name) => `transformer.h.${block}.${name}.weight`,
    embed: (tokens) => lookUp(table, tokens),
    logits: (hidden) =>
      linear(
        norm(hidden, 'transformer.ln_f'),
        raw['tie_word_embeddings'] === false ? tensors.get('lm_head.weight')! : table,
      ),
    block(index, hidden, observe) {
      const prefix = `transformer.h.${index}`;
      const project = observedLinear(tensors, prefix, observe);
      // Which norms there are says what kind of block it is, but for where the MLP stands.
      const has = (name: string) => tensors.has(`${prefix}.${name}.weight`);
      const before = norm(hidden, `${prefix}.${has('ln_attn') ? 'ln_attn' : 'input_layernorm'}`);

      const fused = project('self_attention.query_key_value', before);
      const pick = (first: number, count: number) =>
        columnsOf(
          fused,
          range(0, kvHeads).flatMap((group) => range((group * (share + 2) + first) * headDim, count * headDim)),
        );
      const [queries, keys, values] = [pick(0, share), pick(share, 1), pick(share + 1, 1)];
      const shape = { heads, kvHeads, headDim, window: Infinity };
      const turn = rotation(config, hidden.rows);
      const mixed =
        raw['alibi'] === true
          ? attention(queries, keys, values, {
              ...shape,
              added: (head, key) => toBfloat16(slopes[head]! * toBfloat16(key)) / Math.sqrt(headDim),
            })
          : attention(rotate(queries, headDim, turn), rotate(keys, headDim, turn), values, shape);
      const attended = plus(hidden, project('self_attention.dense', mixed));

      const read = has('ln_mlp')
        ? norm(hidden, `${prefix}.ln_mlp`)
        : raw['parallel_attn'] === false
          ? norm(attended, `${prefix}.post_attention_layernorm`)
          : before;
      const inner = project('mlp.dense_h_to_4h', read);
      const active: Matrix = { ...inner, values: inner.values.map(activation) };
      return plus(attended, project('mlp.dense_4h_to_h', active));
    },
  };
}
