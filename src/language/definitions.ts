import { keepsRanking } from '../metric/sign.ts';
import { LATER_STATISTICS, OPERANDS, isOperandName } from '../metric/operands.ts';
import { isOperationName } from '../metric/operations.ts';
import { printShape } from '../metric/shape.ts';
import { orderDefinitions } from './dependencies.ts';
import type { Cycle, Definition } from './dependencies.ts';
import { DiagnosticList, shift } from './diagnostics.ts';
import type { Fix } from './diagnostics.ts';
import { compileExpression, numberValue, operandValue } from './expressions.ts';
import type { CallableMetric, CallableParameter, Compiled, ExpressionContext, Meaning } from './expressions.ts';
import type { Findings } from './findings.ts';
import { declareName, isReserved } from './names.ts';
import type { NamedDeclaration, NameTable } from './names.ts';
import { visitExpression } from './syntax.ts';
import type { ExpressionSyntax, MetricSyntax, ParameterSyntax, Span } from './syntax.ts';

/** The parameters and metrics of a file, compiled, and the names as expressions see them. */
export interface Definitions {
  readonly parameters: ReadonlyMap<string, Compiled | undefined>;
  readonly metrics: ReadonlyMap<string, CallableMetric>;
  /** What an expression outside of any metric is compiled in. @param base offset that its syntax counts from */
  context(base: number, findings: Findings | undefined): ExpressionContext;
}

/** Compiles every parameter and metric that has a name of its own, each behind those that it uses. */
export function compileDefinitions(names: NameTable, findings: Findings): Definitions {
  return new DefinitionCompiler(names, findings).compileAll();
}

interface NamedDefinition extends Definition {
  readonly declaration: NamedDeclaration;
  readonly syntax: MetricSyntax | ParameterSyntax;
}

class DefinitionCompiler implements Definitions {
  readonly parameters = new Map<string, Compiled | undefined>();
  readonly metrics = new Map<string, CallableMetric>();
  private readonly names: NameTable;
  private readonly findings: Findings;
  /** For what is looked at for its names alone. */
  private readonly quiet: Findings;

  constructor(names: NameTable, findings: Findings) {
    this.names = names;
    this.findings = findings;
    this.quiet = { ...findings, diagnostics: new DiagnosticList() };
  }

  compileAll(): Definitions {
    const definitions = new Map<string, NamedDefinition>();
    for (const declaration of this.names.all()) {
      const { tree } = declaration.parsed;
      const syntax = tree?.syntax;
      if (tree === undefined || (syntax?.kind !== 'metric' && syntax?.kind !== 'parameter')) continue;
      const { name } = declaration.symbol;
      definitions.set(name, { name, names: tree.names, declaration, syntax });
    }
    const { order, cycles } = orderDefinitions(definitions);
    const used = new Set(order.flatMap((definition) => definition.names.map((name) => name.text)));
    for (const definition of order) {
      const cycle = cycles.get(definition);
      if (cycle) this.reportCycle(cycle);
      const { syntax, name, declaration } = definition;
      // Names in a piece with a syntax error count as uses; nothing more is told about it.
      const findings = declaration.parsed.tree?.problem === undefined ? this.findings : this.quiet;
      if (syntax.kind === 'parameter') {
        this.parameters.set(name, this.compileParameter(syntax, declaration, findings));
      } else {
        this.metrics.set(name, this.compileMetric(syntax, declaration, used.has(name), findings));
      }
    }
    for (const declaration of this.names.unnamed) {
      const syntax = declaration.parsed.tree?.syntax;
      if (syntax?.kind === 'parameter') this.compileParameter(syntax, declaration, this.quiet);
      if (syntax?.kind === 'metric') this.compileMetric(syntax, declaration, true, this.quiet);
    }
    return this;
  }

  context(base: number, findings: Findings | undefined): ExpressionContext {
    return this.localContext(base, findings, new Map());
  }

  private localContext(
    base: number,
    findings: Findings | undefined,
    locals: ReadonlyMap<string, Meaning>,
  ): ExpressionContext {
    const localNames = [...locals.keys()];
    return {
      base,
      findings,
      resolve: (name) => locals.get(name) ?? this.resolve(name),
      suggest: (name, use) => this.names.suggest(name, use, localNames),
    };
  }

  private resolve(name: string): Meaning | undefined {
    if (isOperandName(name)) return { kind: 'value', symbol: { kind: 'operand', name }, value: operandValue(name) };
    if (isOperationName(name)) return { kind: 'operation', name };
    const declaration = this.names.get(name);
    if (declaration === undefined) return undefined;
    const { symbol, parsed } = declaration;
    if (symbol.kind === 'parameter') return { kind: 'value', symbol, value: this.parameters.get(name) };
    if (symbol.kind !== 'metric') return { kind: 'other', symbol };
    // Around a cycle a metric is used before it is compiled; one with a syntax error may lack some of its parameters.
    const metric = parsed.tree?.problem === undefined ? this.metrics.get(name) : undefined;
    return metric === undefined ? { kind: 'broken', symbol } : { kind: 'metric', symbol, metric };
  }

  private compileParameter(
    syntax: ParameterSyntax,
    { symbol, parsed }: NamedDeclaration,
    findings: Findings,
  ): Compiled | undefined {
    const value = this.constant(syntax.value, this.context(parsed.base, findings), symbol.name);
    return value === undefined || parsed.tree?.problem !== undefined ? undefined : numberValue(value);
  }

