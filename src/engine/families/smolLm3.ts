import { typedWindows } from './attentionWindows.ts';
import type { FamilyConfig } from './config.ts';
import type { ConfigFields } from './configFields.ts';
import { LIMITS } from './configLimits.ts';
import type { Family } from './family.ts';
import { readGatedConfig, statedBias } from './gatedConfig.ts';
import { gatedDecoder, gatedSizeFields, layerTypeFields } from './gatedDecoder.ts';
import { RMS_NORM } from './norms.ts';

/** SmolLM3 (Hugging Face 2025): LLaMA with blocks that do not turn queries and keys. */
export const smolLm3: Family = {
  title: 'SmolLM3',
  modelType: 'smollm3',
  ...gatedDecoder(() => ({
    norm: RMS_NORM,
    attention: { before: 'input_layernorm' },
    mlp: { before: 'post_attention_layernorm' },
  })),

  read(fields) {
    const config = readGatedConfig(fields, {
      ...{ kvHeads: 4, headDim: 'derived', maxPositions: 32_768, tied: true, rotary: { theta: 2e6 } },
      ...{ attentionBias: statedBias, mlpBias: (of) => of.boolean('mlp_bias', false), windows: readWindows },
    });
    const { positions, depth } = config;
    const rotation = positions.kind === 'rotary' ? positions : null;
    return { ...config, rotations: readTurns(fields, depth).map((turns) => (turns ? rotation : null)) };
  },

  sizeFields: gatedSizeFields,
  blockFields: (stated, config, kept) => ({
    ...layerTypeFields(stated, config, kept),
    ...(kept.length < config.depth && { no_rope_layers: kept.map((index) => Number(turnsIn(config, index))) }),
  }),
  // They give biases to the other projections, too: zeros.
  biasFields: (bias) => ({
    ...(bias.attention_output && { attention_bias: true }),
    ...(bias.mlp_output && { mlp_bias: true }),
  }),
};

function turnsIn({ rotations }: FamilyConfig, index: number): boolean {
  return rotations?.[index] !== null;
}

/** `no_rope_layers` has 1 where a block does turn; absent: all but each `no_rope_layer_interval`-th. */
function readTurns(fields: ConfigFields, depth: number): readonly boolean[] {
  const stated = fields.value('no_rope_layers');
  const interval = fields.integer('no_rope_layer_interval', LIMITS.depth, 4);
  if (stated === undefined) return Array.from({ length: depth }, (_, index) => (index + 1) % interval !== 0);
  const isList = Array.isArray(stated) && stated.length >= depth && stated.every((turns) => turns === 0 || turns === 1);
  if (!isList) throw fields.wrong('no_rope_layers', `a list of at least ${depth}, each 1 or 0`);
  return stated.slice(0, depth).map((turns) => turns === 1);
}

/** A window only with `use_sliding_window`, and then where nothing is turned unless `layer_types` says where. */
function readWindows(fields: ConfigFields, depth: number): FamilyConfig['windows'] {
  const turns = readTurns(fields, depth);
  return typedWindows(fields, depth, fields.boolean('use_sliding_window', false), (index) => !turns[index]!);
}
