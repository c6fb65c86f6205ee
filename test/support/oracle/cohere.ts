import { attention, rotate } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { gatedModel } from './gated.ts';
import { plus, type Matrix, row } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { layerNorm } from './norms.ts';
import { rotation } from './rotary.ts';
import { eachHeadNormed } from './stableLm.ts';
import type { StoredTensors } from './storedTensors.ts';

/**
 * Cohere: one layer norm without a bias before attention and MLP, which stand side by side; neighbours turn together. In Cohere 2 most
 * blocks have a window, and the others do not turn.
 */
export function cohereModel(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { heads, kvHeads, headDim, raw } = config;
  const epsilon = raw['layer_norm_eps'] as number;
  const isSecond = raw['model_type'] === 'cohere2';
  const pattern = (raw['sliding_window_pattern'] as number | undefined) ?? 4;
  const types = raw['layer_types'] as readonly string[] | undefined;
  const slides = (index: number): boolean =>
    isSecond && (types ? types[index] === 'sliding_attention' : index % pattern !== pattern - 1);
  const norm = (x: Matrix, name: string): Matrix =>
    layerNorm(x, tensors.get(`${name}.weight`)!.values, new Float64Array(x.columns), epsilon);
  return gatedModel(tensors, {
    depth: config.depth,
    activation: config.activation,
    tied: raw['tie_word_embeddings'] !== false,
    finalNorm: (hidden) => norm(hidden, 'model.norm'),
    logit: (product) => product * ((raw['logit_scale'] as number | undefined) ?? 0.0625),
    block(index, hidden, { prefix, project, mlp }) {
      const turn = rotation(config, hidden.rows);
      const x = norm(hidden, `${prefix}.input_layernorm`);
      const made = (which: 'q' | 'k'): Matrix => {
        const projected = project(`self_attn.${which}_proj`, x);
        const weights = tensors.get(`${prefix}.self_attn.${which}_norm.weight`);
        const normed =
          raw['use_qk_norm'] === true
            ? eachHeadNormed(projected, headDim, (head) => row(weights!, head), epsilon)
            : projected;
        return isSecond && !slides(index) ? normed : rotate(normed, headDim, turn, 'neighbours');
      };
      const window = slides(index) ? (raw['sliding_window'] as number) : Infinity;
      const shape = { heads, kvHeads, headDim, window };
      const mixed = attention(made('q'), made('k'), project('self_attn.v_proj', x), shape);
      return plus(plus(hidden, project('self_attn.o_proj', mixed)), mlp(x));
    },
  });
}
