/** What decides a generated tokenizer.json. */
export interface TokenizerRecipe {
  /** Words that become one token each, with and without a space before them. */
  readonly words: readonly string[];
  /** Special tokens in order of their ids; they come first in the vocabulary. */
  readonly specials: readonly string[];
  /** The special token that is put before every text, as LLaMA's tokenizers do. */
  readonly begin?: string;
}

/** A byte-level BPE tokenizer in the shape of tokenizer.json: specials, 256 bytes, and one merge after another towards `words`. */
export function tokenizerJson(recipe: TokenizerRecipe): Record<string, unknown> {
  const vocabulary = new Map<string, number>();
  const add = (token: string) => {
    if (!vocabulary.has(token)) vocabulary.set(token, vocabulary.size);
  };
  recipe.specials.forEach(add);
  byteCharacters().forEach(add);

  const merges = new Set<string>();
  for (const word of recipe.words) {
    for (const spelling of [word, ` ${word}`]) {
      const parts = bytesAsCharacters(spelling);
      let merged = parts[0] ?? '';
      for (const part of parts.slice(1)) {
        merges.add(`${merged} ${part}`);
        merged += part;
        add(merged);
      }
    }
  }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: recipe.specials.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: recipe.begin === undefined ? null : beginTemplate(recipe.begin, vocabulary.get(recipe.begin)!),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(vocabulary),
      merges: [...merges],
    },
  };
}

/**
 * The printable character that byte-level BPE writes for each byte: bytes that are printable in Latin-1 stand for
 * themselves, the others take the code points from 256 on, in order (GPT-2).
 */
export function byteCharacters(): string[] {
  let spare = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(printable ? byte : spare++);
  });
}

function bytesAsCharacters(text: string): string[] {
  const table = byteCharacters();
  return [...Buffer.from(text, 'utf8')].map((byte) => table[byte]!);
}

function beginTemplate(token: string, id: number): Record<string, unknown> {
  const begin = { SpecialToken: { id: token, type_id: 0 } };
  return {
    type: 'TemplateProcessing',
    single: [begin, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [begin, { Sequence: { id: 'A', type_id: 0 } }, begin, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}
