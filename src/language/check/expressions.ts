import { applyToNumbers, constantOf } from '../../metric/constant.ts';
import { number, operand, operation } from '../../metric/expression.ts';
import type { Expression } from '../../metric/expression.ts';
import { MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_NODES } from '../../metric/limits.ts';
import { nearestName } from '../../metric/nearest.ts';
import { OPERANDS } from '../../metric/operands.ts';
import type { OperandName } from '../../metric/operands.ts';
import { OPERATIONS } from '../../metric/operations.ts';
import type { OperationName } from '../../metric/operations.ts';
import {
  describeShapeProblem,
  isShapeProblem,
  OPERAND_SHAPES,
  printShape,
  resultShape,
  SCALAR,
} from '../../metric/shape.ts';
import type { Shape } from '../../metric/shape.ts';
import { nestFixes, quotientFix } from './callFixes.ts';
import { didYouMean, replaceFix, shift } from './diagnostics.ts';
import type { Diagnostic, DiagnosticCode } from './diagnostics.ts';
import type { DeclaredSymbol, FileSymbol } from './symbols.ts';
import { addSite } from './findings.ts';
import type { Findings } from './findings.ts';
import type { Group } from './groupOption.ts';
import { CLAUSES, isClauseName } from './structureWords.ts';
import type { BinarySyntax, CallSyntax, ExpressionSyntax, NameSyntax, NumberSyntax, Span } from '../syntax/syntax.ts';

/** An expression with what the checks know about it. Subtrees may be shared, the size counts them each time. */
export interface Compiled {
  readonly expression: Expression;
  readonly shape: Shape;
  /** Its value, where it has the same everywhere. */
  readonly constant: number | undefined;
  readonly size: number;
  readonly depth: number;
}

/** What a name in an expression stands for; `value: undefined` where its declaration has an error, which is told there. */
export type Meaning =
  | { readonly kind: 'value'; readonly symbol: FileSymbol; readonly value: Compiled | undefined }
  | { readonly kind: 'metric'; readonly symbol: DeclaredSymbol; readonly metric: CallableMetric }
  | { readonly kind: 'operation'; readonly name: OperationName }
  /** A metric of which nothing is known: its error is told where it is declared. */
  | { readonly kind: 'broken'; readonly symbol: DeclaredSymbol }
  | { readonly kind: 'other'; readonly symbol: DeclaredSymbol };

/** A metric as its users see it. */
export interface CallableMetric {
  readonly name: string;
  readonly parameters: readonly CallableParameter[];
  /** With all parameters at their defaults; undefined where the metric is broken. */
  readonly compiled: Compiled | undefined;
  /** What its weights are compared over, where it says so. */
  readonly group?: Group;
  /** The metric for these values, in the order of the parameters; undefined where it has none that is finite. */
  instantiate(values: readonly number[]): Compiled | undefined;
}

export interface CallableParameter {
  readonly name: string;
  readonly symbol: DeclaredSymbol;
  readonly value: number | undefined;
}

/** What an expression is compiled in. */
export interface ExpressionContext {
  /** Offset in the file that the syntax counts from. */
  readonly base: number;
  resolve(name: string): Meaning | undefined;
  /** The name that was meant instead of an unknown one. */
  suggest(name: string, use: 'value' | 'call'): string | undefined;
  /** Where findings go; undefined to compile without telling anything. */
  readonly findings: Findings | undefined;
}

/**
 * The closed expression that a syntax tree stands for: references and parameters are replaced by what they stand for.
 * @returns undefined where anything in it is wrong; every mistake is told in its own place, and only there
 */
export function compileExpression(syntax: ExpressionSyntax, context: ExpressionContext): Compiled | undefined {
  return new ExpressionCompiler(context).compile(syntax);
}

/** Of a number in an expression. */
export function numberValue(value: number): Compiled {
  return { expression: number(value), shape: SCALAR, constant: value === 0 ? 0 : value, size: 1, depth: 1 };
}

export function operandValue(name: OperandName): Compiled {
  const shape = OPERAND_SHAPES[OPERANDS[name].shape];
  return { expression: operand(name), shape, constant: undefined, size: 1, depth: 1 };
}

/** What stands in a value, and in no formula. */
const NOT_VALUES = {
  percentage: 'a percentage',
  ratio: 'a ratio',
  quantity: 'words behind a number',
  text: 'a text',
  list: 'a list',
} as const;

