import type { ExportFormat } from '../../../experiment/exportFormats.ts';
import type { FormatVerdict, Reader, ReaderVerdict } from '../../../experiment/readersSchema.ts';
import type { WrittenConfig } from '../writtenConfig.ts';
import { ggufReadable } from '../gguf/readable.ts';
import { espalierReadable, transformersReadable, vllmReadable } from './huggingfaceReadable.ts';
import { onnxruntimeReadable, transformersJsReadable } from '../onnx/readable.ts';

/** One reader of one format, and its rules: in the order in which they are told. */
interface ReaderRow {
  readonly reader: Reader;
  readonly format: ExportFormat;
  readonly rule: (written: WrittenConfig) => FormatVerdict;
}

const ROWS: readonly ReaderRow[] = [
  { reader: 'Espalier', format: 'huggingface', rule: espalierReadable },
  { reader: 'transformers', format: 'huggingface', rule: transformersReadable },
  { reader: 'vLLM', format: 'huggingface', rule: vllmReadable },
  { reader: 'llama.cpp', format: 'gguf', rule: ({ config }) => ggufReadable(config) },
  { reader: 'onnxruntime', format: 'onnx', rule: ({ config }) => onnxruntimeReadable(config) },
  { reader: 'transformers.js', format: 'onnx', rule: ({ config }) => transformersJsReadable(config) },
];

/**
 * Who can read a pruned model, in whichever format. Pure: config.json decides, and what it means; nothing is read of the weights.
 *
 * @param written config.json of the pruned model as a Hugging Face folder would have it
 */
export function readersOf(written: WrittenConfig): readonly ReaderVerdict[] {
  return ROWS.map(({ reader, format, rule }) => ({ reader, format, ...rule(written) }));
}
