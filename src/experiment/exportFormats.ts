/** What a pruned model can be written as. */
export const EXPORT_FORMATS = ['huggingface', 'onnx', 'gguf'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** How a Hugging Face folder says what the family has no fields for: for transformers and Espalier, or as DeciLM does, for vLLM as well. */
export const LAYOUTS = ['plain', 'deci'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** What lets vLLM read some models: the flag that asks for its layout. */
export const DECI_FLAG = '--layout deci';
