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
  'Qwen2VLForConditionalGeneration',
  'Qwen2_5_VLForConditionalGeneration',
  'Qwen3VLForConditionalGeneration',
];

/** Tensors of what is not language, as they are called in those models. */
export const OTHER_PARTS = /^(model\.)?((vision_tower|vision_model|multi_modal_projector|visual)\.|image_newline$)/;

interface Part {
  readonly architecture: string;
  /** `model_type` of the family, where the part has one of its own. */
  readonly type?: string;
  readonly sizes: JsonFields;
}

/** Architectures of the language parts, and the sizes that transformers gives to absent fields: these configurations leave out what is default. */
const PARTS: Readonly<Record<string, Part>> = {
  llama: { architecture: 'LlamaForCausalLM', sizes: sizesOf(11_008, 32_000) },
  mistral: { architecture: 'MistralForCausalLM', sizes: sizesOf(14_336, 32_000) },
  qwen2: { architecture: 'Qwen2ForCausalLM', sizes: sizesOf(22_016, 151_936) },
  qwen3: { architecture: 'Qwen3ForCausalLM', sizes: sizesOf(22_016, 151_936) },
  gemma3_text: {
    architecture: 'Gemma3ForCausalLM',
    sizes: {
      hidden_size: 2304,
      intermediate_size: 9216,
      num_attention_heads: 8,
      num_hidden_layers: 26,
      vocab_size: 262_208,
    },
  },
  // Positions are three numbers, which are one where there are no images.
  qwen2_vl_text: { architecture: 'Qwen2ForCausalLM', type: 'qwen2', sizes: {} },
  qwen2_5_vl_text: { architecture: 'Qwen2ForCausalLM', type: 'qwen2', sizes: {} },
  qwen3_vl_text: { architecture: 'Qwen3ForCausalLM', type: 'qwen3', sizes: {} },
};

/** The language part of what a config.json describes: all of it, or its `text_config`. Pure; what is malformed is told by who reads the fields. */
export function textPart(values: JsonFields): TextPart {
  const [architecture, ...others] = asList(values['architectures']);
  const text = values['text_config'] ?? flatText(values);
  if (typeof architecture !== 'string' || others.length > 0 || !WRAPPERS.includes(architecture)) return { values };
  if (typeof text !== 'object' || Array.isArray(text)) return { values };
  const fields = text as JsonFields;
  const type = fields['model_type'];
  const part = typeof type === 'string' && Object.hasOwn(PARTS, type) ? PARTS[type] : undefined;
  if (!part) return { values };
  const outside = Object.fromEntries(SHARED.filter((name) => name in values).map((name) => [name, values[name]]));
  return {
    values: {
      ...{ ...part.sizes, ...outside, ...fields, architectures: [part.architecture] },
      ...(part.type !== undefined && { model_type: part.type, ...withoutSections(fields) }),
    },
    partOf: architecture,
  };
}

/** Before there was a `text_config` in Qwen's, the fields of the language part stood beside `vision_config`. */
function flatText(values: JsonFields): JsonFields | undefined {
  const type = values['model_type'];
  if (type !== 'qwen2_vl' && type !== 'qwen2_5_vl') return undefined;
  const fields = Object.entries(values).filter(([name]) => name !== 'vision_config');
  return { ...Object.fromEntries(fields), model_type: `${type}_text` };
}

/** Rotary positions without what divides them among the three numbers. */
function withoutSections(fields: JsonFields): JsonFields {
  return Object.fromEntries(
    ['rope_scaling', 'rope_parameters'].flatMap((name) => {
      const rope = fields[name];
      if (typeof rope !== 'object' || rope === null || Array.isArray(rope)) return [];
      const kept = Object.entries(rope).filter(
        ([key, value]) => !['mrope_section', 'mrope_interleaved'].includes(key) && value !== 'mrope',
      );
      return [[name, Object.fromEntries(kept)]];
    }),
  );
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
