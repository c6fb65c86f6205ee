import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { withPinnedCategories } from './unicodePinning.ts';
import type { PatternSpec } from './tokenizerSpec.ts';

/** What becomes of the places that a pattern matches; names are those of tokenizer.json. */
type SplitBehavior = 'Isolated' | 'Removed' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

/**
 * A pattern of tokenizer.json as a JavaScript regular expression with the flags `gu`. The syntax there is Oniguruma's; the
 * library translates it.
 *
 * @throws SyntaxError when the pattern cannot be translated.
 */
export function compilePattern(pattern: PatternSpec): RegExp {
  const source = 'Regex' in pattern ? { Regex: pattern.Regex.replaceAll(CONTRACTIONS, LONG_S) } : pattern;
  if ('Regex' in source) refuseApproximations(source.Regex);
  const { pattern: compiled } = new SplitPreTokenizer({
    type: 'Split',
    pattern: source,
    behavior: 'Isolated',
    invert: true,
  });
  if (!compiled) throw new SyntaxError('the pattern is empty');
  return compiled;
}

/**
 * The library folds case within ASCII. Oniguruma knows that ſ (U+017F) folds to s as well: with the contractions of LLaMA-3
 * and Qwen, 'ſ is a word.
 */
const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const LONG_S = "(?:'[sS\\x{17f}]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";

/** What the translation only approximates is refused rather than guessed at; no known byte-pair tokenizer loses by it. */
const APPROXIMATED: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /\(\?[a-z]*i/, what: `(?i) outside of ${CONTRACTIONS}` },
  { pattern: /(?<!\\)[?*+]\+/, what: 'a possessive quantifier' },
  { pattern: /\(\?>/, what: 'an atomic group' },
  { pattern: /\\[1-9GKRXgk]/, what: 'a back-reference' },
];

function refuseApproximations(source: string): void {
  const approximated = APPROXIMATED.find(({ pattern }) => pattern.test(source));
  if (approximated) throw new SyntaxError(`${approximated.what} is not reproduced`);
}

/** One stretch of a text: a match of the pattern, or what lies between two. */
interface Segment {
  readonly begin: number;
  readonly end: number;
  readonly isMatch: boolean;
}

/** Yields the pieces of a text in order, without the empty ones: lazily, since a text can have millions. */
export function* splitText(text: string, pattern: RegExp, behavior: SplitBehavior, invert: boolean): Generator<string> {
  const segments = segmentsOf(text, pattern, invert);
  for (const { begin, end } of BEHAVIORS[behavior](segments)) {
    if (end > begin) yield text.slice(begin, end);
  }
}

/** Matches and gaps, in order, covering the text; with `invert` the two swap roles. */
function* segmentsOf(text: string, pattern: RegExp, invert: boolean): Generator<Segment> {
  let reached = 0;
  let lastEnd = -1;
  for (const match of withPinnedCategories(text).matchAll(pattern)) {
    const begin = match.index;
    const end = begin + match[0].length;
    // Oniguruma's iteration has no empty match right behind another match.
    if (begin === end && begin === lastEnd) continue;
    lastEnd = end;
    if (begin > reached) yield { begin: reached, end: begin, isMatch: invert };
    yield { begin, end, isMatch: !invert };
    reached = end;
  }
  if (reached < text.length) yield { begin: reached, end: text.length, isMatch: invert };
}

type Regroup = (segments: Generator<Segment>) => Generator<Segment>;

const BEHAVIORS: Readonly<Record<SplitBehavior, Regroup>> = {
  Isolated: (segments) => segments,

  *Removed(segments) {
    for (const segment of segments) if (!segment.isMatch) yield segment;
  },

  *Contiguous(segments) {
    yield* joinWhile(segments, (previous, next) => previous.isMatch === next.isMatch);
  },

  /** Of several matches in a row the first joins the gap before it. */
  *MergedWithPrevious(segments) {
    yield* joinWhile(segments, (previous, next) => next.isMatch && !previous.isMatch);
  },

  /** Of several matches in a row the last joins the gap after it. */
  *MergedWithNext(segments) {
    yield* joinWhile(segments, (previous, next) => previous.isMatch && !next.isMatch);
  },
};

/** Joins neighbours while `joins(the last segment of the group, the next segment)` holds. */
function* joinWhile(
  segments: Generator<Segment>,
  joins: (previous: Segment, next: Segment) => boolean,
): Generator<Segment> {
  let group: Segment | undefined;
  let last: Segment | undefined;
  for (const segment of segments) {
    if (group && last && joins(last, segment)) {
      group = { ...group, end: segment.end };
    } else {
      if (group) yield group;
      group = segment;
    }
    last = segment;
  }
  if (group) yield group;
}
