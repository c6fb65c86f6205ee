import { bloom } from './bloom.ts';
import type { FamilyConfig } from './config.ts';
import { falcon } from './falcon.ts';
import { type Family, layerType, type Parameter } from './family.ts';
import { gpt2 } from './gpt2.ts';
import { cohere, cohere2 } from './cohere.ts';
import { gemma, gemma2, gemma3 } from './gemma.ts';
import { gptNeoX } from './gptNeoX.ts';
import { granite } from './granite.ts';
import { llama, mistral, qwen2, qwen3 } from './llama.ts';
import { olmo2 } from './olmo2.ts';
import { mixtral, olmoe, qwen2Moe, qwen3Moe } from './mixtures.ts';
import { opt } from './opt.ts';
import { phi3 } from './phi3.ts';
import { smolLm3 } from './smolLm3.ts';
import { stableLm } from './stableLm.ts';

/** Every architecture that config.json may name. A new family is its file, and its row here. */
const FAMILIES = {
  LlamaForCausalLM: llama,
  MistralForCausalLM: mistral,
  Qwen2ForCausalLM: qwen2,
  Qwen3ForCausalLM: qwen3,
  OPTForCausalLM: opt,
  GPTNeoXForCausalLM: gptNeoX,
  Phi3ForCausalLM: phi3,
  GPT2LMHeadModel: gpt2,
  BloomForCausalLM: bloom,
  FalconForCausalLM: falcon,
  GemmaForCausalLM: gemma,
  Gemma2ForCausalLM: gemma2,
  Gemma3ForCausalLM: gemma3,
  Olmo2ForCausalLM: olmo2,
  GraniteForCausalLM: granite,
  StableLmForCausalLM: stableLm,
  SmolLM3ForCausalLM: smolLm3,
  CohereForCausalLM: cohere,
  Cohere2ForCausalLM: cohere2,
  MixtralForCausalLM: mixtral,
  Qwen2MoeForCausalLM: qwen2Moe,
  Qwen3MoeForCausalLM: qwen3Moe,
  OlmoeForCausalLM: olmoe,
} satisfies Readonly<Record<string, Family>>;

export type ArchitectureName = keyof typeof FAMILIES;

export const ARCHITECTURES = Object.keys(FAMILIES) as readonly ArchitectureName[];

/** A checkpoint's configuration. */
export interface ModelConfig extends FamilyConfig {
  readonly architecture: ArchitectureName;
}

export function familyOf({ architecture }: Pick<ModelConfig, 'architecture'>): Family {
  return FAMILIES[architecture];
}

/** Types of the linear layers in the blocks, in their order. */
export function layerTypes(config: ModelConfig): readonly string[] {
  const family = familyOf(config);
  const blocks = config.windows.flatMap((_, index) => family.block(config, index).parameters);
  return [...new Set(blocks.filter(({ linear }) => linear).map(layerType))];
}

/** Every tensor that the model is made of. */
export function allParameters(config: ModelConfig): Parameter[] {
  const family = familyOf(config);
  const { table, positions, projection, norm } = family.embedding(config);
  const head = family.head(config);
  const blocks = config.windows.flatMap((_, index) => family.block(config, index).parameters);
  const extra = [positions?.parameter, projection, norm?.weight, norm?.bias].filter(
    (parameter) => parameter !== undefined,
  );
  const weight = head.weight.tensor === table.tensor ? [] : [head.weight];
  return [table, ...extra, ...blocks, ...head.parameters, ...weight];
}
