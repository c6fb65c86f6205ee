import { ACTIVATIONS } from './activations.ts';
import { attention } from './attention.ts';
import type { OracleConfig } from './config.ts';
import { lookUp, observedLinear } from './llama.ts';
import { linear, plus, type Matrix } from './matrix.ts';
import type { OracleModel } from './model.ts';
import { layerNorm } from './norms.ts';
import type { StoredTensors } from './storedTensors.ts';

/** OPT (Zhang et al. 2022): learned positions from row 2 on, layer norms before or after, biases everywhere, head tied to the embedding. */
export function optModel(config: OracleConfig, tensors: StoredTensors): OracleModel {
  const tensor = (name: string) => tensors.get(`model.decoder.${name}`);
  const norm = (x: Matrix, name: string) =>
    layerNorm(x, tensor(`${name}.weight`)!.values, tensor(`${name}.bias`)!.values, config.epsilon);
  const activation = ACTIVATIONS[config.activation]!;

  return {
    depth: config.depth,
    attention: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.out_proj'],
    mlp: ['fc1', 'fc2'],
    tensors,
    weightName: (block, name) => `model.decoder.layers.${block}.${name}.weight`,
    embed(tokens) {
      const projectIn = tensor('project_in.weight');
      const words = lookUp(tensor('embed_tokens.weight')!, tokens);
      const places = lookUp(
        tensor('embed_positions.weight')!,
        tokens.map((_, t) => t + 2),
      );
      return plus(projectIn ? linear(words, projectIn) : words, places);
    },
    logits(hidden) {
      const normed = tensor('final_layer_norm.weight') ? norm(hidden, 'final_layer_norm') : hidden;
      const projectOut = tensor('project_out.weight');
      return linear(projectOut ? linear(normed, projectOut) : normed, tensor('embed_tokens.weight')!);
    },
    block(index, hidden, observe) {
      const prefix = `model.decoder.layers.${index}`;
      const project = observedLinear(tensors, prefix, observe);
      const normed = (x: Matrix, name: string, wanted: boolean) => (wanted ? norm(x, `layers.${index}.${name}`) : x);
      const before = config.raw['do_layer_norm_before'] !== false;

      const x = normed(hidden, 'self_attn_layer_norm', before);
      const [queries, keys, values] = ['q_proj', 'k_proj', 'v_proj'].map((name) => project(`self_attn.${name}`, x));
      const mixed = attention(queries!, keys!, values!, { ...config, window: Infinity });
      const sum = plus(hidden, project('self_attn.out_proj', mixed));
      const attended = normed(sum, 'self_attn_layer_norm', !before);

      const y = normed(attended, 'final_layer_norm', before);
      const inner = project('fc1', y);
      const active: Matrix = { ...inner, values: inner.values.map(activation) };
      return normed(plus(attended, project('fc2', active)), 'final_layer_norm', !before);
    },
  };
}
