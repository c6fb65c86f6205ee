import { EspalierError } from '../../base/errors.ts';
import type { ModelConfig } from './config.ts';
import type { TensorEntry } from './safetensors.ts';

/**
 * What stands before a decoder's names when it was saved from inside something else: data parallelism, torch.compile, FSDP, a module that
 * holds the model, the language part of a model of several kinds. None of them changes what the tensor is.
 */
const WRAPPER = '(?:module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|language_model|model)';
const WRAPPED = new RegExp(`^(?:${WRAPPER}\\.)*((?:layers|embed_tokens|norm|decoder|rotary_emb|lm_head)\\..+)$`);
/** Left in the middle of a name where single blocks were wrapped. */
const INNER = /\.(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)(?=\.)/g;

const HEAD = 'lm_head.weight';

/**
 * The tensors of a checkpoint under the names that the family has for them. Prefixes of wrappers are left out, the prefix `model.` is put
 * where the bare decoder was saved (as some published OPT checkpoints were), and embeddings that are tied and kept as the head alone are the
 * embeddings.
 *
 * @throws EspalierError `checkpoint/tensor` where two tensors would have the same name
 */
export function namedTensors(
  stored: ReadonlyMap<string, TensorEntry>,
  config: ModelConfig,
): ReadonlyMap<string, TensorEntry> {
  const named = new Map<string, TensorEntry>();
  const before = new Map<string, string>();
  for (const [name, entry] of stored) {
    const plain = plainName(name);
    if (named.has(plain)) throw twice(entry.file, plain, before.get(plain)!, name);
    named.set(plain, entry);
    before.set(plain, name);
  }
  const table = embeddingOf(config);
  const head = named.get(HEAD);
  if (config.tiedEmbeddings && head && !named.has(table)) {
    named.delete(HEAD);
    named.set(table, head);
  }
  return named;
}

/** Name of the matrix of embeddings. */
export function embeddingOf({ architecture }: ModelConfig): string {
  return architecture === 'OPTForCausalLM' ? 'model.decoder.embed_tokens.weight' : 'model.embed_tokens.weight';
}

function plainName(name: string): string {
  const inner = WRAPPED.exec(name.replaceAll(INNER, ''))?.[1];
  if (inner === undefined) return name;
  return inner.startsWith('lm_head.') ? inner : `model.${inner}`;
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
