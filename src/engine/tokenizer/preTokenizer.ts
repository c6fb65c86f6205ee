import { bytesAsCharacters } from './byteLevel.ts';
import { NUMERIC, PUNCTUATION, WORD } from './characterTables.ts';
import { characterClass, WHITE_SPACE } from './codePoints.ts';
import { compileReplaceText } from './replace.ts';
import { splitAtScripts } from './scripts.ts';
import { compilePattern, splitText } from './splitPattern.ts';
import type { SplitBehavior } from './patternSpec.ts';
import type { MetaspaceSpec, PlainPreTokenizerSpec, PreTokenizerSpec } from './preTokenizerSpec.ts';
import type { Segment } from './splitPattern.ts';

/**
 * Cuts a stretch of text into words: the units that the model makes ids of, one by one. It works in two parts, so that the caller
 * can remember words: `split` cuts the text (lazily) into pieces; what `words` makes of a piece depends on the piece alone.
 */
export interface PreTokenizer {
  /** @param head how many of the first UTF-16 units come from the very first character of the input: see {@link metaspaceSteps} */
  split(text: string, head: number): Iterable<string>;
  words(piece: string): Iterable<string>;
}

/** @throws SyntaxError when a pattern cannot be translated. */
export function compilePreTokenizer(spec: PreTokenizerSpec | null | undefined): PreTokenizer {
  const steps = spec ? plainOf(spec).flatMap(stepsOf) : [];
  // Everything up to the first split, and all that looks at the position, is done where the text is in hand.
  const beforeWords = 1 + Math.max(steps.findIndex(isSplit), steps.findLastIndex(isPositional));
  const [first, rest] = [steps.slice(0, beforeWords), steps.slice(beforeWords)];
  return {
    split: (text, head) => runSteps(first, 0, text, head),
    words: (piece) => runSteps(rest, 0, piece, 0),
  };
}

function plainOf(spec: PreTokenizerSpec): readonly PlainPreTokenizerSpec[] {
  return spec.type === 'Sequence' ? spec.pretokenizers.flatMap(plainOf) : [spec];
}

type Step =
  | {
      readonly kind: 'map';
      /** Whether it does something else at the start of the input. */
      readonly isPositional: boolean;
      readonly apply: (text: string, head: number) => string;
      /** The head of what it makes. */
      readonly headOf: (text: string, head: number) => number;
    }
  | { readonly kind: 'split'; readonly apply: (text: string) => Iterable<Segment> };

function isSplit(step: Step): boolean {
  return step.kind === 'split';
}

function isPositional(step: Step): boolean {
  return step.kind === 'map' && step.isPositional;
}

function* runSteps(steps: readonly Step[], from: number, text: string, head: number): Generator<string> {
  const step = steps[from];
  if (!step) {
    yield text;
  } else if (step.kind === 'map') {
    yield* runSteps(steps, from + 1, step.apply(text, head), head === 0 ? 0 : step.headOf(text, head));
  } else {
    const isLast = from + 1 === steps.length;
    for (const { begin, end } of step.apply(text)) {
      const piece = text.slice(begin, end);
      if (isLast) yield piece;
      else yield* runSteps(steps, from + 1, piece, Math.max(0, Math.min(head, end) - begin));
    }
  }
}

function stepsOf(spec: PlainPreTokenizerSpec): readonly Step[] {
  switch (spec.type) {
    case 'ByteLevel':
      return byteLevelSteps(spec.add_prefix_space, spec.use_regex);
    case 'Split':
      return [splitStep(compilePattern(spec.pattern), spec.behavior, spec.invert)];
    case 'Whitespace':
      return [splitStep(WORDS, 'Removed', true)];
    case 'WhitespaceSplit':
      return [splitStep(SPACES, 'Removed')];
    case 'BertPreTokenizer':
      return [splitStep(SPACES, 'Removed'), splitStep(PUNCTUATION_MARK, 'Isolated')];
    case 'Punctuation':
      return [splitStep(PUNCTUATION_MARK, spec.behavior)];
    case 'Digits':
      return [splitStep(NUMBER, spec.individual_digits ? 'Isolated' : 'Contiguous')];
    case 'CharDelimiterSplit':
      return [splitStep(compilePattern({ String: spec.delimiter }), 'Removed')];
    case 'UnicodeScripts':
      return [{ kind: 'split', apply: splitAtScripts }];
    case 'FixedLength':
      return [splitStep(new RegExp(`[^]{1,${spec.length}}`, 'gu'), 'Isolated')];
    case 'Metaspace':
      return metaspaceSteps(spec);
  }
}

function splitStep(pattern: RegExp, behavior: SplitBehavior, invert = false): Step {
  return { kind: 'split', apply: (text) => splitText(text, pattern, behavior, invert) };
}

const word = characterClass(WORD).slice(1, -1);
/** `\w+|[^\w\s]+` of Rust’s `regex` crate. */
const WORDS = new RegExp(`[${word}]+|[^${word}${WHITE_SPACE}]+`, 'gu');
const SPACES = new RegExp(`[${WHITE_SPACE}]+`, 'gu');
const PUNCTUATION_MARK = new RegExp(characterClass(PUNCTUATION), 'gu');
const NUMBER = new RegExp(characterClass(NUMERIC), 'gu');

/** The word pattern of GPT-2, which the byte-level kind brings along. */
const GPT2_WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

function byteLevelSteps(prefix: boolean, hasPattern: boolean): Step[] {
  const addSpace: Step = {
    kind: 'map',
    isPositional: false,
    apply: (text) => (text.startsWith(' ') ? text : ` ${text}`),
    headOf: (text, head) => head + (text.startsWith(' ') ? 0 : 1),
  };
  const bytes: Step = {
    kind: 'map',
    isPositional: false,
    apply: bytesAsCharacters,
    headOf: (text, head) => bytesAsCharacters(text.slice(0, head)).length,
  };
  const words = hasPattern ? [splitStep(compilePattern({ Regex: GPT2_WORDS }), 'Isolated')] : [];
  return [...(prefix ? [addSpace] : []), ...words, bytes];
}

/**
 * SentencePiece's spaces made visible, with one put before the text: always, or only `first`. There the Rust library asks
 * whether what the text begins with comes from the input's first character; after a normaliser that takes white space away it
 * does not, and where a character became several, more than one text may begin so.
 */
function metaspaceSteps(spec: MetaspaceSpec): Step[] {
  const { replacement } = spec;
  const scheme = spec.prepend_scheme ?? (spec.add_prefix_space === false ? 'never' : 'always');
  const replace = compileReplaceText(' ', replacement);
  const prefix = (marked: string, head: number): string => {
    const wanted = scheme === 'always' || (scheme === 'first' && head > 0);
    return wanted && !marked.startsWith(replacement) ? replacement : '';
  };
  const mark: Step = {
    kind: 'map',
    isPositional: scheme === 'first',
    apply(text, head) {
      const marked = replace(text);
      return prefix(marked, head) + marked;
    },
    headOf(text, head) {
      const marked = replace(text.slice(0, head));
      return prefix(marked, head).length + marked.length;
    },
  };
  if (spec.split === false) return [mark];
  return [mark, splitStep(compilePattern({ String: replacement }), 'MergedWithNext')];
}
