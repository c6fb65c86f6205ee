import { EspalierError } from '../../base/errors.ts';
import { allParameters, familyOf, type ModelConfig } from '../families/families.ts';
import type { ModelTensor } from './modelTensor.ts';

/**
 * What stands before a decoder's names when it was saved from inside something else: data parallelism, torch.compile, FSDP, a module that
 * holds the model, the language part of a model of several kinds. None of them changes what the tensor is.
 */
const WRAPPERS = 'module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|language_model|model';
/** Beside the parts of a decoder that have weights. */
const WITHOUT_WEIGHTS = 'rotary_emb';
/** Left in the middle of a name where single blocks were wrapped. */
const INNER = /\.(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)(?=\.)/g;

/**
 * The tensors of a checkpoint under the names that the family has for them. Prefixes of wrappers are left out, the prefix of the decoder
 * (`model.`) is put where that alone was saved (as some published OPT checkpoints were), and embeddings that are tied and kept as the head alone are the
 * embeddings.
 *
 * @throws EspalierError `checkpoint/tensor` where two tensors would have the same name
 */
export function namedTensors(
  tensors: ReadonlyMap<string, ModelTensor>,
  config: ModelConfig,
): ReadonlyMap<string, ModelTensor> {
  const named = new Map<string, ModelTensor>();
  const before = new Map<string, string>();
  const plainName = plainNames(config);
  for (const [name, entry] of tensors) {
    const plain = plainName(name);
    if (named.has(plain)) throw twice(entry.file, plain, before.get(plain)!, name);
    named.set(plain, entry);
    before.set(plain, name);
  }
  const family = familyOf(config);
  const table = family.embedding(config).table.tensor;
  const head = named.get(family.headTensor);
  if (config.tiedEmbeddings && head && !named.has(table)) {
    named.delete(family.headTensor);
    named.set(table, head);
  }
  return named;
}

/** From a name in a file to the family's name, as the first parts of those of the model's tensors have it. */
export function plainNames(config: ModelConfig): (name: string) => string {
  const { headTensor } = familyOf(config);
  const head = headTensor.split('.')[0]!;
  const inside = allParameters(config).filter(({ tensor }) => tensor !== headTensor);
  const base = inside[0]!.tensor.split('.')[0]!;
  const roots = new Set([head, WITHOUT_WEIGHTS, ...inside.map(({ tensor }) => tensor.split('.')[1]!)]);
  const wrapped = new RegExp(`^(?:(?:${WRAPPERS}|${base})\\.)*((?:${[...roots].join('|')})\\..+)$`);
  return (name) => {
    const inner = wrapped.exec(name.replaceAll(INNER, ''))?.[1];
    if (inner === undefined) return name;
    return inner.startsWith(`${head}.`) ? inner : `${base}.${inner}`;
  };
}

function twice(file: string, name: string, first: string, second: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tensor',
    operation: `checking ${name}`,
    expected: 'one tensor',
    actual: `two, ${first} and ${second}`,
    remedy: 'Save the model that is meant by itself: the weights of two are in this checkpoint.',
    file,
  });
}
