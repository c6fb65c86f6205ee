import type { PreTokenizerSpec } from '../../tokenizer/preTokenizerSpec.ts';

/** GPT-2's words, as llama.cpp has them in C++. */
const GPT2 = 'byte level';

/** LLaMA-3's. */
const LLAMA3 = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

/** Qwen2's and Qwen3's: digits one by one. */
const QWEN2 = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

/** Mistral's since NeMo. */
const TEKKEN = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

/**
 * llama.cpp's names of the ways in which a byte-level tokenizer cuts words (`tokenizer.ggml.pre`), by the cut and by whether a word that is a token is taken
 * whole, which llama.cpp derives from the name: `llama-vocab.cpp`.
 */
const NAMES: readonly { readonly cut: string; readonly ignoresMerges: boolean; readonly pre: string }[] = [
  { cut: GPT2, ignoresMerges: false, pre: 'gpt-2' },
  { cut: LLAMA3, ignoresMerges: true, pre: 'llama-bpe' },
  { cut: LLAMA3, ignoresMerges: false, pre: 'smaug-bpe' },
  { cut: QWEN2, ignoresMerges: false, pre: 'qwen2' },
  { cut: TEKKEN, ignoresMerges: true, pre: 'tekken' },
  { cut: `digits, ${GPT2}`, ignoresMerges: false, pre: 'smollm' },
];

/** llama.cpp's name of the way in which a byte-level tokenizer cuts words, where it has one. */
export function preTokenizerName(
  spec: PreTokenizerSpec | null | undefined,
  ignoresMerges: boolean,
): string | undefined {
  const cut = cutOf(spec);
  return NAMES.find((row) => row.cut === cut && row.ignoresMerges === ignoresMerges)?.pre;
}

/** What is cut, in one line; undefined for what does not occur in the table. */
function cutOf(spec: PreTokenizerSpec | null | undefined): string | undefined {
  const parts = spec?.type === 'Sequence' ? spec.pretokenizers : spec ? [spec] : [];
  const last = parts.at(-1);
  if (last?.type !== 'ByteLevel' || last.add_prefix_space) return undefined;
  const before = parts.slice(0, -1).map((part) => {
    if (part.type === 'Digits' && part.individual_digits) return 'digits';
    const isWords = part.type === 'Split' && 'Regex' in part.pattern && part.behavior === 'Isolated' && !part.invert;
    return isWords ? (part.pattern as { readonly Regex: string }).Regex : undefined;
  });
  return before.includes(undefined) ? undefined : [...before, ...(last.use_regex ? [GPT2] : [])].join(', ');
}
