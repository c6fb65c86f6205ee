/** What a pruned model can be written as. */
export const EXPORT_FORMATS = ['huggingface', 'onnx', 'gguf'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
