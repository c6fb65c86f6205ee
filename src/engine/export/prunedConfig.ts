import { EspalierError } from '../../base/errors.ts';
import type { Layout } from '../../experiment/exportFormats.ts';
import type { ModelMask } from '../../experiment/structureSchema.ts';
import { type BlockShape, hasMlpOutputBias } from '../families/config.ts';
import { familyOf, type ModelConfig } from '../families/families.ts';
import type { Family, JsonFields, OutputBias } from '../families/family.ts';
import { ESPALIER_FORMAT, ESPALIER_KEY } from '../checkpoint/configBlocks.ts';
import { parseConfig } from '../checkpoint/readConfig.ts';
import { removedShapes } from '../structure/removedConfig.ts';
import { familyFields, layoutFields, whyNotDeci, whyNotModelled } from './huggingface/layouts.ts';

/** A checkpoint's config.json after components were removed. */
export interface PrunedConfig {
  readonly values: JsonFields;
  /** What {@link values} mean, read like every config.json. */
  readonly config: ModelConfig;
  /** Index in the dense model of each block that is left. */
  readonly kept: readonly number[];
}

/**
 * config.json of the model that a mask leaves. Where all blocks come out alike it is one that the family has anyway, which any other
 * program reads. Sizes that differ from block to block, and biases that the family has no field for, stand under {@link ESPALIER_KEY}, in a layout
 * that others read where there is one for the family; else the family's fields keep the sizes from before, so that a program which does not know the
 * key refuses the weights: without their biases they would compute something else.
 *
 * @param values config.json of the dense model
 * @param compensated whether the output projections get a bias for what was removed
 * @throws EspalierError `settings/invalid` where no block is left, or the layout cannot have the model
 */
export function prunedConfig(
  values: JsonFields,
  config: ModelConfig,
  mask: ModelMask,
  compensated: boolean,
  layout: Layout = 'plain',
): PrunedConfig {
  const { kept, shapes } = removedShapes(config, mask);
  if (kept.length === 0) throw nothingLeft(mask.length);
  const family = familyOf(config);
  const dense = familyFields(values, config);
  const fields: JsonFields = {
    ...dense,
    ...depthFields(values, family, kept.length),
    ...family.blockFields?.(values, config, kept),
  };
  const bias = {
    attention_output: config.bias.attentionOutput || compensated,
    mlp_output: hasMlpOutputBias(config) || compensated,
  };
  const common = layout === 'plain' ? commonShape(shapes) : undefined;
  const sizes = common && family.sizeFields(config, common);
  if (sizes) {
    const plain = { ...fields, ...sizes, ...family.biasFields?.(bias) };
    const read = parseConfig(plain, FILE);
    if (saysBias(read, bias)) return { values: plain, config: read, kept };
  }
  const blocks = shapes.map(({ heads, kvHeads, intermediate, experts, groups, place }) => ({
    ...{ heads, kv_heads: kvHeads, intermediate },
    ...(experts !== undefined && { experts }),
    ...(groups && { groups }),
    ...(place !== undefined && { place }),
  }));
  const key = { format: ESPALIER_FORMAT, blocks, ...(!saysBias(parseConfig(fields, FILE), bias) && { bias }) };
  const ofFamily = { ...fields, [ESPALIER_KEY]: key };
  const pruned = parseConfig(ofFamily, FILE);
  const written = inLayout(ofFamily, pruned, layout);
  return { values: written, config: written === ofFamily ? pruned : parseConfig(written, FILE), kept };
}

/**
 * The same in a layout that others read, where that can have the model.
 *
 * @param values with our key beside the family's fields
 */
function inLayout(values: JsonFields, config: ModelConfig, layout: Layout): JsonFields {
  if (layout === 'plain')
    return whyNotModelled(config) === undefined ? { ...values, ...layoutFields(values, config, layout) } : values;
  const why = whyNotDeci(config);
  if (why !== undefined) throw notInLayout(layout, why);
  // DeciLM's MLP has biases everywhere, or nowhere.
  const { bias } = config;
  const mlp = hasMlpOutputBias(config);
  return { ...values, ...layoutFields(values, { ...config, bias: { ...bias, mlp, mlpOutput: mlp } }, layout) };
}

function notInLayout(layout: Layout, why: string): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: `writing config.json in the layout ${layout}`,
    expected: 'a model that it can have',
    actual: why,
    remedy: 'Choose the layout plain, or round the sizes for vllm.',
  });
}

/** Named in errors alone, which would be defects of ours. */
const FILE = 'config.json';

/** What all blocks have, as far as each has it: of those without experts the channels, of the others the experts. Undefined where that does not say all. */
function commonShape(shapes: readonly BlockShape[]): BlockShape | undefined {
  const mixing = shapes.filter(({ experts }) => experts !== undefined);
  const plain = shapes.filter(({ experts }) => experts === undefined);
  const isSame = (values: readonly (number | undefined)[]): boolean => new Set(values).size <= 1;
  const alike =
    shapes.every(({ groups, place }) => !groups && place === undefined) &&
    isSame(shapes.map(({ kvHeads }) => kvHeads)) &&
    isSame(plain.map(({ intermediate }) => intermediate)) &&
    isSame(mixing.map(({ experts }) => experts));
  if (!alike) return undefined;
  return { ...(plain[0] ?? mixing[0]!), ...(mixing[0]?.experts !== undefined && { experts: mixing[0].experts }) };
}

/** The number of blocks under every name that the file has for it. */
function depthFields(stated: JsonFields, { depthNames = ['num_hidden_layers'] }: Family, depth: number): JsonFields {
  const names = depthNames.filter((name) => name in stated);
  return Object.fromEntries((names.length > 0 ? names : depthNames.slice(0, 1)).map((name) => [name, depth]));
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
