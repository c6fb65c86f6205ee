import type { Span } from './syntax.ts';

/** Why a piece of text is not given to the parser, and where the limit is passed. */
export interface NestingProblem {
  readonly span: Span;
  readonly message: string;
}

/** Parentheses, minus signs and powers inside each other: the parser recurses for each, some 20 frames deep. */
const MAX_NESTING = 64;

/** Operators in one declaration or property: a chain of them is a tree as deep as it is long. */
const MAX_OPERATORS = 1000;

/** Commas in one declaration or property: the parser's time grows with the square of a list's length. */
const MAX_COMMAS = 2000;

/**
 * Looks whether a piece nests too deeply for a recursive parser, in one pass over its text. Metrics that people and
 * searches write nest less than twenty deep.
 */
export function findNestingProblem(text: string): NestingProblem | undefined {
  // Of each open parenthesis: how many prefix operators and powers wait for their operand to end.
  const levels = [0];
  let waiting = 0;
  let operators = 0;
  let commas = 0;
  let afterOperand = false;
  TOKENS.lastIndex = 0;
  for (let match = TOKENS.exec(text); match; match = TOKENS.exec(text)) {
    const token = match[0];
    const isPrefix = token === '-' && !afterOperand;
    if (token === '(') {
      levels.push(0);
      waiting++;
    } else if (token === ')') {
      if (levels.length > 1) waiting -= 1 + levels.pop()!;
    } else if (isPrefix || token === '^') {
      levels[levels.length - 1]! += 1;
      waiting++;
    } else if (OPERATORS.has(token) || token === ',') {
      waiting -= levels.at(-1)!;
      levels[levels.length - 1] = 0;
    } else if (token.startsWith('//')) {
      continue;
    }
    if (OPERATORS.has(token)) operators++;
    if (token === ',') commas++;
    afterOperand = !(
      OPERATORS.has(token) ||
      token === '(' ||
      token === '[' ||
      token === ',' ||
      token === '=' ||
      token === ':'
    );
    const span = { start: match.index, end: match.index + token.length };
    if (waiting > MAX_NESTING) {
      return { span, message: `more than ${MAX_NESTING} parentheses, signs and powers inside each other` };
    }
    if (commas > MAX_COMMAS) return { span, message: `more than ${MAX_COMMAS} commas in one place` };
    if (operators > MAX_OPERATORS) return { span, message: `more than ${MAX_OPERATORS} operators in one place` };
  }
  return undefined;
}

const OPERATORS: ReadonlySet<string> = new Set(['+', '-', '*', '/', '^']);

/** Comments, strings, and anything else that is not blank, characters that matter one by one. */
const TOKENS = /\/\/[^\n\r]*|"[^"\n\r]*"?|[-+*/^()[\],=:]|[^-+*/^()[\],=:"\s]+/g;
