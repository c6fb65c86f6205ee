import { EspalierError } from '../../base/errors.ts';
import type { ModelMask } from '../../experiment/components.ts';
import { type BlockShape, hasMlpOutputBias, type ModelConfig } from '../checkpoint/config.ts';
import { ESPALIER_FORMAT, ESPALIER_KEY } from '../checkpoint/configBlocks.ts';
import { parseConfig } from '../checkpoint/readConfig.ts';
import { removedShapes } from '../structure/removedConfig.ts';

type Values = Readonly<Record<string, unknown>>;

/** A checkpoint's config.json after components were removed. */
export interface PrunedConfig {
  readonly values: Values;
  /** What {@link values} mean, read like every config.json. */
  readonly config: ModelConfig;
  /** Index in the dense model of each block that is left. */
  readonly kept: readonly number[];
}

/**
 * config.json of the model that a mask leaves. Where all blocks come out alike it is one that the family has anyway, which any other
 * program reads; sizes that differ from block to block, and biases that the family has no field for, stand under {@link ESPALIER_KEY}.
 *
 * @param values config.json of the dense model
 * @param compensated whether the output projections get a bias for what was removed
 * @throws EspalierError `settings/invalid` where no block is left
 */
export function prunedConfig(values: Values, config: ModelConfig, mask: ModelMask, compensated: boolean): PrunedConfig {
  const { kept, shapes } = removedShapes(config, mask);
  if (kept.length === 0) throw nothingLeft(mask.length);
  const even = isEven(config, shapes);
  const dense = Object.fromEntries(Object.entries(values).filter(([name]) => name !== ESPALIER_KEY));
  const plain: Values = {
    ...dense,
    num_hidden_layers: kept.length,
    ...windowFields(values, config, kept),
    ...(even && sizeFields(config, shapes[0]!)),
    ...(even && compensated && config.architecture === 'LlamaForCausalLM' && { attention_bias: true, mlp_bias: true }),
  };
  const key = keyOf(parseConfig(plain, FILE), config, compensated, even ? undefined : shapes);
  const written = key ? { ...plain, [ESPALIER_KEY]: { format: ESPALIER_FORMAT, ...key } } : plain;
  return { values: written, config: parseConfig(written, FILE), kept };
}

/** Named in errors alone, which would be defects of ours. */
const FILE = 'config.json';

/** Whether the family's own fields can say it: one shape for all, and nothing gone altogether. OPT derives the size of its heads. */
function isEven(config: ModelConfig, shapes: readonly BlockShape[]): boolean {
  const [first] = shapes as readonly [BlockShape];
  const alike = shapes.every(
    ({ kvHeads, intermediate }) => kvHeads === first.kvHeads && intermediate === first.intermediate,
  );
  const hasHeads = config.architecture === 'OPTForCausalLM' ? first.heads === config.heads : first.heads > 0;
  return alike && hasHeads && first.intermediate > 0;
}

function sizeFields(config: ModelConfig, { heads, kvHeads, intermediate }: BlockShape): Values {
  if (config.architecture === 'OPTForCausalLM') return { ffn_dim: intermediate };
  return {
    intermediate_size: intermediate,
    // hidden_size / num_attention_heads is no longer the size of a head, and some families have defaults of their own.
    ...(heads !== config.heads && {
      num_attention_heads: heads,
      num_key_value_heads: kvHeads,
      head_dim: config.headDim,
    }),
  };
}

/** Which blocks have a window is said block by block, or by where the windows begin. */
function windowFields(values: Values, config: ModelConfig, kept: readonly number[]): Values {
  const types = values['layer_types'];
  if (Array.isArray(types)) return { layer_types: kept.map((index) => types[index] as unknown) };
  const begin = config.windows.findIndex((window) => window !== undefined);
  const qwen = config.architecture === 'Qwen2ForCausalLM' || config.architecture === 'Qwen3ForCausalLM';
  return qwen && begin >= 0 ? { max_window_layers: kept.filter((index) => index < begin).length } : {};
}

/** What the family's fields leave unsaid; undefined where nothing. */
function keyOf(
  plain: ModelConfig,
  before: ModelConfig,
  compensated: boolean,
  shapes: readonly BlockShape[] | undefined,
): Values | undefined {
  const attention = before.bias.attentionOutput || compensated;
  const mlp = hasMlpOutputBias(before) || compensated;
  const biased = attention !== plain.bias.attentionOutput || mlp !== hasMlpOutputBias(plain);
  if (!shapes && !biased) return undefined;
  const block = ({ heads, kvHeads, intermediate }: BlockShape): Values => ({ heads, kv_heads: kvHeads, intermediate });
  return {
    ...(shapes && { blocks: shapes.map(block) }),
    ...(biased && { bias: { attention_output: attention, mlp_output: mlp } }),
  };
}

function nothingLeft(blocks: number): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'exporting the pruned model',
    expected: 'a block that is left',
    actual: `all ${blocks} dropped`,
    remedy: 'Prune less.',
  });
}
