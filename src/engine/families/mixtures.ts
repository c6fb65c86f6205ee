import type { Value } from '../graph/graph.ts';
import { mistralWindows, noWindows } from './attentionWindows.ts';
import { activation, addBranch, linearLayer, parameter } from './blockParts.ts';
import { type BlockShape, blockShape, type FamilyConfig, type Mixture } from './config.ts';
import type { ConfigFields } from './configFields.ts';
import { LIMITS } from './configLimits.ts';
import type { BlockWriter, Family, JsonFields, Parameter } from './family.ts';
import { statedBias } from './gatedConfig.ts';
import { type Kin, kinOf, type LlamaConfig } from './llama.ts';

interface MixtureConfig extends LlamaConfig {
  readonly mixture: Mixture & {
    readonly expertChannels: number;
    /** Channels of the expert that every token goes through; 0: there is none. */
    readonly sharedChannels: number;
    /** Whether the weights of the chosen experts are divided by their sum. */
    readonly normalised: boolean;
  };
  /** OLMoE: queries, keys and values are cut off at this. */
  readonly clip?: number | undefined;
}

/** What differs between the families. */
interface MixtureKin {
  /** Attention, norms, and the MLP of blocks that mix nothing. */
  readonly kin: Kin;
  /** Where the block keeps its experts and their router, and what their three layers are called. */
  readonly module: 'mlp' | 'block_sparse_moe';
  readonly layers: readonly [gate: string, up: string, down: string];
  readonly countField: 'num_experts' | 'num_local_experts';
  /** Fields with other defaults than LLaMA's. */
  readonly defaults: JsonFields;
  readonly readMixture: (fields: ConfigFields, depth: number) => MixtureConfig['mixture'];
  /** OLMoE: RMS norms over all queries and all keys, before the rotation. */
  readonly projectionNorms?: boolean;
}

const NO_BIAS = { queryKeyValue: false, attentionOutput: false } as const;
const QWEN_LAYERS = ['gate_proj', 'up_proj', 'down_proj'] as const;

export const mixtral = mixtureOf({
  kin: {
    ...{ title: 'Mixtral', modelType: 'mixtral', kvHeads: 8, headDim: 'derived', maxPositions: 131_072 },
    ...{ attentionBias: () => NO_BIAS, mlpBias: () => false, queryKeyNorm: false, windows: mistralWindows },
  },
  module: 'block_sparse_moe',
  layers: ['w1', 'w3', 'w2'],
  countField: 'num_local_experts',
  defaults: { rms_norm_eps: 1e-5, rope_theta: 1e6, sliding_window: null },
  readMixture: (fields, depth) => {
    const experts = readCount(fields, 'num_local_experts', 8, depth);
    return {
      experts: Array.from({ length: depth }, () => experts),
      perToken: readPerToken(fields, experts, 2),
      expertChannels: fields.integer('intermediate_size', LIMITS.intermediate),
      ...{ sharedChannels: 0, normalised: true },
    };
  },
});

export const qwen2Moe = mixtureOf({
  kin: {
    ...{ title: 'Qwen2-MoE', modelType: 'qwen2_moe', kvHeads: 16, headDim: 'derived', maxPositions: 32_768 },
    attentionBias: (fields) => ({ queryKeyValue: fields.boolean('qkv_bias', true), attentionOutput: false }),
    ...{ mlpBias: () => false, queryKeyNorm: false, windows: refuseWindows },
  },
  ...{ module: 'mlp', layers: QWEN_LAYERS, countField: 'num_experts', defaults: {} },
  readMixture: (fields, depth) =>
    readQwenMixture(fields, depth, {
      ...{ experts: 60, perToken: 4, channels: 1408 },
      shared: fields.integer('shared_expert_intermediate_size', LIMITS.intermediate, 5632),
    }),
});

