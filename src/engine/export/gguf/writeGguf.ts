import { EspalierError } from '../../../base/errors.ts';
import type { GgufWeights } from '../../../experiment/ggufTypes.ts';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import type { ElementType } from '../../checkpoint/elementTypes.ts';
import type { ModelConfig } from '../../families/families.ts';
import { requireFloat16 } from '../float16Range.ts';
import type { GgmlType } from './elements.ts';
import { ggufVocabulary } from './ggufVocabulary.ts';
import { GgufWriter } from './ggufWriter.ts';
import { modelMetadata } from './modelMetadata.ts';
import { modelTensors, type PlannedTensor } from './modelTensors.ts';
import { type GgufForm, ggufForm } from './readable.ts';
import { toPairs } from './rotationOrder.ts';
import type { GgufVocabulary } from './vocabularyMetadata.ts';

export const GGUF_FILE = 'model.gguf';

const GGML_TYPES: Readonly<Record<GgufWeights, GgmlType>> = { f32: 'F32', f16: 'F16', bf16: 'BF16', q8_0: 'Q8_0' };

/** Elements that are read, encoded and written at a time. */
const CHUNK = 1 << 22;

/** What became of a model that was written. */
export interface WrittenGguf {
  /** Types with fewer bits than the checkpoint's, to which weights were rounded. */
  readonly roundedTo: readonly GgmlType[];
  /** What someone who opens the file elsewhere has to know: sentences. */
  readonly notes: readonly string[];
}

/**
 * Writes a checkpoint as a GGUF file that llama.cpp loads, tokenizer included; tensors are streamed, a few megabytes of one at a time.
 *
 * @param type of the matrices; as the checkpoint's embedding where it is not given. Vectors are float32.
 * @param file that is not there yet
 * @throws EspalierError `export/format` where llama.cpp cannot compute the model or make its tokens, `export/mismatch` where float16 has no room for a weight
 */
export async function writeGguf(
  checkpoint: Checkpoint,
  file: string,
  type: GgufWeights | undefined,
  step: (done: number, total: number) => Promise<void>,
): Promise<WrittenGguf> {
  const { config } = checkpoint;
  const [form, vocabulary] = await requireForm(checkpoint);
  const ggml = GGML_TYPES[type ?? storedType(checkpoint)];
  const tensors = modelTensors(config, form.architecture, ggml);
  const metadata = new Map([...modelMetadata(config, form, ggml), ...vocabulary.entries]);
  const writer = new GgufWriter(file, metadata, tensors);
  try {
    for (const [index, tensor] of tensors.entries()) {
      await step(index, tensors.length);
      for (const values of chunksOf(checkpoint, tensor)) {
        if (tensor.type === 'F16') requireFloat16(tensor.name, values, OTHER_TYPE);
        writer.write(tensor.name, values);
      }
    }
    writer.finish();
  } finally {
    writer.close();
  }
  const notes = [...form.notes, ...vocabulary.notes, ...insteadOf(ggml, tensors)];
  return { roundedTo: roundedTo(checkpoint, tensors), notes };
}

/**
 * How a model is written: its architecture in llama.cpp, and its tokenizer.
 *
 * @throws EspalierError `export/format`
 */
export async function requireForm(
  checkpoint: Pick<Checkpoint, 'config' | 'values' | 'tokenizerFolder'>,
): Promise<readonly [GgufForm, GgufVocabulary]> {
  const form = requireArchitecture(checkpoint.config);
  const vocabulary = await ggufVocabulary(checkpoint);
  if ('refused' in vocabulary) throw refused('a tokenizer that makes the same tokens in llama.cpp', vocabulary.refused);
  return [form, vocabulary];
}

/** @throws EspalierError `export/format` */
export function requireArchitecture(config: ModelConfig): GgufForm {
  const form = ggufForm(config);
  if ('refused' in form) throw refused('a model that llama.cpp computes as it is', form.refused);
  return form;
}

/** The type that the embedding is stored in. */
function storedType({ tensors }: Checkpoint): GgufWeights {
  const stored: ElementType | undefined = tensors.get('model.embed_tokens.weight')?.dtype;
  if (stored === 'BF16') return 'bf16';
  return stored === 'F16' ? 'f16' : 'f32';
}

function* chunksOf(checkpoint: Checkpoint, { source }: PlannedTensor): Generator<Float32Array> {
  if (source.kind === 'values') {
    yield source.values;
    return;
  }
  const { headDim } = checkpoint.config;
  for (const { tensor, shape } of source.tensors) {
    const [rows, columns] = shape;
    const order = (values: Float32Array): Float32Array =>
      source.turned ? toPairs(values, headDim, columns ?? 1) : values;
    if (columns === undefined) {
      yield order(checkpoint.read(tensor, shape));
      continue;
    }
    // Whole heads.
    const step = Math.max(1, Math.floor(CHUNK / columns / headDim)) * headDim;
    for (let first = 0; first < rows!; first += step)
      yield order(checkpoint.readRows(tensor, [rows!, columns], first, Math.min(step, rows! - first)));
  }
}

/** float32 holds everything, and a type what is stored in it. */
function roundedTo(checkpoint: Checkpoint, tensors: readonly PlannedTensor[]): readonly GgmlType[] {
  const types = tensors.flatMap(({ type, source }) => {
    if (source.kind === 'values' || type === 'F32') return [];
    return source.tensors.every(({ tensor }) => checkpoint.tensors.get(tensor)!.dtype === type) ? [] : [type];
  });
  return [...new Set(types)].sort();
}

function insteadOf(type: GgmlType, tensors: readonly PlannedTensor[]): readonly string[] {
  const others = tensors.filter((tensor) => tensor.shape.length > 1 && tensor.type !== type).length;
  return others === 0
    ? []
    : [
        `${others} of ${tensors.filter(({ shape }) => shape.length > 1).length} matrices are float16: their rows are no multiple of 32, which ${type} is made of.`,
      ];
}

const OTHER_TYPE = 'Choose --type f32 or bf16.';

function refused(expected: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'export/format',
    operation: 'exporting to GGUF',
    expected,
    actual,
    remedy: 'Export to huggingface or onnx.',
  });
}
