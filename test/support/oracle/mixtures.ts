import { ACTIVATIONS } from './activations.ts';
import { attention, rotate } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { llamaModel, observedLinear } from './llama.ts';
import { linear, type Matrix, plus, row, zeros } from './matrix.ts';
import type { Observer, OracleModel } from './model.ts';
import { rmsNorm } from './norms.ts';
import { rotation } from './rotary.ts';
import type { StoredTensors } from './storedTensors.ts';

/** The experts that a token goes through, with their weights. */
type Route = readonly { readonly expert: number; readonly weight: number }[];

/** Sees what an expert makes of one token, before it is weighed. */
export type ExpertObserver = (block: number, expert: number, weight: number, output: Float64Array) => void;

/**
 * Mixtral, Qwen2-MoE, Qwen3-MoE and OLMoE, token by token: the router's softmax over all experts in float64, the best `num_experts_per_tok` of
 * them (the first of equal ones), each expert on the tokens that chose it. How many experts a block has is read off its router; a block without one
 * has an MLP.
 */
export function mixtureModel(config: OracleConfig, tensors: StoredTensors, watch?: ExpertObserver): OracleModel {
  const { raw, heads, kvHeads, headDim, epsilon } = config;
  const base = llamaModel(config, tensors);
  const isMixtral = raw['model_type'] === 'mixtral';
  const module = isMixtral ? 'block_sparse_moe' : 'mlp';
  const [gate, up, down] = isMixtral ? ['w1', 'w3', 'w2'] : ['gate_proj', 'up_proj', 'down_proj'];
  const normalises = isMixtral || raw['norm_topk_prob'] === true;
  const clip = (raw['clip_qkv'] as number | null | undefined) ?? Infinity;
  const activation = ACTIVATIONS[config.activation]!;
  const router = (block: number): Matrix | undefined => tensors.get(`model.layers.${block}.${module}.gate.weight`);

  const mlp = (block: number, name: string, x: Matrix, observe: Observer | undefined): Matrix => {
    const project = observedLinear(tensors, `model.layers.${block}`, observe);
    const opened = project(`${name}.${gate}`, x);
    const other = project(`${name}.${up}`, x);
    const product = { ...opened, values: opened.values.map((value, i) => activation(value) * other.values[i]!) };
    return project(`${name}.${down}`, product);
  };

  const attend = (index: number, hidden: Matrix, observe: Observer | undefined): Matrix => {
    const prefix = `model.layers.${index}`;
    const project = observedLinear(tensors, prefix, observe);
    const vector = (name: string) => row(tensors.get(`${prefix}.${name}.weight`)!, 0);
    const stored = (name: string) => tensors.has(`${prefix}.${name}.weight`);
    const turn = rotation(config, hidden.rows);
    // A norm of queries is as wide as its weight: a head, or all of them.
    const normed = (x: Matrix, norm: string) => (stored(norm) ? rmsNorm(x, vector(norm), epsilon) : x);
    const cut = (x: Matrix) => ({ ...x, values: x.values.map((value) => Math.max(-clip, Math.min(clip, value))) });
    const x = rmsNorm(hidden, vector('input_layernorm'), epsilon);
    const queries = rotate(cut(normed(project('self_attn.q_proj', x), 'self_attn.q_norm')), headDim, turn);
    const keys = rotate(cut(normed(project('self_attn.k_proj', x), 'self_attn.k_norm')), headDim, turn);
    const values = cut(project('self_attn.v_proj', x));
    const mixed = attention(queries, keys, values, { heads, kvHeads, headDim, window: config.windows[index]! });
    return plus(hidden, project('self_attn.o_proj', mixed));
  };

  const mix = (index: number, hidden: Matrix, observe: Observer | undefined): Matrix => {
    const prefix = `model.layers.${index}`;
    const x = rmsNorm(hidden, row(tensors.get(`${prefix}.post_attention_layernorm.weight`)!, 0), epsilon);
    const sum = zeros(x.rows, x.columns);
    const scores = linear(x, router(index)!);
    const perToken = Math.min(raw['num_experts_per_tok'] as number, scores.columns);
    const routes = Array.from({ length: x.rows }, (_, t) => routeOf(row(scores, t), perToken, normalises));
    for (let expert = 0; expert < scores.columns; expert++) {
      const tokens = [...routes.keys()].filter((t) => routes[t]!.some((choice) => choice.expert === expert));
      if (tokens.length === 0) continue;
      const own = zeros(tokens.length, x.columns);
      tokens.forEach((t, i) => {
        row(own, i).set(row(x, t));
      });
      const made = mlp(index, `${module}.experts.${expert}`, own, observe);
      tokens.forEach((t, i) => {
        const { weight } = routes[t]!.find((choice) => choice.expert === expert)!;
        watch?.(index, expert, weight, row(made, i));
        row(made, i).forEach((value, j) => (sum.values[t * sum.columns + j]! += weight * value));
      });
    }
    const sharedGate = tensors.get(`${prefix}.mlp.shared_expert_gate.weight`);
    if (!sharedGate) return plus(hidden, sum);
    const opening = linear(x, sharedGate).values.map((value) => 1 / (1 + Math.exp(-value)));
    const shared = mlp(index, 'mlp.shared_expert', x, observe);
    const weighed = { ...shared, values: shared.values.map((v, i) => v * opening[Math.floor(i / shared.columns)]!) };
    return plus(hidden, plus(sum, weighed));
  };

  return {
    ...base,
    linearsIn: (block) => linearsIn(tensors, block),
    block(index, hidden, observe) {
      if (router(index) === undefined) return base.block(index, hidden, observe);
      return mix(index, attend(index, hidden, observe), observe);
    },
  };
}

function routeOf(scores: Float64Array, perToken: number, normalises: boolean): Route {
  const largest = Math.max(...scores);
  const powers = [...scores].map((score) => Math.exp(score - largest));
  const total = powers.reduce((a, b) => a + b, 0);
  const order = [...powers.keys()].sort((a, b) => powers[b]! - powers[a]! || a - b).slice(0, perToken);
  const sum = normalises ? order.reduce((all, expert) => all + powers[expert]! / total, 0) : 1;
  return order.map((expert) => ({ expert, weight: powers[expert]! / total / sum }));
}

/** Projections, in the order in which tokens meet them; routers and the shared expert's gate are none. */
function linearsIn(tensors: StoredTensors, block: number): string[] {
  const prefix = `model.layers.${block}.`;
  return [...tensors.keys()]
    .filter((name) => name.startsWith(prefix) && /\.(\w_proj|gate_proj|up_proj|down_proj|w[123])\.weight$/.test(name))
    .map((name) => name.slice(prefix.length, -'.weight'.length));
}
