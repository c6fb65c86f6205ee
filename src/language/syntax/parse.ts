import type {
  AppliedSyntax,
  ArgumentSyntax,
  BinarySyntax,
  DeclarationSyntax,
  ExpressionSyntax,
  Identifier,
  MetricParameterSyntax,
  PropertySyntax,
  Span,
  TextSyntax,
} from './syntax.ts';
import { unexpectedToken, unknownToken } from './syntaxProblem.ts';
import type { SyntaxProblem } from './syntaxProblem.ts';
import { tokenBehind } from './tokens.ts';
import type { Token } from './tokens.ts';
import type { DeclarationKeyword } from './words.ts';

/** What a piece of text parses to: with a problem, the tree holds what could be made out. */
export interface Parsed<Syntax> {
  readonly syntax: Syntax;
  /** The first one: what a parser says behind it is guesswork. */
  readonly problem: SyntaxProblem | undefined;
}

/**
 * Parses one declaration (of a block: its frame). Never throws.
 *
 *     declaration  model NAME = STRING
 *                  (corpus | task) NAME = STRING [arguments]
 *                  parameter NAME = expression
 *                  metric NAME [( [NAME = expression, …] )] = expression [options]
 *                  (experiment NAME | search NAME | defaults) { [property …] }
 *     property     NAME : value, …
 *     value        expression [options] [then NAME [arguments]] | [ expression, … ]
 *     options      ( group : NAME )
 *     expression   operand | - expression | expression (+ | - | * | / | ^) expression
 *     operand      NAME [arguments] | STRING [arguments] | NUMBER | PERCENTAGE | RATIO | ( expression )
 *     arguments    ( [[NAME :] value, …] )
 *
 * Which names and values there can be is checked later: most mistakes are then no syntax errors, and everything around
 * them keeps its meaning. Keywords are names wherever no declaration begins (`model: tiny`).
 * @param keyword that the text begins with
 */
export function parseDeclaration(text: string, keyword: DeclarationKeyword): Parsed<DeclarationSyntax> {
  return parseAll(text, (parser) => parser.declaration(keyword));
}

/** Parses one property of a block, `NAME: value, …`. Never throws. */
export function parseProperty(text: string): Parsed<PropertySyntax> {
  return parseAll(text, (parser) => parser.property(), '`,` or the next property');
}

/** Parses a lone expression. Never throws. */
export function parseExpressionText(text: string): Parsed<ExpressionSyntax> {
  return parseAll(text, (parser) => parser.expression());
}

/** Parentheses, minus signs and powers inside each other: the parser recurses for each, and so does who walks its tree. */
const MAX_NESTING = 64;

/** Operators in one declaration or property: a chain of them is a tree as deep as it is long. */
const MAX_OPERATORS = 1000;

/** Commas in one declaration or property. */
const MAX_COMMAS = 2000;

/** How tightly an operator binds its operands; of two that bind alike the left one is the inner one. */
const BINDING: ReadonlyMap<string, number> = new Map([
  ['+', 1],
  ['-', 1],
  ['*', 2],
  ['/', 2],
  ['^', 4],
]);

/** `-W ^ 2` is `-(W ^ 2)`, `2 ^ -W` needs no parentheses, and `2 ^ W ^ X` is `2 ^ (W ^ X)`. */
const SIGN_BINDING = 3;

/** @param follows what could stand behind it */
function parseAll<Syntax>(
  text: string,
  parse: (parser: Parser) => Syntax,
  follows = 'an operator or the next declaration',
): Parsed<Syntax> {
  const parser = new Parser(text);
  const syntax = parse(parser);
  if (parser.next.kind !== 'end') parser.expected(follows);
  return { syntax, problem: parser.problem };
}

/**
 * Recursive descent, by binding strength for operators. What is not there is told once and taken as if it were, so that
 * a mistake leaves names on both sides of it in the tree.
 */
