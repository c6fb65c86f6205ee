/** A stretch of text: `end` is behind the last character. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The syntax tree of one declaration or property. Spans count from the start of the piece of text that was parsed, not of
 * the file, so that a piece that did not change keeps its tree when text before it does (see `pieces.ts`).
 */
export type DeclarationSyntax = BindingSyntax | ParameterSyntax | MetricSyntax | BlockSyntax;

/** `model tiny = "models/tiny"`, `corpus c4 = "data/c4.json.gz" (field: "text")`, `task mine = "mine.jsonl" (context: "{question}", …)` */
export interface BindingSyntax {
  readonly kind: 'model' | 'corpus' | 'task';
  readonly span: Span;
  readonly name: Identifier | undefined;
  readonly path: TextSyntax | undefined;
}

/** `parameter alpha = 0.5` */
export interface ParameterSyntax {
  readonly kind: 'parameter';
  readonly span: Span;
  readonly name: Identifier | undefined;
  readonly value: ExpressionSyntax;
}

/** `metric scaled(alpha = 0.5) = W * X ^ alpha` */
export interface MetricSyntax {
  readonly kind: 'metric';
  readonly span: Span;
  readonly name: Identifier | undefined;
  readonly parameters: readonly MetricParameterSyntax[];
  readonly body: ExpressionSyntax;
  /** `layer` in `metric magnitude = W (group: layer)`. */
  readonly group?: Identifier;
}

export interface MetricParameterSyntax {
  readonly name: Identifier;
  readonly value: ExpressionSyntax;
}

/** `experiment halves { … }`, `search evolved { … }`, `defaults { … }`: the frame; its properties are pieces of their own. */
export interface BlockSyntax {
  readonly kind: 'experiment' | 'search' | 'defaults';
  readonly span: Span;
  /** `defaults` has none. */
  readonly name: Identifier | undefined;
}

/** `prune: wanda, magnitude` */
export interface PropertySyntax {
  readonly span: Span;
  readonly key: Identifier;
  readonly values: readonly ExpressionSyntax[];
}

export interface Identifier {
  readonly text: string;
  readonly span: Span;
}

/** An expression as written; parentheses are not nodes, but belong to the span of the operation around them. */
export type ExpressionSyntax = PlainExpression & {
  /** `layer` in `W (group: layer)`; only of a value. */
  readonly group?: Identifier;
  /** `admm (iterations: 20)` in `wanda then admm (iterations: 20)`; only of a value. */
  readonly then?: AppliedSyntax;
};

/** A method with its settings, `admm (iterations: 20)`, or its name alone. */
export interface AppliedSyntax {
  readonly span: Span;
  readonly callee: { readonly name: string; readonly span: Span };
  readonly arguments: readonly ArgumentSyntax[];
}

type PlainExpression =
  | NameSyntax
  | CallSyntax
  | NumberSyntax
  | PercentageSyntax
  | RatioSyntax
  | QuantitySyntax
  | TextSyntax
  | ListSyntax
  | NegationSyntax
  | BinarySyntax
  | MissingSyntax;

/** An operand, metric, parameter, model, corpus or choice. */
export interface NameSyntax {
  readonly kind: 'name';
  readonly span: Span;
  readonly name: string;
}

export interface CallSyntax {
  readonly kind: 'call';
  readonly span: Span;
  readonly callee: Identifier;
  readonly arguments: readonly ArgumentSyntax[];
}

export interface ArgumentSyntax {
  /** `alpha` in `scaled(alpha: 0.7)`. */
  readonly name: Identifier | undefined;
  readonly value: ExpressionSyntax;
  readonly span: Span;
}

export interface NumberSyntax {
  readonly kind: 'number';
  readonly span: Span;
  /** Infinite where the digits are beyond float64. */
  readonly value: number;
}

/** `50%` */
export interface PercentageSyntax {
  readonly kind: 'percentage';
  readonly span: Span;
  readonly text: string;
}

/** `2:4` */
export interface RatioSyntax {
  readonly kind: 'ratio';
  readonly span: Span;
  readonly text: string;
}

/** `1.5x faster`, `40% fewer parameters`, `2 GB`: a number or percentage with words behind it; only as a value. */
export interface QuantitySyntax {
  readonly kind: 'quantity';
  readonly span: Span;
  /** With one blank between words. */
  readonly text: string;
}

/** A string. */
export interface TextSyntax {
  readonly kind: 'text';
  readonly span: Span;
  /** What stands between the quotes. */
  readonly text: string;
  /** In parentheses behind it: the settings of a text that is named by its path. */
  readonly arguments: readonly ArgumentSyntax[];
}

/** `[0.2, 0.4]`, only as a property's value or an argument. */
export interface ListSyntax {
  readonly kind: 'list';
  readonly span: Span;
  readonly values: readonly ExpressionSyntax[];
}

export interface NegationSyntax {
  readonly kind: 'negation';
  readonly span: Span;
  readonly operand: ExpressionSyntax;
}

export interface BinarySyntax {
  readonly kind: 'binary';
  readonly span: Span;
  readonly operator: '+' | '-' | '*' | '/' | '^';
  readonly left: ExpressionSyntax;
  readonly right: ExpressionSyntax;
}

/** What a syntax error left out. */
export interface MissingSyntax {
  readonly kind: 'missing';
  readonly span: Span;
}

/** Calls `visit` for every node, parents first. */
export function visitExpression(root: ExpressionSyntax, visit: (node: ExpressionSyntax) => void): void {
  visit(root);
  switch (root.kind) {
    case 'call':
    case 'text':
      for (const argument of root.arguments) visitExpression(argument.value, visit);
      break;
    case 'list':
      for (const value of root.values) visitExpression(value, visit);
      break;
    case 'negation':
      visitExpression(root.operand, visit);
      break;
    case 'binary':
      visitExpression(root.left, visit);
      visitExpression(root.right, visit);
      break;
    case 'name':
    case 'number':
    case 'percentage':
    case 'ratio':
    case 'quantity':
    case 'missing':
      break;
  }
}