  private compileMetric(
    syntax: MetricSyntax,
    { symbol, parsed }: NamedDeclaration,
    isUsed: boolean,
    findings: Findings,
  ): CallableMetric {
    const parameters = this.compileParameters(syntax, parsed, findings);
    const { base } = parsed;
    const at = (values: readonly (number | undefined)[], to: Findings | undefined): Compiled | undefined =>
      compileExpression(syntax.body, this.localContext(base, to, bindings(parameters, values)));
    const defaults = parameters.map(({ value }) => value);
    let compiled = at(defaults, findings);
    if (parsed.tree?.problem !== undefined) compiled = undefined;
    if (compiled !== undefined && this.cannotRank(compiled, symbol.name, syntax.body, base, isUsed))
      compiled = undefined;
    if (compiled !== undefined) this.reportGradient(syntax.body, base);
    if (compiled !== undefined && !isUsed) this.hintAtRoot(syntax.body, compiled, base);
    const instances = new Map<string, Compiled | undefined>();
    const instantiate = (values: readonly number[]): Compiled | undefined => {
      const key = values.join();
      if (!instances.has(key)) instances.set(key, at(values, undefined));
      return instances.get(key);
    };
    return { name: symbol.name, parameters, compiled, instantiate };
  }

  private compileParameters(
    { parameters }: MetricSyntax,
    { base, start }: { base: number; start: number },
    findings: Findings,
  ): CallableParameter[] {
    const seen = new Map<string, CallableParameter>();
    return parameters.flatMap(({ name, value: syntax }) => {
      const symbol = declareName('metric-parameter', name, { base, start }, findings);
      const value = this.constant(syntax, this.context(base, findings), name.text);
      const first = seen.get(name.text);
      if (first !== undefined) {
        const related = [{ ...first.symbol.span, message: 'the first one stands here' }];
        findings.diagnostics.add('name/duplicate', symbol.span, `\`${name.text}\` is already a parameter`, { related });
      }
      if (first !== undefined || isReserved(name, base, findings)) return [];
      const parameter: CallableParameter = { name: name.text, symbol, value };
      seen.set(name.text, parameter);
      return [parameter];
    });
  }

  /** The value of an expression that has to be a number. */
  private constant(syntax: ExpressionSyntax, context: ExpressionContext, name: string): number | undefined {
    const compiled = compileExpression(syntax, context);
    if (compiled === undefined || (compiled.shape.length === 0 && compiled.constant !== undefined)) {
      return compiled?.constant;
    }
    const message = `\`${name}\` is a number, and this is ${printShape(compiled.shape)}`;
    context.findings?.diagnostics.add('shape/needs-number', shift(syntax.span, context.base), message);
    return undefined;
  }

  private cannotRank(compiled: Compiled, name: string, body: ExpressionSyntax, base: number, isUsed: boolean): boolean {
    if (compiled.constant === undefined) return false;
    const same = `\`${name}\` is ${compiled.constant} for every weight and cannot rank them`;
    const isNumber = compiled.shape.length === 0;
    const remedy = isNumber && isUsed ? `: for a number that metrics use write \`parameter ${name} = …\`` : '';
    this.findings.diagnostics.add('metric/constant', shift(body.span, base), same + remedy);
    return true;
  }

  /** Tells once for each metric that the gradient is yet to come. */
  private reportGradient(body: ExpressionSyntax, base: number): void {
    let span: Span | undefined;
    visitExpression(body, (node) => {
      if (node.kind !== 'name' || !isOperandName(node.name)) return;
      if (OPERANDS[node.name].needs.some((statistic) => LATER_STATISTICS.includes(statistic))) span ??= node.span;
    });
    if (span === undefined) return;
    const message = 'the gradient G is checked, but no version up to this one can evaluate it: the next one will';
    this.findings.diagnostics.add('metric/gradient', shift(span, base), message);
  }

  /** Hints that the operation at the root can be left out: only where no other metric uses the values. */
  private hintAtRoot(body: ExpressionSyntax, { expression }: Compiled, base: number): void {
    const argument = body.kind === 'call' ? body.arguments[0] : undefined;
    if (body.kind !== 'call' || argument === undefined || body.arguments.length > 1) return;
    if (expression.kind !== 'operation' || expression.operation !== body.callee.text) return;
    if (!keepsRanking(expression.operation, expression.arguments[0]!)) return;
    const name = body.callee.text;
    const fix: Fix = {
      title: `Remove \`${name}\``,
      edits: [
        { ...shift({ start: body.span.start, end: argument.span.start }, base), text: '' },
        { ...shift({ start: argument.span.end, end: body.span.end }, base), text: '' },
      ],
    };
    const message = `\`${name}\` at the root changes no ranking: without it the metric prunes the same weights, rounding aside`;
    this.findings.diagnostics.add('metric/root-keeps-ranking', shift(body.callee.span, base), message, {
      fixes: [fix],
    });
  }

  private reportCycle({ definition, use, path }: Cycle<NamedDefinition>): void {
    const { base } = definition.declaration.parsed;
    const shown = path.length > 6 ? [...path.slice(0, 3), '…', ...path.slice(-2)] : path;
    const way = [...shown, path[0]!].join(' → ');
    const message = path.length === 1 ? `\`${use.text}\` uses itself` : `\`${definition.name}\` uses itself: ${way}`;
    this.findings.diagnostics.add('name/cyclic', shift(use.span, base), message);
  }
}

function bindings(
  parameters: readonly CallableParameter[],
  values: readonly (number | undefined)[],
): ReadonlyMap<string, Meaning> {
  return new Map(
    parameters.map(({ name, symbol }, i) => {
      const value = values[i];
      return [name, { kind: 'value', symbol, value: value === undefined ? undefined : numberValue(value) }];
    }),
  );
}
