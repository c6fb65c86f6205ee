import { noWindows, patternWindows } from './attentionWindows.ts';
import type { FamilyConfig, Scaling } from './config.ts';
import type { ConfigFields } from './configFields.ts';
import type { Family } from './family.ts';
import { type GatedDefaults, readGatedConfig, statedBias } from './gatedConfig.ts';
import { channelSizeFields, gatedDecoder, gatedSizeFields, layerTypeFields, layerTypeNote } from './gatedDecoder.ts';
import { LAYER_NORM_UNBIASED } from './norms.ts';
import { HEAD_ROWS_NORM } from './queryKeyNorms.ts';

interface CohereConfig extends FamilyConfig {
  /** `use_qk_norm`: each head of queries and keys has a norm of its own. */
  readonly queryKeyNorm: boolean;
}

const DEFAULTS = {
  kvHeads: 'same',
  maxPositions: 8192,
  epsilon: { field: 'layer_norm_eps', fallback: 1e-5 },
  rotary: { interleaved: true },
  tied: true,
  attentionBias: statedBias,
  mlpBias: () => false,
} as const satisfies Partial<GatedDefaults>;

/** Command R (Cohere 2024). */
export const cohere = kinOf({
  title: 'Cohere (Command R)',
  modelType: 'cohere',
  sizeFields: gatedSizeFields,
  read(fields) {
    if (fields.value('rope_theta') === undefined && fields.object('rope_parameters')?.value('rope_theta') === undefined)
      throw fields.wrong('rope_theta', 'there: transformers 4 takes 10 000 without it, transformers 5 500 000');
    const config = readGatedConfig(fields, { ...DEFAULTS, headDim: 'derived', windows: noWindows });
    return { ...config, logits: logitScale(fields), queryKeyNorm: fields.boolean('use_qk_norm', false) };
  },
});

/** Command R7B and A (Cohere 2025): blocks with a window, which turn queries and keys, and every fourth without both. */
export const cohere2 = kinOf({
  title: 'Cohere 2 (Command R7B, Command A)',
  modelType: 'cohere2',
  sizeFields: channelSizeFields,
  blockFields: layerTypeFields,
  exportNote: (config) => layerTypeNote(config, 4),
  read(fields) {
    const pattern = fields.integer('sliding_window_pattern', { minimum: 1, maximum: 4096 }, 4);
    const config = readGatedConfig(fields, {
      ...DEFAULTS,
      headDim: 'hidden / heads',
      windows: (of, depth) => patternWindows(of, depth, pattern),
    });
    const rotation = config.positions.kind === 'rotary' ? config.positions : null;
    return {
      ...config,
      logits: logitScale(fields),
      queryKeyNorm: false,
      rotations: config.windows.map((window) => (window === undefined ? null : rotation)),
    };
  },
});

/** Layer norms without biases, attention and MLP side by side behind one norm, and rotation of neighbours. */
function kinOf(
  kin: Pick<Family<CohereConfig>, 'title' | 'modelType' | 'read' | 'sizeFields' | 'blockFields' | 'exportNote'>,
): Family<CohereConfig> {
  return {
    ...kin,
    ...gatedDecoder<CohereConfig>(({ queryKeyNorm }) => ({
      norm: LAYER_NORM_UNBIASED,
      attention: { before: 'input_layernorm' },
      mlp: { before: 'input_layernorm' },
      parallel: true,
      queryKeyNorm: queryKeyNorm ? HEAD_ROWS_NORM : undefined,
    })),
    // It gives biases to queries, keys and values, too: zeros.
    biasFields: ({ attention_output }) => (attention_output ? { attention_bias: true } : {}),
  };
}

function logitScale(fields: ConfigFields): Scaling {
  return { scale: fields.number('logit_scale', { minimum: 1e-6, maximum: 1e6 }, 0.0625) };
}
