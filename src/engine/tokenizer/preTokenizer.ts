import { compileReplaceText } from './normalizer.ts';
import { compilePattern, splitText } from './splitPattern.ts';
import type { PreTokenizerSpec } from './tokenizerSpec.ts';

/**
 * Cuts a stretch of text into words: the units inside which byte pairs are merged. It works in two parts, so that the caller
 * can remember words: `split` cuts the text (lazily) into pieces; what `words` makes of a piece depends on the piece alone.
 */
export interface PreTokenizer {
  /** @param isStart whether the text stands at the very start of the input: some add a space only there. */
  split(text: string, isStart: boolean): Iterable<string>;
  words(piece: string): Iterable<string>;
}

/** @throws SyntaxError when a pattern cannot be translated. */
export function compilePreTokenizer(spec: PreTokenizerSpec | null | undefined): PreTokenizer {
  const steps = spec ? stepsOf(spec) : [];
  // Everything up to the first split, and all that looks at the position, is done where the text is in hand.
  const head = 1 + Math.max(steps.findIndex(isSplit), steps.findLastIndex(isPositional));
  const [first, rest] = [steps.slice(0, head), steps.slice(head)];
  return {
    split: (text, isStart) => runSteps(first, text, isStart),
    words: (piece) => runSteps(rest, piece, false),
  };
}

type Step =
  | { readonly kind: 'map'; readonly isPositional: boolean; readonly apply: (text: string, isStart: boolean) => string }
  | { readonly kind: 'split'; readonly apply: (text: string) => Iterable<string> };

function isSplit(step: Step): boolean {
  return step.kind === 'split';
}

function isPositional(step: Step): boolean {
  return step.kind === 'map' && step.isPositional;
}

function* runSteps(steps: readonly Step[], text: string, isStart: boolean): Generator<string> {
  const [step, ...rest] = steps;
  if (!step) {
    yield text;
  } else if (step.kind === 'map') {
    yield* runSteps(rest, step.apply(text, isStart), isStart);
  } else {
    let atStart = isStart;
    for (const piece of step.apply(text)) {
      if (rest.length === 0) yield piece;
      else yield* runSteps(rest, piece, atStart);
      atStart = false;
    }
  }
}

function stepsOf(spec: PreTokenizerSpec): readonly Step[] {
  switch (spec.type) {
    case 'ByteLevel':
      return byteLevelSteps(spec.add_prefix_space, spec.use_regex);
    case 'Split': {
      const pattern = compilePattern(spec.pattern);
      return [{ kind: 'split', apply: (text) => splitText(text, pattern, spec.behavior, spec.invert) }];
    }
    case 'Digits': {
      const behavior = spec.individual_digits ? 'Isolated' : 'Contiguous';
      return [{ kind: 'split', apply: (text) => splitText(text, /\p{N}/gu, behavior, false) }];
    }
    case 'Metaspace':
      return metaspaceSteps(spec);
    case 'Sequence':
      return spec.pretokenizers.flatMap(stepsOf);
  }
}

/** The word pattern of GPT-2, which the byte-level kind brings along. */
const GPT2_WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

function byteLevelSteps(prefix: boolean, hasPattern: boolean): Step[] {
  const pattern = compilePattern({ Regex: GPT2_WORDS });
  const addSpace: Step = {
    kind: 'map',
    isPositional: false,
    apply: (text) => (text.startsWith(' ') ? text : ` ${text}`),
  };
  const words: Step = { kind: 'split', apply: (text) => splitText(text, pattern, 'Isolated', false) };
  const bytes: Step = { kind: 'map', isPositional: false, apply: bytesAsCharacters };
  return [...(prefix ? [addSpace] : []), ...(hasPattern ? [words] : []), bytes];
}

/** SentencePiece's spaces made visible, with one put before the text. */
function metaspaceSteps(spec: Extract<PreTokenizerSpec, { type: 'Metaspace' }>): Step[] {
  const { replacement } = spec;
  const scheme = spec.prepend_scheme ?? (spec.add_prefix_space === false ? 'never' : 'always');
  const replace = compileReplaceText(' ', replacement);
  const mark: Step = {
    kind: 'map',
    isPositional: scheme === 'first',
    apply: (text, isStart) => {
      const marked = replace(text);
      const wanted = scheme === 'always' || (scheme === 'first' && isStart);
      return wanted && !marked.startsWith(replacement) ? replacement + marked : marked;
    },
  };
  if (spec.split === false) return [mark];
  const pattern = compilePattern({ String: replacement });
  return [mark, { kind: 'split', apply: (text) => splitText(text, pattern, 'MergedWithNext', false) }];
}

/**
 * GPT-2's printable alphabet: each byte of the UTF-8 text as one character, itself where it is printable Latin-1, else one
 * of those from U+0100 on, in order.
 */
function bytesAsCharacters(text: string): string {
  const bytes = ENCODER.encode(text);
  const characters = new Uint16Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) characters[i] = BYTE_CHARACTERS[bytes[i]!]!;
  return UTF16.decode(characters);
}

const ENCODER = new TextEncoder();
const UTF16 = new TextDecoder('utf-16le', { ignoreBOM: true });

const BYTE_CHARACTERS = byteCharacters();

function byteCharacters(): Uint16Array {
  const isPrintable = (byte: number): boolean => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let spare = 0x100;
  return Uint16Array.from({ length: 256 }, (_, byte) => (isPrintable(byte) ? byte : spare++));
}
