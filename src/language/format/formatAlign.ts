import type { Gap } from './formatLayout.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import type { DeclarationKeyword } from '../syntax/words.ts';

/**
 * How many spaces more than their own each gap gets, by its place in the list, so that neighbouring lines stand below each
 * other: names and `=` of declarations of one line each, and the comments behind them.
 */
export function alignments(gaps: readonly Gap[]): ReadonlyMap<number, number> {
  const lines = linesOf(gaps);
  const padding = new Map<number, number>();
  const width = (from: number, to: number): number => {
    let sum = 0;
    for (let i = from; i < to; i++) {
      const { token, blanks, editable, breaks } = gaps[i]!;
      const indentation = !editable && breaks > 0 ? (blanks.split(/[\n\r]/).at(-1) ?? '') : blanks;
      sum += indentation.length + (token?.text.length ?? 0) + (padding.get(i) ?? 0);
    }
    return sum;
  };
  /** Pads the gaps so that all begin at the same column. @param starts of their lines, and the gaps */
  const align = (places: readonly (readonly [start: number, gap: number])[]): void => {
    const widths = places.map(([start, gap]) => width(start, gap));
    const widest = widths.reduce((a, b) => Math.max(a, b), 0);
    places.forEach(([, gap], i) => padding.set(gap, widest - widths[i]!));
  };
  for (const group of groups(lines, gaps, (line) => headOf(line, gaps)?.family)) {
    const heads = group.map((line) => headOf(line, gaps)!);
    const lengths = heads.map(({ equals }, i) => width(group[i]!.first, equals));
    const longest = lengths.reduce((a, b) => Math.max(a, b));
    if (longest - lengths.reduce((a, b) => Math.min(a, b)) > MAX_PADDING) continue;
    align(group.map(({ first }) => [first, first + 1]));
    align(group.map(({ first }, i) => [first, heads[i]!.equals]));
  }
  for (const group of groups(lines, gaps, (line) => commentColumn(line, gaps))) {
    align(group.map(({ first, end }) => [first, end - 1]));
  }
  return padding;
}

/** A name so much longer than its neighbours' is not aligned with them. */
const MAX_PADDING = 24;

/** Gaps `first` to `end` − 1 are those of one line: each stands before a token of it. */
interface Line {
  readonly first: number;
  readonly end: number;
}

function linesOf(gaps: readonly Gap[]): Line[] {
  const starts: number[] = [];
  gaps.forEach(({ breaks }, i) => {
    if (i === 0 || breaks > 0) starts.push(i);
  });
  return starts.map((first, i) => ({ first, end: starts[i + 1] ?? gaps.length }));
}

/** Runs of lines that have the same key, none left empty between them. */
function groups(lines: readonly Line[], gaps: readonly Gap[], keyOf: (line: Line) => string | undefined): Line[][] {
  const found: Line[][] = [];
  let last: string | undefined;
  for (const line of lines) {
    const key = keyOf(line);
    if (key !== undefined && key === last && gaps[line.first]!.breaks === 1) found.at(-1)!.push(line);
    else if (key !== undefined) found.push([line]);
    last = key;
  }
  return found.filter((group) => group.length > 1);
}

/** A declaration that is one line: which others it is aligned with, and the gap before its `=`. */
function headOf({ first, end }: Line, gaps: readonly Gap[]): { family: string; equals: number } | undefined {
  const { piece, token, editable } = gaps[first]!;
  const family = piece?.keyword === undefined ? undefined : FAMILIES[piece.keyword];
  if (family === undefined || token?.start !== piece!.start || !editable) return undefined;
  if (!isWhole(piece!, end, gaps)) return undefined;
  let depth = 0;
  for (let i = first; i < end; i++) {
    const sign = gaps[i]!.token?.text;
    if (sign === '(') depth++;
    if (sign === ')') depth--;
    if (sign === '=' && depth === 0) return { family, equals: i };
  }
  return undefined;
}

/** Whether all that follows of a declaration is comments. */
function isWhole(piece: ParsedDeclaration, end: number, gaps: readonly Gap[]): boolean {
  for (let i = end; gaps[i]?.piece === piece; i++) if (gaps[i]!.token?.kind !== 'comment') return false;
  return true;
}

const FAMILIES: Readonly<Partial<Record<DeclarationKeyword, string>>> = {
  model: 'file',
  corpus: 'file',
  parameter: 'parameter',
  metric: 'metric',
};

/** Of a line with a comment behind its code: its indentation. */
function commentColumn({ first, end }: Line, gaps: readonly Gap[]): string | undefined {
  const last = gaps[end - 1]!;
  if (last.token?.kind !== 'comment' || end - first < 2 || !last.editable) return undefined;
  return gaps[first]!.editable ? `indented ${gaps[first]!.blanks.length}` : undefined;
}
