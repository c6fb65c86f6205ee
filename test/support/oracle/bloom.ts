import { ACTIVATIONS } from './activations.ts';
import { slopesOf } from './alibi.ts';
import { attention } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { lookUp, observedLinear } from './llama.ts';
import { columnsOf, linear, plus, range, type Matrix } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { layerNorm } from './norms.ts';
import type { StoredTensors } from './storedTensors.ts';

/** BLOOM (Le Scao et al. 2022): a norm behind the embeddings, ALiBi, and the rows of one matrix make queries, keys and values head by head. */
export function bloomModel(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { heads, headDim, raw } = config;
  const epsilon = (raw['layer_norm_epsilon'] as number | undefined) ?? 1e-5;
  const norm = (x: Matrix, name: string) =>
    layerNorm(x, tensors.get(`${name}.weight`)!.values, tensors.get(`${name}.bias`)!.values, epsilon);
  const table = tensors.get('transformer.word_embeddings.weight')!;
  const slopes = slopesOf(heads);
  const behind = raw['apply_residual_connection_post_layernorm'] === true;

  return {
    depth: config.depth,
    attention: ['self_attention.query_key_value', 'self_attention.dense'],
    mlp: ['mlp.dense_h_to_4h', 'mlp.dense_4h_to_h'],
    tensors,
    weightName: (block, name) => `transformer.h.${block}.${name}.weight`,
    embed: (tokens) => norm(lookUp(table, tokens), 'transformer.word_embeddings_layernorm'),
    logits: (hidden) =>
      linear(
        norm(hidden, 'transformer.ln_f'),
        raw['tie_word_embeddings'] === false ? tensors.get('lm_head.weight')! : table,
      ),
    block(index, hidden, observe) {
      const prefix = `transformer.h.${index}`;
      const project = observedLinear(tensors, prefix, observe);

      const read = norm(hidden, `${prefix}.input_layernorm`);
      const fused = project('self_attention.query_key_value', read);
      const [queries, keys, values] = [0, 1, 2].map((part) =>
        columnsOf(
          fused,
          range(0, heads).flatMap((head) => range((3 * head + part) * headDim, headDim)),
        ),
      );
      const mixed = attention(queries!, keys!, values!, {
        ...{ heads, kvHeads: heads, headDim, window: Infinity },
        added: (head, key) => slopes[head]! * key,
      });
      const attended = plus(behind ? read : hidden, project('self_attention.dense', mixed));

      const opened = norm(attended, `${prefix}.post_attention_layernorm`);
      const inner = project('mlp.dense_h_to_4h', opened);
      const active: Matrix = { ...inner, values: inner.values.map(ACTIVATIONS['gelu_new']!) };
      return plus(behind ? opened : attended, project('mlp.dense_4h_to_h', active));
    },
  };
}
