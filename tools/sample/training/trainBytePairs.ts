import { compilePreTokenizer } from '../../../src/engine/tokenizer/preTokenizer.ts';

/** A byte-level BPE tokenizer: token texts in the order of their ids, written in GPT-2's printable bytes, and the merges. */
export interface TrainedBytePairs {
  readonly vocabulary: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
}

/**
 * Learns byte pairs as Sennrich et al. (2016) do, on bytes: the words of the text are cut by GPT-2's pattern, and again and again
 * the most frequent pair of neighbours becomes a token, until there are `size` or no pair occurs twice. Ties go to the pair of
 * lower ids, so that equal texts give equal tokenizers.
 *
 * @param size tokens in all, more than the 256 bytes
 */
export function trainBytePairs(text: string, size: number): TrainedBytePairs {
  const vocabulary = byteAlphabet();
  const ids = new Map(vocabulary.map((token, id) => [token, id]));
  const words = [...countWords(text)].map(([word, count]) => ({
    symbols: Array.from(word, (character) => ids.get(character)!),
    count,
  }));
  const merges: (readonly [string, string])[] = [];
  while (vocabulary.length < size) {
    const pair = mostFrequentPair(words);
    if (!pair) break;
    const [left, right] = pair;
    merges.push([vocabulary[left]!, vocabulary[right]!]);
    const merged = vocabulary.push(vocabulary[left]! + vocabulary[right]!) - 1;
    for (const word of words) mergePair(word.symbols, left, right, merged);
  }
  return { vocabulary, merges };
}

/** tokenizer.json as Hugging Face's libraries read it. */
export function tokenizerJson({ vocabulary, merges }: TrainedBytePairs): Readonly<Record<string, unknown>> {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      merges: merges.map((pair) => pair.join(' ')),
    },
  };
}

interface CountedWord {
  readonly symbols: number[];
  readonly count: number;
}

/** Every byte as GPT-2 prints it, in the order of the characters. */
function byteAlphabet(): string[] {
  const isPrintable = (byte: number): boolean => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let spare = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : spare++)).sort();
}

function countWords(text: string): Map<string, number> {
  const preTokenizer = compilePreTokenizer({ type: 'ByteLevel', add_prefix_space: false, use_regex: true });
  const counts = new Map<string, number>();
  for (const piece of preTokenizer.split(text, 1)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  return new Map([...counts].flatMap(([piece, count]) => [...preTokenizer.words(piece)].map((word) => [word, count])));
}

/** More than the largest vocabulary: a pair is one number. */
const BASE = 2 ** 20;

function mostFrequentPair(words: readonly CountedWord[]): readonly [number, number] | undefined {
  const counts = new Map<number, number>();
  for (const { symbols, count } of words) {
    for (let i = 1; i < symbols.length; i++) {
      const pair = symbols[i - 1]! * BASE + symbols[i]!;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  let [best, most] = [Infinity, 1];
  for (const [pair, count] of counts) if (count > most || (count === most && pair < best)) [best, most] = [pair, count];
  return most === 1 ? undefined : [Math.floor(best / BASE), best % BASE];
}

function mergePair(symbols: number[], left: number, right: number, merged: number): void {
  let to = 0;
  for (let from = 0; from < symbols.length; from++) {
    const isPair = symbols[from] === left && symbols[from + 1] === right;
    symbols[to++] = isPair ? merged : symbols[from]!;
    if (isPair) from++;
  }
  symbols.length = to;
}