class ExpressionCompiler {
  private readonly context: ExpressionContext;
  /** Nodes that references have been replaced by: what bounds the time, before the size of the result is known. */
  private expanded = 0;
  private isTooLarge = false;
  private root: ExpressionSyntax | undefined;

  constructor(context: ExpressionContext) {
    this.context = context;
  }

  compile(node: ExpressionSyntax): Compiled | undefined {
    this.root ??= node;
    switch (node.kind) {
      case 'missing':
        return undefined;
      case 'number':
        return this.compileNumber(node, 1);
      case 'percentage':
      case 'ratio':
      case 'quantity':
      case 'text':
      case 'list': {
        this.report('metric/not-a-value', node.span, `${NOT_VALUES[node.kind]} cannot stand in a formula`);
        return undefined;
      }
      case 'name':
        return this.compileName(node);
      case 'call':
        return this.compileCall(node);
      case 'negation':
        if (node.operand.kind === 'number') return this.compileNumber(node.operand, -1);
        return this.apply('neg', [this.compile(node.operand)], node.span);
      case 'binary':
        return this.apply(INFIX[node.operator], [this.compile(node.left), this.compile(node.right)], node.span);
    }
  }

  private compileNumber(node: NumberSyntax, sign: 1 | -1): Compiled | undefined {
    const single = Math.fround(node.value);
    if (!Number.isFinite(single)) {
      this.report('number/range', node.span, 'this number is beyond the range of float32 (3.4e38)');
      return undefined;
    }
    if (single === 0 && node.value !== 0) {
      this.report('number/underflow', node.span, 'this number is 0 in float32, which metrics are computed in');
    }
    return numberValue(sign * node.value);
  }

  private compileName(node: NameSyntax): Compiled | undefined {
    const meaning = this.resolve(node.name, node.span, 'value');
    switch (meaning?.kind) {
      case undefined:
      case 'broken':
        return undefined;
      case 'value':
        return this.expand(meaning.value, node.span);
      case 'metric':
        return this.expand(meaning.metric.compiled, node.span);
      case 'operation': {
        const form = `${meaning.name}(${OPERATIONS[meaning.name].arity === 1 ? 'x' : 'x, y'})`;
        this.report('call/arity', node.span, `\`${meaning.name}\` is an operation: write \`${form}\``);
        return undefined;
      }
      case 'other':
        this.reportKind(meaning.symbol, node.span, 'cannot stand in a metric');
        return undefined;
    }
  }

  private compileCall(node: CallSyntax): Compiled | undefined {
    const { callee } = node;
    const meaning = this.resolve(callee.text, callee.span, 'call');
    if (meaning?.kind === 'operation') return this.compileOperation(meaning.name, node);
    if (meaning?.kind === 'metric') return this.compileMetricCall(meaning.metric, node);
    if (meaning === undefined && isClauseName(callee.text)) return undefined;
    // The arguments have their own mistakes and names.
    for (const argument of node.arguments) this.compile(argument.value);
    if (meaning?.kind === 'value') {
      const what = meaning.symbol.kind === 'operand' ? 'an operand' : 'a parameter';
      this.report('call/not-a-function', callee.span, `\`${callee.text}\` is ${what} and takes no arguments`);
    } else if (meaning?.kind === 'other') {
      this.reportKind(meaning.symbol, callee.span, 'cannot stand in a metric');
    }
    return undefined;
  }

  private compileOperation(name: OperationName, node: CallSyntax): Compiled | undefined {
    const named = node.arguments.find((argument) => argument.name !== undefined);
    const values = node.arguments.map((argument) => this.compile(argument.value));
    if (named?.name !== undefined) {
      this.report('call/argument', named.name.span, `the arguments of \`${name}\` have no names`);
      return undefined;
    }
    const { arity } = OPERATIONS[name];
    if (values.length !== arity) {
      const message = `\`${name}\` takes ${count(arity)}, not ${values.length}`;
      const fixes = nestFixes(name, node, this.context.base);
      this.report('call/arity', node.callee.span, message, fixes && { fixes });
      return undefined;
    }
    const compiled = this.apply(name, values, node.span);
    if (name === 'div' && compiled !== undefined) {
      const message = '`div` divides by the norm of the whole of its second argument: elementwise it is `/`';
      const fixes = [quotientFix(node, node === this.root, this.context.base)];
      this.report('call/div-is-norm', node.callee.span, message, { fixes });
    }
    return compiled;
  }