class Parser {
  problem: SyntaxProblem | undefined;
  /** The first token that is not taken yet. */
  next: Token;
  /** The one that was taken last. */
  private last: Span = { start: 0, end: 0 };
  private nesting = 0;
  private lists = 0;
  private operators = 0;
  private commas = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.next = this.tokenBehind(0);
  }

  declaration(keyword: DeclarationKeyword): DeclarationSyntax {
    const { start } = this.take();
    const name = keyword === 'defaults' ? undefined : this.name();
    switch (keyword) {
      case 'model':
      case 'corpus':
      case 'task': {
        this.sign('=');
        const path = this.path(keyword !== 'model');
        return { kind: keyword, span: this.since(start), name, path };
      }
      case 'parameter': {
        this.sign('=');
        const value = this.expression();
        return { kind: keyword, span: this.since(start), name, value };
      }
      case 'metric': {
        const parameters = this.parenthesized(() => this.parameter()).filter((parameter) => parameter !== undefined);
        this.sign('=');
        const body = this.expression();
        const group = this.groupOption();
        return { kind: keyword, span: this.since(start), name, parameters, body, ...(group && { group }) };
      }
      case 'experiment':
      case 'search':
      case 'defaults':
        this.sign('{');
        // The properties have been cut out: a word that is left begins none.
        if (this.next.kind === 'name') {
          this.take();
          this.sign(':');
        }
        this.close('}');
        return { kind: keyword, span: this.since(start), name };
    }
  }

  property(): PropertySyntax {
    const key = this.take();
    this.sign(':');
    const values = this.items(() => this.value());
    return { span: this.since(key.start), key: { text: key.text, span: spanOf(key) }, values };
  }

  /** @param binding operators that bind more tightly belong to it */
  expression(binding = 0): ExpressionSyntax {
    const { start } = this.next;
    let left = this.operand();
    for (let own = this.bindingOfNext(); own > binding; own = this.bindingOfNext()) {
      const operator = this.take().text as BinarySyntax['operator'];
      const right = operator === '^' ? this.nested(() => this.expression(SIGN_BINDING)) : this.expression(own);
      left = { kind: 'binary', span: this.since(start), operator, left, right };
    }
    return left;
  }

  /** Takes note that something else stands here than what was expected, unless there was a problem before. */
  expected(what: string): void {
    this.problem ??= unexpectedToken(this.text, what, this.next, this.last, this.lists > 0);
  }

  private bindingOfNext(): number {
    return BINDING.get(this.next.text) ?? 0;
  }

  private operand(): ExpressionSyntax {
    const { kind, text, start } = this.next;
    switch (kind) {
      case 'name': {
        const callee = { text, span: spanOf(this.take()) };
        if (!this.is('(') || this.isGroupOption()) return { kind, span: callee.span, name: text };
        const given = this.parenthesized(() => this.argument());
        return { kind: 'call', span: this.since(start), callee, arguments: given };
      }
      case 'string': {
        this.take();
        const given = this.parenthesized(() => this.argument());
        return { kind: 'text', span: this.since(start), text: text.slice(1, -1), arguments: given };
      }
      case 'number':
        return { kind, span: spanOf(this.take()), value: Number(text) };
      case 'percentage':
        return { kind, span: spanOf(this.take()), text };
      case 'ratio':
        return { kind, span: spanOf(this.take()), text: text.replaceAll(/\s/g, '') };
      case 'sign':
      case 'end':
      case 'comment':
      case 'other':
        return this.group() ?? this.negation() ?? this.missing();
    }
  }

  /** The parentheses are no node, but belong to the operation around them. */
  private group(): ExpressionSyntax | undefined {
    if (!this.is('(')) return undefined;
    this.take();
    const inner = this.nested(() => this.expression());
    this.close(')');
    return inner;
  }

  private negation(): ExpressionSyntax | undefined {
    if (!this.is('-')) return undefined;
    const { start } = this.take();
    const operand = this.nested(() => this.expression(SIGN_BINDING));
    return { kind: 'negation', span: this.since(start), operand };
  }

  private missing(): ExpressionSyntax {
    this.expected('an operand, a metric, a number or `(`');
    return { kind: 'missing', span: { start: this.last.end, end: this.last.end } };
  }

  /** What a property or an argument says. */
  private value(): ExpressionSyntax {
    if (!this.is('[')) {
      const expression = this.expression();
      const group = this.groupOption();
      const then = this.then();
      return { ...expression, ...(group && { group }), ...(then && { then }) };
    }
    const { start } = this.take();
    this.lists++;
    const values = this.items(() => this.expression(), ']');
    this.lists--;
    return { kind: 'list', span: this.since(start), values };
  }

  private argument(): ArgumentSyntax {
    const { start } = this.next;
    const value = this.value();
    const isName = value.kind === 'name' && value.span.start === start && this.is(':');
    if (!isName) return { name: undefined, value, span: this.since(start) };
    this.take();
    const named = this.value();
    return { name: { text: value.name, span: value.span }, value: named, span: this.since(start) };
  }

  private parameter(): MetricParameterSyntax | undefined {
    const name = this.name();
    this.sign('=');
    const value = this.expression();
    return name && { name, value };
  }

  private name(): Identifier | undefined {
    // In `metric = W` and `experiment { … }` a name is missing, and nothing stands in its place.
    const isLeftOut = this.is('=') || this.is('(') || this.is('{');
    const token = this.wanted('a name', ({ kind }) => kind === 'name', !isLeftOut);
    return token && { text: token.text, span: spanOf(token) };
  }

  /** @param takesSettings whether some may stand in parentheses behind it */
  private path(takesSettings: boolean): TextSyntax | undefined {
    const token = this.wanted('a path in quotes', ({ kind }) => kind === 'string');
    if (token === undefined) return undefined;
    const given = takesSettings ? this.parenthesized(() => this.argument()) : [];
    return { kind: 'text', span: spanOf(token), text: token.text.slice(1, -1), arguments: given };
  }

  /** What a metric says of itself behind its formula: `(group: layer)`. */
  private groupOption(): Identifier | undefined {
    if (!this.isGroupOption()) return undefined;
    for (let taken = 0; taken < 3; taken++) this.take();
    const group = this.name();
    this.sign(')');
    return group;
  }

  /** What becomes of the weights that stay: `then admm (iterations: 20)`. Behind a value no other name can stand. */
  private then(): AppliedSyntax | undefined {
    if (this.next.kind !== 'name' || this.next.text !== 'then') return undefined;
    this.take();
    const { start } = this.next;
    const name = this.name();
    if (name === undefined) return undefined;
    const given = this.parenthesized(() => this.argument());
    return { span: this.since(start), callee: { name: name.text, span: name.span }, arguments: given };
  }

  /** Whether what stands in the parentheses that come next is no argument of a call. */
  private isGroupOption(): boolean {
    if (!this.is('(')) return false;
    const name = this.tokenAfter(this.next);
    return name.text === 'group' && this.tokenAfter(name).text === ':';
  }

  /** The token behind one that is not taken yet; nothing is told of it. */
  private tokenAfter({ end }: Span): Token {
    let token = tokenBehind(this.text, end);
    while (token.kind === 'comment' || token.kind === 'other') token = tokenBehind(this.text, token.end);
    return token;
  }

  /** What stands in parentheses, commas in between; nothing where there are none. */
  private parenthesized<Item>(item: () => Item): Item[] {
    if (!this.is('(')) return [];
    this.take();
    if (!this.is(')')) return this.nested(() => this.items(item, ')'));
    this.take();
    return [];
  }

  /** At least one, commas in between, and the sign that ends them, if one does. */
  private items<Item>(item: () => Item, end?: ')' | ']'): Item[] {
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
  private close(sign: ')' | '}'): void {
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

  private sign(sign: string): void {
    this.wanted(`\`${sign}\``, ({ text }) => text === sign);
  }

  /** Takes the next token if it is the one that is wanted. @param canSkip another token, where the wanted one stands behind it */
  private wanted(what: string, isWanted: (token: Token) => boolean, canSkip = true): Token | undefined {
    if (!isWanted(this.next)) {
      this.expected(what);
      if (canSkip && isWanted(this.tokenBehind(this.next.end))) this.take();
    }
    return isWanted(this.next) ? this.take() : undefined;
  }

  private is(sign: string): boolean {
    return this.next.text === sign;
  }

  /** Parses what is inside of the sign that was taken last. */
  private nested<Result>(parse: () => Result): Result {
    this.nesting++;
    if (this.nesting > MAX_NESTING) {
      this.stop(`more than ${MAX_NESTING} parentheses, signs and powers inside each other`);
    }
    const result = parse();
    this.nesting--;
    return result;
  }

  private take(): Token {
    const token = this.next;
    this.last = token;
    this.next = this.tokenBehind(token.end);
    if (token.text === ',' && ++this.commas > MAX_COMMAS) this.stop(`more than ${MAX_COMMAS} commas in one place`);
    if (BINDING.has(token.text) && ++this.operators > MAX_OPERATORS) {
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

  private since(start: number): Span {
    return { start, end: Math.max(start, this.last.end) };
  }
}

function spanOf({ start, end }: Span): Span {
  return { start, end };
}