export const qwen3Moe = mixtureOf({
  kin: {
    ...{ title: 'Qwen3-MoE', modelType: 'qwen3_moe', kvHeads: 4, headDim: 'derived', maxPositions: 32_768 },
    ...{ attentionBias: statedBias, mlpBias: () => false, queryKeyNorm: true, windows: refuseWindows },
  },
  ...{ module: 'mlp', layers: QWEN_LAYERS, countField: 'num_experts', defaults: {} },
  readMixture: (fields, depth) =>
    readQwenMixture(fields, depth, { experts: 128, perToken: 8, channels: 768, shared: 0 }),
});

export const olmoe = mixtureOf({
  kin: {
    ...{ title: 'OLMoE', modelType: 'olmoe', kvHeads: 'same', headDim: 'derived', maxPositions: 4096 },
    ...{ attentionBias: statedBias, mlpBias: () => false, queryKeyNorm: false, windows: noWindows },
  },
  ...{ module: 'mlp', layers: QWEN_LAYERS, countField: 'num_experts', projectionNorms: true },
  defaults: { rms_norm_eps: 1e-5 },
  readMixture: (fields, depth) => {
    const experts = readCount(fields, 'num_experts', 64, depth);
    return {
      experts: Array.from({ length: depth }, () => experts),
      perToken: readPerToken(fields, experts, 8),
      expertChannels: fields.integer('intermediate_size', LIMITS.intermediate),
      sharedChannels: 0,
      normalised: fields.boolean('norm_topk_prob', false),
    };
  },
});

/**
 * Mixtures of experts on LLaMA's attention (Mixtral, Qwen2-MoE, Qwen3-MoE, OLMoE): a router scores the experts, softmax over all of them, and
 * a token goes through the best few, whose outputs are added up with the router's probabilities as weights. Of experts that score alike
 * the first ones are taken (torch.topk leaves open which). Routers, and the gate of Qwen2-MoE's shared expert, are float32 and not pruned.
 */
function mixtureOf(family: MixtureKin): Family<MixtureConfig> {
  const { defaults, readMixture } = family;
  const base = kinOf(family.kin);
  return {
    ...base,
    read(fields) {
      const known = fields.withDefaults(defaults);
      const config = base.read(known);
      const clip = family.projectionNorms && known.value('clip_qkv') !== undefined;
      return {
        ...config,
        mixture: readMixture(known, config.depth),
        ...(clip && { clip: known.number('clip_qkv', { minimum: Number.MIN_VALUE, maximum: 1e30 }) }),
      };
    },
    sizeFields: (config, shape) => sizeFields(config, shape, family),
    blockFields: (stated, config, kept) => ({
      ...base.blockFields?.(stated, config, kept),
      ...sparseBlocks(config, kept),
    }),

    block(config, index) {
      const layout = base.block(config, index);
      const { experts, heads, kvHeads } = blockShape(config, index);
      const prefix = `model.layers.${index}`;
      const norm = (name: string, size: number): Parameter => parameter(name, `${prefix}.${name}.weight`, [size]);
      const norms = [
        norm('self_attn.q_norm', heads * config.headDim),
        norm('self_attn.k_norm', kvHeads * config.headDim),
      ];
      return {
        ...layout,
        variant: experts === undefined ? layout.variant : `${layout.variant}, ${experts} experts`,
        parameters: [
          ...layout.parameters,
          ...(family.projectionNorms && heads > 0 ? norms : []),
          ...(experts === undefined ? [] : mixtureParameters(config, prefix, experts, family)),
        ],
      };
    },

    writeBlock(config, writer, x) {
      const { experts, heads } = writer.shape;
      // The base's block has no MLP where it has experts.
      const attended = family.projectionNorms
        ? addBranch(writer, x, 'self_attn.o_proj', heads > 0 ? () => attendWithNorms(config, writer, x) : undefined)
        : base.writeBlock(config, writer, x);
      return experts === undefined ? attended : mix(config, writer, attended, experts, family);
    },
  };
}

type Names = Pick<MixtureKin, 'module' | 'layers'>;

