import type { RoundTarget } from '../../experiment/roundTargets.ts';
import type { ModelConfig } from '../families/families.ts';
import type { SizeRule } from './roundSizes.ts';

/** What each target accepts of a model; undefined where it takes any sizes. */
const RULES: Readonly<Record<RoundTarget, (config: ModelConfig) => Omit<SizeRule, 'name'> | undefined>> = {
  transformers: (config) => {
    const acceptsGroups = dividesHidden(config);
    return acceptsGroups && { acceptsGroups, channelStep: 1, alike: 'nothing' };
  },
  // DeciLM has one number of heads, and no norms of queries and keys; a plain folder has sizes that are alike.
  vllm: (config) => ({
    acceptsGroups: dividesHidden(config) ?? (() => true),
    channelStep: 1,
    alike: isDeciKin(config) ? 'groups' : 'groups and channels',
  }),
  // Of those with norms of queries and keys its openelm takes any sizes, where the head is the embedding.
  'llama.cpp': (config) =>
    config.architecture === 'Qwen3ForCausalLM' && !config.tiedEmbeddings
      ? { acceptsGroups: () => true, channelStep: 1, alike: 'groups and channels' }
      : undefined,
  q8_0: (config) => multiplesOf(32, config),
  'k-quants': (config) => multiplesOf(256, config),
  'tensor-cores': (config) => multiplesOf(64, config),
};

/** The rule of a target for a model. */
export function sizeRule(target: RoundTarget | 'nothing', config: ModelConfig): SizeRule | undefined {
  if (target === 'nothing') return undefined;
  const rule = RULES[target](config);
  return rule && { name: target, ...rule };
}

/** transformers 5 checks of a LLaMA that hidden_size is a multiple of the number of heads. */
function dividesHidden({
  architecture,
  hidden,
  heads,
  kvHeads,
}: ModelConfig): ((groups: number) => boolean) | undefined {
  if (architecture !== 'LlamaForCausalLM') return undefined;
  return (groups) => hidden % (groups * (heads / kvHeads)) === 0;
}

function isDeciKin({ architecture, windows }: ModelConfig): boolean {
  const isKnown = ['LlamaForCausalLM', 'MistralForCausalLM', 'Qwen2ForCausalLM'].includes(architecture);
  return isKnown && windows.every((window) => window === undefined);
}

/** Rows of matrices whose columns are heads' features, or channels, fall into whole blocks of so many weights. */
function multiplesOf(step: number, { heads, kvHeads, headDim }: ModelConfig): Omit<SizeRule, 'name'> {
  return {
    acceptsGroups: (groups) => (groups * (heads / kvHeads) * headDim) % step === 0,
    channelStep: step,
    alike: 'nothing',
  };
}