  private compileMetricCall(metric: CallableMetric, node: CallSyntax): Compiled | undefined {
    const given = this.argumentValues(metric, node);
    if (given === undefined || metric.compiled === undefined) return undefined;
    if (given.size === 0) return this.expand(metric.compiled, node.callee.span);
    // The size does not depend on the arguments: what is too large is not built.
    if (this.expand(metric.compiled, node.callee.span) === undefined) return undefined;
    const values = metric.parameters.map(({ name, value }) => given.get(name) ?? value ?? NaN);
    const compiled = metric.instantiate(values);
    if (compiled === undefined) {
      this.report('metric/not-finite', node.span, `\`${metric.name}\` has no finite value with these arguments`);
    }
    return compiled;
  }

  /** The values of the given arguments by the parameters' names; undefined where one of them is wrong. */
  private argumentValues(metric: CallableMetric, node: CallSyntax): ReadonlyMap<string, number> | undefined {
    const { parameters } = metric;
    const values = new Map<string, number>();
    let failed = false;
    let namedBefore = false;
    if (node.arguments.length > parameters.length) {
      const takes = parameters.length === 0 ? 'no arguments' : `at most ${count(parameters.length)}`;
      const message = `\`${metric.name}\` takes ${takes}, not ${node.arguments.length}`;
      const whole = shift(node.span, this.context.base);
      const fixes = parameters.length === 0 ? { fixes: [replaceFix(whole, metric.name)] } : {};
      this.report('call/arity', node.callee.span, message, fixes);
      failed = true;
    }
    node.arguments.forEach((argument, i) => {
      const compiled = this.compile(argument.value);
      if (failed && i >= parameters.length) return;
      const parameter = argument.name ? parameters.find(({ name }) => name === argument.name?.text) : parameters[i];
      const problem = this.argumentProblem(metric, argument.name?.text, parameter, values, namedBefore);
      namedBefore ||= argument.name !== undefined;
      if (argument.name !== undefined && parameter !== undefined) this.site(argument.name.span, parameter.symbol);
      if (problem !== undefined) {
        const span = argument.name?.span ?? argument.span;
        const { suffix, ...fixes } = didYouMean(shift(span, this.context.base), problem.near);
        this.report('call/argument', span, problem.message + suffix, fixes);
        failed = true;
      } else if (compiled === undefined) {
        failed = true;
      } else if (compiled.shape.length > 0 || compiled.constant === undefined) {
        const is = printShape(compiled.shape);
        this.report('shape/needs-number', argument.value.span, `\`${parameter!.name}\` is a number, and this is ${is}`);
        failed = true;
      } else {
        values.set(parameter!.name, compiled.constant);
      }
    });
    return failed ? undefined : values;
  }

  private argumentProblem(
    metric: CallableMetric,
    name: string | undefined,
    parameter: CallableParameter | undefined,
    values: ReadonlyMap<string, number>,
    namedBefore: boolean,
  ): { message: string; near?: string } | undefined {
    if (parameter === undefined) {
      const near = name === undefined ? undefined : nearestParameter(name, metric);
      const message = `\`${metric.name}\` has no parameter \`${name ?? ''}\``;
      return near === undefined ? { message } : { message, near };
    }
    if (name === undefined && namedBefore) return { message: 'name this argument: the one before it has a name' };
    if (values.has(parameter.name)) return { message: `\`${parameter.name}\` is given twice` };
    return undefined;
  }

  /** An operation on compiled arguments. @param span of the whole operation */
  private apply(name: OperationName, args: readonly (Compiled | undefined)[], span: Span): Compiled | undefined {
    if (!allDefined(args)) return undefined;
    const shape = resultShape(
      name,
      args.map((argument) => argument.shape),
    );
    if (isShapeProblem(shape)) {
      this.report(`shape/${shape.kind}`, span, describeShapeProblem(shape));
      return undefined;
    }
    const expressions = args.map((argument) => argument.expression);
    const constants = args.map((argument) => argument.constant);
    const problem = finiteProblem(name, constants);
    if (problem !== undefined) {
      this.report('metric/not-finite', span, problem);
      return undefined;
    }
    const size = args.reduce((sum, argument) => sum + argument.size, 1);
    const depth = 1 + Math.max(...args.map((argument) => argument.depth));
    if (size > MAX_EXPRESSION_NODES || depth > MAX_EXPRESSION_DEPTH) {
      this.reportSize(span);
      return undefined;
    }
    const constant = constantOf(name, expressions, constants);
    return { expression: operation(name, ...expressions), shape, constant, size, depth };
  }