/** Where Qwen2-MoE keeps the expert that all tokens go through. */
const SHARED = 'mlp.shared_expert';
const SHARED_LAYERS = QWEN_LAYERS;

function mixtureParameters(
  { hidden, mixture }: MixtureConfig,
  prefix: string,
  experts: number,
  { module, layers }: Names,
): Parameter[] {
  const { expertChannels, sharedChannels } = mixture;
  const mlp = (name: string, [gate, up, down]: Names['layers'], channels: number): Parameter[] => [
    ...linearLayer(prefix, `${name}.${gate}`, [channels, hidden], { biased: false }),
    ...linearLayer(prefix, `${name}.${up}`, [channels, hidden], { biased: false, besides: `${name}.${gate}` }),
    ...linearLayer(prefix, `${name}.${down}`, [hidden, channels], { biased: false }),
  ];
  const router = parameter(`${module}.gate`, `${prefix}.${module}.gate.weight`, [experts, hidden]);
  return [
    parameter('post_attention_layernorm', `${prefix}.post_attention_layernorm.weight`, [hidden]),
    { ...router, routes: true },
    ...Array.from({ length: experts }, (_, expert) =>
      mlp(`${module}.experts.${expert}`, layers, expertChannels).map((layer) => ({ ...layer, expert })),
    ).flat(),
    ...(sharedChannels > 0
      ? [
          ...mlp(SHARED, SHARED_LAYERS, sharedChannels),
          parameter(`${SHARED}_gate`, `${prefix}.${SHARED}_gate.weight`, [1, hidden]),
        ]
      : []),
  ];
}

/** x [rows, hidden], which attention has left, plus what its experts make of it. */
function mix(config: MixtureConfig, writer: BlockWriter, x: Value, experts: number, names: Names): Value {
  const { graph } = writer;
  const { perToken, normalised, sharedChannels } = config.mixture;
  const normed = graph.rmsNorm(x, writer.parameter('post_attention_layernorm'), config.normEpsilon);
  const logits = writer.experts(graph.linear(normed, writer.parameter(`${names.module}.gate`)));
  const probabilities = graph.softmax(logits);
  const chosen = graph.largest(probabilities, Math.min(perToken, experts));
  const kept = graph.mul(probabilities, chosen);
  const weights = normalised ? graph.div(kept, graph.sumOfRow(kept)) : kept;
  const mlp = (name: string, [gate, up, down]: Names['layers'], rows: Value): Value => {
    const opened = activation(config, writer, writer.linear(`${name}.${gate}`, rows));
    return writer.linear(`${name}.${down}`, graph.mul(opened, writer.linear(`${name}.${up}`, rows)));
  };
  let y = x;
  if (sharedChannels > 0) {
    const gate = graph.sigmoid(graph.linear(normed, writer.parameter(`${SHARED}_gate`)));
    y = graph.add(y, graph.mul(mlp(SHARED, SHARED_LAYERS, normed), gate));
  }
  for (let expert = 0; expert < experts; expert++) {
    const column = (of: Value): Value => graph.slice(of, 1, expert, expert + 1);
    const routed = { x: normed, chosen: column(chosen), weights: column(weights) };
    const name = `${names.module}.experts.${expert}`;
    y = writer.addExpert(y, expert, routed, (rows) => mlp(name, names.layers, rows));
  }
  return y;
}

/** OLMoE’s attention, up to its output projection. */
function attendWithNorms(config: MixtureConfig, writer: BlockWriter, x: Value): Value {
  const { graph } = writer;
  const { clip, normEpsilon } = config;
  const normed = graph.rmsNorm(x, writer.parameter('input_layernorm'), normEpsilon);
  const clipped = (value: Value): Value => (clip === undefined ? value : graph.clip(value, clip));
  const project = (name: 'q' | 'k'): Value =>
    clipped(
      graph.rmsNorm(
        writer.linear(`self_attn.${name}_proj`, normed),
        writer.parameter(`self_attn.${name}_norm`),
        normEpsilon,
      ),
    );
  return writer.attention(project('q'), project('k'), clipped(writer.linear('self_attn.v_proj', normed)));
}

