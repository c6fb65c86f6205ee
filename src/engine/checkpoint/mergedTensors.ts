import { isFloatType } from './elementTypes.ts';
import type { AdapterConfig } from './adapterConfig.ts';
import { type ModelTensor, storedTensor } from './modelTensor.ts';
import { type NarrowType } from './narrow.ts';
import type { TensorEntry } from './safetensors.ts';
import { plainNames } from './tensorNames.ts';
import { familyOf, type ModelConfig } from '../families/families.ts';
import { EspalierError } from '../../base/errors.ts';

/** An adapter (PEFT) with its tensors, as its file names them. */
export interface Adapter {
  readonly config: AdapterConfig;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

/**
 * The tensors of a model with an adapter merged into them: W + scaling · B · A, as `merge_and_unload` of PEFT computes it in float32 and rounds it
 * to the type of W; and the tensors that the adapter has in the place of the base model's (`modules_to_save`, biases), as they are stored.
 *
 * @param base by the family's names
 * @throws EspalierError `checkpoint/tensor` where the adapter does not fit the model, or is more than that
 */
export function mergedTensors(
  base: ReadonlyMap<string, ModelTensor>,
  { config: adapter, tensors }: Adapter,
  config: ModelConfig,
): ReadonlyMap<string, ModelTensor> {
  const merged = new Map(base);
  const plainName = plainNames(config);
  const family = familyOf(config);
  const tied = config.tiedEmbeddings ? [family.headTensor, family.embedding(config).table.tensor] : [];
  const target = (name: string, of: TensorEntry): { name: string; tensor: ModelTensor } => {
    const plain = plainName(name);
    if (tied.includes(plain)) throw wrong(of, plain, 'no change of embeddings that the head shares', 'one', MERGE);
    const tensor = base.get(plain);
    if (!tensor) throw wrong(of, plain, 'a tensor of the base model', 'none of this name', OTHER_BASE);
    return { name: plain, tensor };
  };
  const { factors, replaced } = sortOut({ config: adapter, tensors });
  for (const [name, entry] of replaced) {
    const { name: plain, tensor } = target(name, entry);
    if (tensor.shape.join() !== entry.shape.join()) throw wrongShape(entry, plain, tensor.shape);
    merged.set(plain, storedTensor(entry));
  }
  for (const [layer, { down, up, ofEmbeddings }] of factors) {
    const some = (down ?? up)!;
    if (!down || !up) throw wrong(some, layer, 'two factors (lora_A and lora_B)', 'one', MERGE);
    const { name, tensor } = target(`${layer}.weight`, some);
    const values = product(tensor, down, up, { turned: ofEmbeddings, adapter, config });
    if (!values) throw wrongShape(down, name, tensor.shape);
    merged.set(name, {
      dtype: roundedType(tensor),
      shape: tensor.shape,
      file: tensor.file,
      values: { kind: 'merged', base: merged.get(name)!, scaling: adapter.scaling(layer, down.shape[0]!), ...values },
    });
  }
  return merged;
}

interface Factors {
  /** `lora_A` [rank, in] and `lora_B` [out, rank]. */
  readonly down?: TensorEntry;
  readonly up?: TensorEntry;
  readonly ofEmbeddings: boolean;
}

const FACTOR = /^(.+)\.lora_(embedding_)?([AB])(?:\.(?!weight$)[^.]+)?(?:\.weight)?$/;

/** Factors by their layer's name, and what stands in the place of the base model's tensors; names as the wrapped model has them. */
function sortOut({ config, tensors }: Adapter) {
  const factors = new Map<string, Factors>();
  const replaced = new Map<string, TensorEntry>();
  for (const [stored, entry] of tensors) {
    const name = unwrapped(stored);
    const [, layer, embedding, which] = FACTOR.exec(name) ?? [];
    if (layer === undefined) {
      if (/\.lora_|\.(ia3_l|hada_w|lokr_w|oft_)/.test(name))
        throw wrong(entry, stored, 'factors of LoRA alone', 'another kind', MERGE);
      if (replaced.has(name)) throw wrong(entry, name, 'one tensor', 'two', MERGE);
      replaced.set(name, entry);
      continue;
    }
    const before = factors.get(layer);
    const part = which === 'A' ? 'down' : 'up';
    if (before?.[part]) throw wrong(entry, layer, 'one adapter', 'several', MERGE);
    factors.set(layer, { ...before, [part]: entry, ofEmbeddings: embedding !== undefined });
  }
  if (factors.size === 0 && replaced.size === 0) {
    throw wrong(config, 'its tensors', 'at least one', 'none', MERGE);
  }
  return { factors, replaced };
}

/** `base_model.model.model.layers.0…base_layer.weight` as the model that PEFT has wrapped calls it. */
export function unwrapped(name: string): string {
  return name
    .replace(/^base_model\.(model\.)?/, '')
    .replace(/\.base_layer(?=\.)/, '')
    .replace(/\.modules_to_save\.[^.]+(?=\.)/, '');
}

/** Which factor is of the rows of the matrix, and which of its columns; undefined where they do not fit. */
function product(
  { shape, dtype }: ModelTensor,
  down: TensorEntry,
  up: TensorEntry,
  { turned, adapter, config }: { turned: boolean; adapter: AdapterConfig; config: ModelConfig },
) {
  const [rank = 0, input] = down.shape;
  const [output, rankAgain] = up.shape;
  const isPair = down.shape.length === 2 && up.shape.length === 2 && rank === rankAgain && rank > 0;
  if (!isPair || ![dtype, down.dtype, up.dtype].every(isFloatType)) return undefined;
  const fits = (rows: number | undefined, columns: number | undefined) => shape.join() === [rows, columns].join();
  const [straight, across] = [fits(output, input), fits(input, output)];
  // Layers that store [in, out] are GPT-2's alone; of a square matrix only the configuration says it.
  const isTurned = turned || !straight || (across && adapter.transposed && familyOf(config).modelType === 'gpt2');
  if (isTurned ? !across : !straight) return undefined;
  return isTurned ? { left: down, right: up, transposed: true } : { left: up, right: down, transposed: false };
}

function roundedType({ dtype }: ModelTensor): NarrowType {
  return dtype === 'BF16' || dtype === 'F16' ? dtype : 'F32';
}

const MERGE = 'Merge the adapter into its base model in Python (merge_and_unload of PEFT), and save the result.';
const OTHER_BASE =
  'Name the base model that the adapter was trained on: base_model_name_or_path in adapter_config.json.';

function wrongShape(entry: TensorEntry, name: string, shape: readonly number[]): EspalierError {
  const expected = `what fits ${name} of shape [${shape.join(', ')}]`;
  return wrong(entry, name, expected, `shape [${entry.shape.join(', ')}], ${entry.dtype}`, OTHER_BASE);
}

function wrong(
  { file }: Pick<TensorEntry, 'file'>,
  name: string,
  expected: string,
  actual: string,
  remedy: string,
): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tensor',
    operation: `merging the adapter: ${name}`,
    expected,
    actual,
    remedy,
    file,
  });
}
