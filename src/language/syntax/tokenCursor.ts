import type { Span } from './syntax.ts';
import { unexpectedToken, unknownToken } from './syntaxProblem.ts';
import type { SyntaxProblem } from './syntaxProblem.ts';
import { tokenBehind } from './tokens.ts';
import type { Token } from './tokens.ts';

/** Parentheses, minus signs and powers inside each other: the parser recurses for each, and so does who walks its tree. */
const MAX_NESTING = 64;

const OPERATORS: ReadonlySet<string> = new Set('+-*/^');

/** Operators in one declaration or property: a chain of them is a tree as deep as it is long. */
const MAX_OPERATORS = 1000;

/** Commas in one declaration or property. */
const MAX_COMMAS = 2000;

/**
 * Takes the tokens of a text one by one. What is not there is told once and taken as if it were, so that a mistake leaves names on both sides of
 * it in the tree; what is too deep or too long ends the text.
 */
export class TokenCursor {
  problem: SyntaxProblem | undefined;
  /** The first token that is not taken yet. */
  next: Token;
  /** The one that was taken last. */
  private last: Span = { start: 0, end: 0 };
  private nesting = 0;
  private lists = 0;
  private operators = 0;
  private commas = 0;
  protected readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.next = this.tokenBehind(0);
  }

  /** Where the token ends that was taken last. */
  get end(): number {
    return this.last.end;
  }

  /** Takes note that something else stands here than what was expected, unless there was a problem before. */
  expected(what: string): void {
    this.problem ??= unexpectedToken(this.text, what, this.next, this.last, this.lists > 0);
  }

  /** The token behind one that is not taken yet; nothing is told of it. */
  tokenAfter({ end }: Span): Token {
    let token = tokenBehind(this.text, end);
    while (token.kind === 'comment' || token.kind === 'other') token = tokenBehind(this.text, token.end);
    return token;
  }

  /** What stands in parentheses, commas in between; nothing where there are none. */
  parenthesized<Item>(item: () => Item): Item[] {
    if (!this.is('(')) return [];
    this.take();
    if (!this.is(')')) return this.nested(() => this.items(item, ')'));
    this.take();
    return [];
  }

  /** At least one, commas in between, and the sign that ends them, if one does. */
  items<Item>(item: () => Item, end?: ')' | ']'): Item[] {
    const items = [item()];
    for (;;) {
      if (end !== undefined && !this.is(',') && !this.is(end)) {
        this.expected(`\`,\` or \`${end}\``);
        this.skipTo(',', end);
      }
      if (!this.is(',')) break;
      this.take();
      items.push(item());
    }
    if (end !== undefined) this.sign(end);
    return items;
  }

  /** A sign that ends something; what stands before it is skipped. */
  close(sign: ')' | '}'): void {
    if (!this.is(sign)) this.expected(`\`${sign}\``);
    this.skipTo(sign);
    this.sign(sign);
  }

  /** Takes everything before one of the signs that is in no parentheses of its own. */
  private skipTo(...signs: readonly string[]): void {
    let open = 0;
    while (this.next.kind !== 'end' && (open > 0 || !signs.includes(this.next.text))) {
      const { text } = this.take();
      if (text === '(') open++;
      if (text === ')') open--;
    }
  }

  sign(sign: string): void {
    this.wanted(`\`${sign}\``, ({ text }) => text === sign);
  }

  /** Takes the next token if it is the one that is wanted. @param canSkip another token, where the wanted one stands behind it */
  wanted(what: string, isWanted: (token: Token) => boolean, canSkip = true): Token | undefined {
    if (!isWanted(this.next)) {
      this.expected(what);
      if (canSkip && isWanted(this.tokenBehind(this.next.end))) this.take();
    }
    return isWanted(this.next) ? this.take() : undefined;
  }

  is(sign: string): boolean {
    return this.next.text === sign;
  }

  /** Parses what stands in brackets: there they are no mistake. */
  inList<Result>(parse: () => Result): Result {
    this.lists++;
    const result = parse();
    this.lists--;
    return result;
  }

  /** Parses what is inside of the sign that was taken last. */
  nested<Result>(parse: () => Result): Result {
    this.nesting++;
    if (this.nesting > MAX_NESTING) {
      this.stop(`more than ${MAX_NESTING} parentheses, signs and powers inside each other`);
    }
    const result = parse();
    this.nesting--;
    return result;
  }

  /** The end of the text is taken as often as one likes. */
  take(): Token {
    const token = this.next;
    this.last = token;
    this.next = this.tokenBehind(token.end);
    if (token.text === ',' && ++this.commas > MAX_COMMAS) this.stop(`more than ${MAX_COMMAS} commas in one place`);
    if (OPERATORS.has(token.text) && ++this.operators > MAX_OPERATORS) {
      this.stop(`more than ${MAX_OPERATORS} operators in one place`);
    }
    return token;
  }

  /** Goes no further: the text ends with what was taken last. */
  private stop(message: string): void {
    this.problem ??= { code: 'syntax/too-deep', span: spanOf(this.last), message };
    this.next = this.tokenBehind(this.text.length);
  }

  /** Comments are left out, and characters that mean nothing, once told. */
  private tokenBehind(offset: number): Token {
    let token = tokenBehind(this.text, offset);
    while (token.kind === 'comment' || token.kind === 'other') {
      if (token.kind === 'other') this.problem ??= unknownToken(this.text, token);
      token = tokenBehind(this.text, token.end);
    }
    return token;
  }

  /** From there to where the token ends that was taken last. */
  since(start: number): Span {
    return { start, end: Math.max(start, this.last.end) };
  }
}

export function spanOf({ start, end }: Span): Span {
  return { start, end };
}
