import { compileOniguruma } from './oniguruma.ts';
import type { PatternSpec, SplitBehavior } from './patternSpec.ts';

/** A pattern of tokenizer.json as a JavaScript regular expression. @throws SyntaxError when it cannot be reproduced. */
export function compilePattern(pattern: PatternSpec): RegExp {
  return 'Regex' in pattern ? compileOniguruma(pattern.Regex) : new RegExp(escapeText(pattern.String), 'gu');
}

/** A text as a pattern that finds it. */
export function escapeText(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

/** One stretch of a text: a match of the pattern, or what lies between two. */
export interface Segment {
  readonly begin: number;
  readonly end: number;
  readonly isMatch: boolean;
}

/** Yields the pieces of a text in order, without the empty ones: lazily, since a text can have millions. */
export function* splitText(
  text: string,
  pattern: RegExp,
  behavior: SplitBehavior,
  invert: boolean,
): Generator<Segment> {
  for (const segment of BEHAVIORS[behavior](segmentsOf(text, pattern, invert))) {
    if (segment.end > segment.begin) yield segment;
  }
}

/** Where a pattern matches, in order. */
export function* matchesOf(text: string, pattern: RegExp): Generator<{ readonly begin: number; readonly end: number }> {
  let lastEnd = -1;
  for (const match of text.matchAll(pattern)) {
    const begin = match.index;
    const end = begin + match[0].length;
    // Oniguruma's iteration has no empty match right behind another match.
    if (begin === end && begin === lastEnd) continue;
    lastEnd = end;
    yield { begin, end };
  }
}

/** Matches and gaps, in order, covering the text; with `invert` the two swap roles. */
function* segmentsOf(text: string, pattern: RegExp, invert: boolean): Generator<Segment> {
  let reached = 0;
  for (const { begin, end } of matchesOf(text, pattern)) {
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
