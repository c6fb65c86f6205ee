import { ACTIVATIONS } from './activations.ts';
import { lookUp, observedLinear } from './llama.ts';
import { linear, type Matrix } from './matrix.ts';
import type { OracleModel } from './model.ts';
import type { StoredTensors } from './storedTensors.ts';

/** What a family with LLaMA's linear layers says of itself. */
export interface GatedFamily {
  readonly depth: number;
  readonly activation: string;
  readonly tied: boolean;
  /** Of the embeddings. */
  readonly scale?: number;
  readonly groupRows?: readonly string[];
  block(index: number, hidden: Matrix, tools: BlockTools): Matrix;
  finalNorm(hidden: Matrix): Matrix;
  /** What becomes of a product of the head. */
  readonly logit?: (product: number) => number;
}

export interface BlockTools {
  /** Name of the block's tensors up to the layer. */
  readonly prefix: string;
  /** A linear layer, with its bias where there is one. */
  readonly project: (name: string, x: Matrix) => Matrix;
  /** down( act(gate x) · up x ). */
  readonly mlp: (x: Matrix) => Matrix;
}

export function gatedModel(tensors: StoredTensors, family: GatedFamily): OracleModel {
  const { depth, scale = 1, logit = (product: number): number => product } = family;
  const activation = ACTIVATIONS[family.activation]!;
  const head = family.tied ? 'model.embed_tokens.weight' : 'lm_head.weight';
  return {
    depth,
    attention: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.o_proj'],
    mlp: ['mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj'],
    tensors,
    ...(family.groupRows && { groupRows: family.groupRows }),
    weightName: (block, name) => `model.layers.${block}.${name}.weight`,
    embed: (tokens) => times(lookUp(tensors.get('model.embed_tokens.weight')!, tokens), scale),
    logits: (hidden) => each(linear(family.finalNorm(hidden), tensors.get(head)!), logit),
    block(index, hidden, observe) {
      const prefix = `model.layers.${index}`;
      const project = observedLinear(tensors, prefix, observe);
      const mlp = (x: Matrix): Matrix => {
        const gate = project('mlp.gate_proj', x);
        const up = project('mlp.up_proj', x);
        return project('mlp.down_proj', {
          ...up,
          values: up.values.map((value, i) => value * activation(gate.values[i]!)),
        });
      };
      return family.block(index, hidden, { prefix, project, mlp });
    },
  };
}

export function each(x: Matrix, change: (value: number) => number): Matrix {
  return { ...x, values: x.values.map((value) => change(value)) };
}

export function times(x: Matrix, factor: number): Matrix {
  return each(x, (value) => value * factor);
}
