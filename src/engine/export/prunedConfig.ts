import { EspalierError } from '../../base/errors.ts';
import type { ModelMask } from '../../experiment/structureSchema.ts';
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
 * program reads. Sizes that differ from block to block, and biases that the family has no field for, stand under {@link ESPALIER_KEY}; the
 * family's fields then keep the sizes from before, so that a program which does not know the key refuses the weights: without their biases they
 * would compute something else.
 *
 * @param values config.json of the dense model
 * @param compensated whether the output projections get a bias for what was removed
 * @throws EspalierError `settings/invalid` where no block is left
 */
export function prunedConfig(values: Values, config: ModelConfig, mask: ModelMask, compensated: boolean): PrunedConfig {
  const { kept, shapes } = removedShapes(config, mask);
  if (kept.length === 0) throw nothingLeft(mask.length);
  const dense = Object.fromEntries(Object.entries(values).filter(([name]) => name !== ESPALIER_KEY));
  const fields: Values = { ...dense, num_hidden_layers: kept.length, ...windowFields(values, config, kept) };
  const bias = {
    attention_output: config.bias.attentionOutput || compensated,
    mlp_output: hasMlpOutputBias(config) || compensated,
  };
  if (isEven(config, shapes)) {
    const plain = { ...fields, ...sizeFields(config, shapes[0]!), ...biasFields(config, bias) };
    const read = parseConfig(plain, FILE);
    if (saysBias(read, bias)) return { values: plain, config: read, kept };
  }
  const blocks = shapes.map(({ heads, kvHeads, intermediate }) => ({ heads, kv_heads: kvHeads, intermediate }));
  const key = { format: ESPALIER_FORMAT, blocks, ...(!saysBias(parseConfig(fields, FILE), bias) && { bias }) };
  const written = { ...fields, [ESPALIER_KEY]: key };
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

/** Which output projections have a bias, as the key has it. */
type OutputBias = Readonly<Record<'attention_output' | 'mlp_output', boolean>>;

/** LLaMA alone has fields for them, which also give biases to the other projections: zeros. */
function biasFields({ architecture }: ModelConfig, bias: OutputBias): Values {
  if (architecture !== 'LlamaForCausalLM') return {};
  return { ...(bias.attention_output && { attention_bias: true }), ...(bias.mlp_output && { mlp_bias: true }) };
}

function saysBias(read: ModelConfig, bias: OutputBias): boolean {
  return read.bias.attentionOutput === bias.attention_output && hasMlpOutputBias(read) === bias.mlp_output;
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
