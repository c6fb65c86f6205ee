import { attention, rotate } from './attention.ts';
import { type OracleConfig, type Raw, ropeConfig } from './config.ts';
import { gatedModel } from './gated.ts';
import { plus, type Matrix } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { rmsNorm } from './norms.ts';
import { rotation } from './rotary.ts';
import type { StoredTensors } from './storedTensors.ts';

/**
 * Gemma 1, 2 and 3: norms whose stored weight lacks one, embeddings times the root of their width, rounded to the type of the file. Gemma 2
 * has norms on both sides, caps and windows; Gemma 3 norms of heads, and two rotations.
 */
export function gemmaModel(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const { raw, heads, kvHeads, depth } = config;
  const [isSecond, isThird] = [raw['model_type'] === 'gemma2', raw['model_type'] === 'gemma3_text'];
  const number = (key: string, fallback: number): number => (raw[key] as number | undefined) ?? fallback;
  const headDim = number('head_dim', 256);
  const epsilon = number('rms_norm_eps', 1e-6);
  const norm = (x: Matrix, name: string) =>
    rmsNorm(
      x,
      tensors.get(`${name}.weight`)!.values.map((value) => value + 1),
      epsilon,
    );
  const cap = (key: string, fallback: number | null): number | undefined =>
    ((key in raw ? raw[key] : fallback) as number | null) ?? undefined;
  const scoreCap = isSecond ? cap('attn_logit_softcapping', 50) : undefined;
  const logitCap = isSecond || isThird ? cap('final_logit_softcapping', isSecond ? 30 : null) : undefined;
  const scale = (isSecond || isThird ? number('query_pre_attn_scalar', 256) : headDim) ** -0.5;
  const pattern = isThird ? number('sliding_window_pattern', 6) : 2;
  const types = raw['layer_types'] as readonly string[] | undefined;
  const slides = (index: number): boolean =>
    (isSecond || isThird) && (types ? types[index] === 'sliding_attention' : index % pattern !== pattern - 1);

  const nested = isThird ? (raw['rope_parameters'] as Readonly<Record<string, Raw>> | undefined) : undefined;
  const far = nested?.['full_attention'] ?? {
    rope_theta: number('rope_theta', isThird ? 1e6 : 10000),
    ...((raw['rope_parameters'] ?? raw['rope_scaling'] ?? {}) as Raw),
  };
  const near = nested?.['sliding_attention'] ?? { rope_theta: number('rope_local_base_freq', 10000) };
  const turning = (rope: Raw): OracleConfig => ({
    ...{ ...config, headDim, rotaryDims: headDim },
    ...{ theta: rope['rope_theta'] as number, rope: ropeConfig(raw, rope) },
  });

  return gatedModel(tensors, {
    depth,
    activation: activationOf(raw),
    tied: raw['tie_word_embeddings'] !== false,
    scale: rounded(Math.sqrt(raw['hidden_size'] as number), (raw['dtype'] ?? raw['torch_dtype']) as string | undefined),
    finalNorm: (hidden) => norm(hidden, 'model.norm'),
    logit: (product) => (logitCap === undefined ? product : logitCap * Math.tanh(product / logitCap)),
    block(index, hidden, { prefix, project, mlp }) {
      const turn = rotation(turning(isThird && slides(index) ? near : far), hidden.rows);
      const x = norm(hidden, `${prefix}.input_layernorm`);
      const ofHeads = (made: Matrix, name: string) => (isThird ? norm(made, `${prefix}.self_attn.${name}`) : made);
      const queries = rotate(ofHeads(project('self_attn.q_proj', x), 'q_norm'), headDim, turn);
      const keys = rotate(ofHeads(project('self_attn.k_proj', x), 'k_norm'), headDim, turn);
      const window = slides(index) ? number('sliding_window', 4096) : Infinity;
      const values = project('self_attn.v_proj', x);
      const mixed = attention(queries, keys, values, { heads, kvHeads, headDim, window, scale, cap: scoreCap });
      const attended = project('self_attn.o_proj', mixed);
      if (!isSecond && !isThird) {
        const middle = plus(hidden, attended);
        return plus(middle, mlp(norm(middle, `${prefix}.post_attention_layernorm`)));
      }
      const middle = plus(hidden, norm(attended, `${prefix}.post_attention_layernorm`));
      const made = mlp(norm(middle, `${prefix}.pre_feedforward_layernorm`));
      return plus(middle, norm(made, `${prefix}.post_feedforward_layernorm`));
    },
  });
}

function activationOf(raw: Raw): string {
  return (raw['hidden_activation'] as string | null | undefined) ?? 'gelu_pytorch_tanh';
}

/** To the nearest number with as many digits as the type has: eight binary ones for bfloat16. */
function rounded(value: number, type = 'float32'): number {
  if (type === 'float32') return Math.fround(value);
  const digits = type === 'bfloat16' ? 8 : 11;
  let shift = 0;
  while (value * 2 ** shift < 2 ** (digits - 1)) shift++;
  return Math.round(value * 2 ** shift) / 2 ** shift;
}
