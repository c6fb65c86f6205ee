import type { JsonFields } from '../families/family.ts';

/** A config.json, or the part of one that says what its language model is. */
export interface TextPart {
  /** As a language model alone would have them. */
  readonly values: JsonFields;
  /** Of a model of several kinds: what it is called. Its other parts are {@link OTHER_PARTS}. */
  readonly partOf?: string;
}

/**
 * Models of images and text whose language part is a model of a family, reached through `language_model`: a text without images runs through
 * that part alone (transformers, the `forward` of each). Where images change what text computes with (cross-attention, positions of images), a
 * model is not among these.
 */
const WRAPPERS: readonly string[] = [
  'LlavaForConditionalGeneration',
  'LlavaNextForConditionalGeneration',
  'LlavaOnevisionForConditionalGeneration',
  'VipLlavaForConditionalGeneration',
  'Mistral3ForConditionalGeneration',
  'InternVLForConditionalGeneration',
  'Gemma3ForConditionalGeneration',
];

/** Tensors of what is not language, as they are called in those models. */
export const OTHER_PARTS = /^(model\.)?((vision_tower|vision_model|multi_modal_projector)\.|image_newline$)/;

/** Architectures of the language parts, and the sizes that transformers gives to absent fields: these configurations leave out what is default. */
const PARTS: Readonly<Record<string, { readonly architecture: string; readonly sizes: JsonFields }>> = {
  llama: { architecture: 'LlamaForCausalLM', sizes: sizesOf(11_008, 32_000) },
  mistral: { architecture: 'MistralForCausalLM', sizes: sizesOf(14_336, 32_000) },
  qwen2: { architecture: 'Qwen2ForCausalLM', sizes: sizesOf(22_016, 151_936) },
  qwen3: { architecture: 'Qwen3ForCausalLM', sizes: sizesOf(22_016, 151_936) },
  gemma3_text: { architecture: 'Gemma3ForCausalLM', sizes: {} },
};

/** The language part of what a config.json describes: all of it, or its `text_config`. Pure; what is malformed is told by who reads the fields. */
export function textPart(values: JsonFields): TextPart {
  const [architecture, ...others] = asList(values['architectures']);
  const text = values['text_config'];
  if (typeof architecture !== 'string' || others.length > 0 || !WRAPPERS.includes(architecture)) return { values };
  if (typeof text !== 'object' || text === null || Array.isArray(text)) return { values };
  const fields = text as JsonFields;
  const type = fields['model_type'];
  const part = typeof type === 'string' && Object.hasOwn(PARTS, type) ? PARTS[type] : undefined;
  if (!part) return { values };
  const outside = Object.fromEntries(SHARED.filter((name) => name in values).map((name) => [name, values[name]]));
  return {
    values: { ...part.sizes, ...outside, ...fields, architectures: [part.architecture] },
    partOf: architecture,
  };
}

/** Fields that may stand outside of `text_config` and hold for it. */
const SHARED = ['tie_word_embeddings', 'torch_dtype', 'dtype', 'quantization_config'] as const;

function sizesOf(intermediate: number, vocabulary: number): JsonFields {
  return {
    hidden_size: 4096,
    intermediate_size: intermediate,
    num_attention_heads: 32,
    num_hidden_layers: 32,
    vocab_size: vocabulary,
  };
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