  private expand(compiled: Compiled | undefined, span: Span): Compiled | undefined {
    if (compiled === undefined) return undefined;
    this.expanded += compiled.size;
    if (this.expanded <= MAX_EXPRESSION_NODES) return compiled;
    this.reportSize(span);
    return undefined;
  }

  private resolve(name: string, span: Span, use: 'value' | 'call'): Meaning | undefined {
    const meaning = this.context.resolve(name);
    if (meaning === undefined) {
      if (this.context.findings === undefined) return undefined;
      if (isClauseName(name)) {
        const message = `\`${name}(…)\` is no part of a formula: it stands by itself, as in \`prune: ${CLAUSES[name].example}\``;
        this.report('name/wrong-kind', span, message);
        return undefined;
      }
      const what = use === 'call' ? 'operation or metric' : 'operand, metric or parameter';
      const { suffix, ...fixes } = didYouMean(shift(span, this.context.base), this.context.suggest(name, use));
      this.report('name/unknown', span, `unknown ${what} \`${name}\`${suffix}`, fixes);
    } else {
      this.site(span, meaning.kind === 'operation' ? { kind: 'operation', name: meaning.name } : meaning.symbol);
    }
    return meaning;
  }

  private site(span: Span, symbol: FileSymbol): void {
    if (this.context.findings) addSite(this.context.findings, this.context.base, span, symbol);
  }

  /** Told once: whatever comes behind is as much too many. */
  private reportSize(span: Span): void {
    if (this.isTooLarge) return;
    this.isTooLarge = true;
    const limit = `${MAX_EXPRESSION_NODES} operations, operands and numbers (or ${MAX_EXPRESSION_DEPTH} inside each other)`;
    this.report('metric/too-large', span, `with all references replaced this metric has more than ${limit}`);
  }

  private reportKind(symbol: DeclaredSymbol, span: Span, why: string): void {
    this.report('name/wrong-kind', span, `\`${symbol.name}\` is ${withArticle(symbol.kind)} and ${why}`);
  }

  private report(
    code: DiagnosticCode,
    span: Span,
    message: string,
    more: Pick<Diagnostic, 'related' | 'fixes'> = {},
  ): void {
    this.context.findings?.diagnostics.add(code, shift(span, this.context.base), message, more);
  }
}

const INFIX: Readonly<Record<BinarySyntax['operator'], OperationName>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'quotient',
  '^': 'power',
};

/** What of the arguments' constants alone makes an operation infinite or undefined. */
function finiteProblem(name: OperationName, constants: readonly (number | undefined)[]): string | undefined {
  const [x, y] = constants;
  if ((name === 'quotient' || name === 'div') && y === 0) return 'this divides by zero';
  if ((name === 'mms' || name === 'zsn') && x !== undefined) {
    return `\`${name}\` divides by the spread of its argument, which is the same everywhere`;
  }
  if (!allDefined(constants)) return undefined;
  const value = applyToNumbers(name, constants);
  if (value !== undefined && !Number.isFinite(Math.fround(value))) return `this is not a finite number: ${value}`;
  return undefined;
}

function nearestParameter(name: string, metric: CallableMetric): string | undefined {
  const names = metric.parameters.map((parameter) => parameter.name);
  return nearestName(name, names) ?? (names.length === 1 ? names[0] : undefined);
}

function allDefined<T>(values: readonly (T | undefined)[]): values is readonly T[] {
  return values.every((value) => value !== undefined);
}

export function withArticle(kind: DeclaredSymbol['kind']): string {
  return kind === 'experiment' ? `an ${kind}` : `a ${kind === 'metric-parameter' ? 'parameter' : kind}`;
}

function count(number: number): string {
  return number === 1 ? '1 argument' : `${number} arguments`;
}