/** Far beyond the 512 experts of the widest models and the 23 424 in all of the largest. */
const MAX_EXPERTS = 1024;
const MAX_EXPERTS_OF_MODEL = 65_536;

function readCount(fields: ConfigFields, name: MixtureKin['countField'], fallback: number, depth: number): number {
  return fields.integer(
    name,
    { minimum: 1, maximum: Math.min(MAX_EXPERTS, Math.floor(MAX_EXPERTS_OF_MODEL / depth)) },
    fallback,
  );
}

function readPerToken(fields: ConfigFields, experts: number, fallback: number): number {
  return fields.integer('num_experts_per_tok', { minimum: 1, maximum: experts }, fallback);
}

/** Qwen mixes experts in every `decoder_sparse_step`th block, but for those in `mlp_only_layers`. */
function readQwenMixture(
  fields: ConfigFields,
  depth: number,
  defaults: { readonly experts: number; readonly perToken: number; readonly channels: number; readonly shared: number },
): MixtureConfig['mixture'] {
  const experts = readCount(fields, 'num_experts', defaults.experts, depth);
  const step = fields.integer('decoder_sparse_step', { minimum: 1, maximum: LIMITS.depth.maximum }, 1);
  const plain = fields.value('mlp_only_layers') ?? [];
  const isBlock = (index: unknown): boolean => Number.isInteger(index) && Number(index) >= 0 && Number(index) < depth;
  if (!Array.isArray(plain) || !plain.every(isBlock)) {
    throw fields.wrong('mlp_only_layers', `a list of blocks from 0 to ${depth - 1}`);
  }
  const mixes = (index: number): boolean => !plain.includes(index) && (index + 1) % step === 0;
  return {
    experts: Array.from({ length: depth }, (_, index) => (mixes(index) ? experts : 0)),
    perToken: readPerToken(fields, experts, defaults.perToken),
    expertChannels: fields.integer('moe_intermediate_size', LIMITS.intermediate, defaults.channels),
    sharedChannels: defaults.shared,
    normalised: fields.boolean('norm_topk_prob', false),
  };
}

/** Versions of transformers disagree about which blocks look back over a window; published checkpoints have none. */
function refuseWindows(fields: ConfigFields, depth: number): FamilyConfig['windows'] {
  if (fields.boolean('use_sliding_window', false)) {
    throw fields.wrong('use_sliding_window', 'false', 'Choose a checkpoint without sliding windows.');
  }
  return noWindows(fields, depth);
}

function sizeFields(
  config: MixtureConfig,
  shape: BlockShape,
  { kin, countField, projectionNorms }: MixtureKin,
): JsonFields | undefined {
  const { heads, kvHeads, intermediate, experts } = shape;
  // Blocks without experts alone have channels, where there are such blocks.
  const whole = { heads, kvHeads, intermediate: intermediate === 0 ? config.intermediate : intermediate };
  const fields = kinOf(kin).sizeFields(config, whole);
  // Norms over all heads are those of all heads.
  if (!fields || (projectionNorms && heads !== config.heads)) return undefined;
  return {
    ...fields,
    ...(experts !== undefined && {
      [countField]: experts,
      num_experts_per_tok: Math.min(config.mixture.perToken, experts),
    }),
  };
}

/** Which blocks mix experts, when only the blocks `kept` are left; where all do, nothing has to be said. */
function sparseBlocks({ mixture }: MixtureConfig, kept: readonly number[]): JsonFields {
  if (!mixture.experts.includes(0)) return {};
  return {
    decoder_sparse_step: 1,
    mlp_only_layers: kept.flatMap((block, index) => (mixture.experts[block] === 0 ? [index] : [])),
  };
}
