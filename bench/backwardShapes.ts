import { parseConfig } from '../src/engine/checkpoint/readConfig.ts';
import type { ModelConfig } from '../src/engine/families/families.ts';
import type { Sizes } from './generatedModel.ts';

/** A LLaMA of random weights, and what goes through it there and back. */
export interface BackwardShape extends Sizes {
  readonly title: string;
  /** Tokens of a sample. */
  readonly length: number;
  readonly samples: number;
}

const SMALL = {
  ...{ hidden: 256, intermediate: 688, depth: 6, heads: 8, kvHeads: 4, vocabulary: 4096 },
  length: 256,
} as const;

export const BACKWARD_SHAPES: readonly BackwardShape[] = [
  { ...SMALL, title: '6M, 16 samples of 256', samples: 16 },
  {
    ...{ title: '110M, 4 samples of 512', hidden: 768, intermediate: 2048, depth: 12, heads: 12, kvHeads: 12 },
    ...{ vocabulary: 32_000, length: 512, samples: 4 },
  },
  // So few words that the head does not count.
  {
    ...{ title: 'block of TinyLlama, 2 samples of 2048', hidden: 2048, intermediate: 5632, depth: 1, heads: 32 },
    ...{ kvHeads: 4, vocabulary: 64, length: 2048, samples: 2 },
  },
];

/** Time is measured at each of these, so that an exponent is of a factor of 8. */
export const GROWTH: Readonly<Record<'samples' | 'layers', readonly BackwardShape[]>> = {
  // Whole batches, which have 1024 rows.
  samples: [8, 16, 32, 64].map((samples) => ({ ...SMALL, title: 'samples', depth: 2, samples })),
  layers: [2, 4, 8, 16].map((depth) => ({ ...SMALL, title: 'layers', depth, vocabulary: 64, samples: 8 })),
};

export function configOf(shape: BackwardShape): ModelConfig {
  const values = {
    ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', rms_norm_eps: 1e-5, rope_theta: 10_000 },
    ...{ hidden_size: shape.hidden, intermediate_size: shape.intermediate, num_hidden_layers: shape.depth },
    ...{ num_attention_heads: shape.heads, num_key_value_heads: shape.kvHeads, vocab_size: shape.vocabulary },
    ...{ max_position_embeddings: shape.length, hidden_act: 'silu', tie_word_embeddings: false },
  };
  return parseConfig(values, shape.title);
}

/** The same of reference.py: its forward pass without gradients, and what its `gradients` does on the way back, sample by sample. */
export function peerProgram(): string {
  return `
import json, os, resource, sys, time
path, shape, threads = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
sys.path.insert(0, os.path.dirname(path))
import torch
import reference
torch.set_num_threads(threads); torch.manual_seed(1)
m = reference.Llama.__new__(reference.Llama)
h, f, m.depth, m.heads, m.kv = (shape[k] for k in ('hidden', 'intermediate', 'depth', 'heads', 'kvHeads'))
m.hidden, m.dim, m.eps, m.theta, m.observe, m.rotary = h, h // m.heads, 1e-5, 10000.0, None, (None, None, 0)
sizes = dict(zip(reference.LINEAR, ((h, h), (m.kv * m.dim, h), (m.kv * m.dim, h), (h, h), (f, h), (f, h), (h, f))))
once = {n: torch.randn(s) / s[1] ** 0.5 for n, s in sizes.items()}
m.weights = {'model.embed_tokens.weight': torch.randn(shape['vocabulary'], h), 'model.norm.weight': torch.ones(h)}
m.weights['lm_head.weight'] = torch.randn(shape['vocabulary'], h) / h ** 0.5
for i in range(m.depth):
    for n in reference.LINEAR: m.weights[m.key(i, n)] = once[n].clone()
    for n in ('input_layernorm', 'post_attention_layernorm'): m.weights[f'model.layers.{i}.{n}.weight'] = torch.ones(h)
keys = [m.key(i, n) for i in range(m.depth) for n in reference.LINEAR]
ids = torch.randint(0, shape['vocabulary'], (shape['samples'], shape['length']))
now = time.process_time
with torch.no_grad():
    reference.loss(m.forward(ids[:1]), ids[:1]); begin = now()
    for b in ids.split(1): reference.loss(m.forward(b), b)
    forward = now() - begin
for k in keys: m.weights[k].requires_grad_(True)
squares, back, begin = [torch.zeros_like(m.weights[k]) for k in keys], 0, now()
for b in ids.split(1):
    loss = reference.loss(m.forward(b), b); middle = now()
    for s, g in zip(squares, torch.autograd.grad(loss, [m.weights[k] for k in keys])): s += (100 * g) ** 2
    back += now() - middle
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({'forward': forward, 'backward': back, 'whole': now() - begin, 'peak': peak}))
`;
}
