import type {
  AppliedSyntax,
  ArgumentSyntax,
  BinarySyntax,
  DeclarationSyntax,
  ExpressionSyntax,
  Identifier,
  MetricParameterSyntax,
  PropertySyntax,
  QuantitySyntax,
  TextSyntax,
} from './syntax.ts';
import type { SyntaxProblem } from './syntaxProblem.ts';
import { spanOf, TokenCursor } from './tokenCursor.ts';
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
 *     value        expression [options] [then NAME [arguments]] | [ expression, … ] | quantity
 *     quantity     (NUMBER | PERCENTAGE) NAME …, on one line
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

/** Recursive descent, by binding strength for operators. */
class Parser extends TokenCursor {
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
    return { kind: 'missing', span: { start: this.end, end: this.end } };
  }

  /** What a property or an argument says. */
  private value(): ExpressionSyntax {
    const quantity = this.quantity();
    if (quantity) return quantity;
    if (!this.is('[')) {
      const expression = this.expression();
      const group = this.groupOption();
      const then = this.then();
      return { ...expression, ...(group && { group }), ...(then && { then }) };
    }
    const { start } = this.take();
    const values = this.inList(() => this.items(() => this.expression(), ']'));
    return { kind: 'list', span: this.since(start), values };
  }

  /** `1.5x faster`: nothing else has a word right behind a number. */
  private quantity(): QuantitySyntax | undefined {
    const first = this.next;
    if (first.kind !== 'number' && first.kind !== 'percentage') return undefined;
    if (!this.isWord(this.tokenAfter(first), first.end)) return undefined;
    const words = [this.take().text.replaceAll(/\s/g, '')];
    while (this.isWord(this.next, this.end)) words.push(this.take().text);
    return { kind: 'quantity', span: this.since(first.start), text: words.join(' ') };
  }

  /** Whether a token is a word of a quantity that goes on from `end`; `then` begins what follows a value, a colon stands behind what a property is called. */
  private isWord(token: Token, end: number): boolean {
    const { kind, text, start } = token;
    if (this.tokenAfter(token).text === ':') return false;
    return kind === 'name' && text !== 'then' && !/[\n\r]/.test(this.text.slice(end, start));
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
}
