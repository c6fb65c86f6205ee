import { hasMlpOutputBias } from '../families/config.ts';
import { familyOf, type ModelConfig } from '../families/families.ts';
import { type BlockLayout, couplings, type JsonFields, type Parts } from '../families/family.ts';
import { ESPALIER_FORMAT } from './configBlocks.ts';
import type { TensorEntry } from './safetensors.ts';

type Shapes = ReadonlyMap<string, Pick<TensorEntry, 'shape'>>;

export interface RemovedLayout {
  /** What there is of it, in words. */
  readonly what: string;
  /** The value of Espalier's key in config.json that says it. */
  readonly key: JsonFields;
  /** Whether every block has the same heads, fewer than the model: they may also be as many smaller ones. */
  readonly headsAlike: boolean;
}

/**
 * What config.json has to say where the weights are those of a model that heads and channels were removed from by another program,
 * which left config.json as it was: FLAP's biases of the output projections, the sizes of each block of FLAP and LLM-Pruner. Undefined where
 * they are something else.
 */
export function removedLayout(tensors: Shapes, config: ModelConfig): RemovedLayout | undefined {
  const whole = { ...config, blocks: undefined };
  const layouts = config.windows.map((_, index) => familyOf(config).block(whole, index));
  const shapes = layouts.map((layout) => shapeOf(tensors, config, layout));
  if (!shapes.every((shape) => shape !== undefined)) return undefined;
  const blocks = shapes.some((shape) => shape.kvHeads < config.kvHeads || shape.intermediate < config.intermediate)
    ? shapes.map(({ heads, kvHeads, intermediate }) => ({ heads, kv_heads: kvHeads, intermediate }))
    : undefined;
  const bias = biasOf(tensors, config, layouts);
  if (!bias || (!blocks && !bias.differs)) return undefined;
  const { attention_output, mlp_output } = bias;
  const key = {
    format: ESPALIER_FORMAT,
    ...(blocks && { blocks }),
    ...(bias.differs && { bias: { attention_output, mlp_output } }),
  };
  const what = [
    ...(blocks ? ['fewer heads or channels in some blocks (FLAP, LLM-Pruner)'] : []),
    ...(bias.differs ? ['biases of the output projections (FLAP)'] : []),
  ];
  const [first] = shapes;
  const headsAlike = first!.kvHeads < config.kvHeads && shapes.every(({ kvHeads }) => kvHeads === first!.kvHeads);
  return { what: what.join(' and '), key, headsAlike };
}

/** What is left of a block: the parts that its tensors have, undefined where they are not of one mind or no whole ones. */
function shapeOf(tensors: Shapes, { heads, kvHeads, intermediate }: ModelConfig, layout: BlockLayout) {
  const whole = { groups: kvHeads, channels: intermediate };
  const found = { groups: new Set<number | undefined>(), channels: new Set<number | undefined>() };
  for (const { tensor, shape, linear, parts, transposed } of couplings(layout)) {
    const extent = tensors.get(tensor)?.shape[transposed ? 1 - parts.axis : parts.axis];
    if (linear) found[parts.of].add(extent && (extent * whole[parts.of]) / shape[parts.axis]!);
  }
  const kept = (of: Parts['of']): number | undefined => {
    const [count, ...others] = found[of];
    return count !== undefined && others.length === 0 && Number.isInteger(count) && count <= whole[of]
      ? count
      : undefined;
  };
  const [groups, channels] = [kept('groups'), kept('channels')];
  if (groups === undefined || channels === undefined) return undefined;
  return { heads: groups * (heads / kvHeads), kvHeads: groups, intermediate: channels };
}

/** Which output projections have a bias; undefined where that is not what removal leaves. */
function biasOf(tensors: Shapes, config: ModelConfig, layouts: readonly BlockLayout[]) {
  const inBlocks = (of: Parts['of']): boolean | undefined => {
    const each = layouts.map((layout) =>
      couplings(layout)
        .filter(({ parts }) => parts.of === of && parts.axis === 1)
        .some(({ tensor }) => tensors.has(tensor.replace(/weight$/, 'bias'))),
    );
    return each.every((has) => has === each[0]) ? each[0]! : undefined;
  };
  const [attention_output, mlp_output] = [inBlocks('groups'), inBlocks('channels')];
  if (attention_output === undefined || mlp_output === undefined) return undefined;
  const [attentionBefore, mlpBefore] = [config.bias.attentionOutput, hasMlpOutputBias(config)];
  // Removal adds biases and takes none away.
  if ((attentionBefore && !attention_output) || (mlpBefore && !mlp_output)) return undefined;
  return { attention_output, mlp_output, differs: attention_output !== attentionBefore || mlp_output !== mlpBefore };
}
