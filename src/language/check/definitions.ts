import { isOperandName } from '../../metric/operands.ts';
import { isOperationName } from '../../metric/operations.ts';
import { printShape } from '../../metric/shape.ts';
import { canonicalForm, MAX_COMPARED, MetricCache } from './metricCache.ts';
import { readGroup } from './groupOption.ts';
import {
  hintAtRoot,
  hintAtUnused,
  MOST_SAME_RANKINGS,
  reportConstant,
  reportMoreSameRankings,
  reportRanksNothing,
  reportSameRanking,
} from './metricHints.ts';
import { orderDefinitions } from './dependencies.ts';
import type { Cycle, Definition } from './dependencies.ts';
import { DiagnosticList, shift } from './diagnostics.ts';
import type { Diagnostic } from './diagnostics.ts';
import { compileExpression, numberValue, operandValue } from './expressions.ts';
import type { CallableMetric, CallableParameter, Compiled, ExpressionContext, Meaning } from './expressions.ts';
import type { Findings } from './findings.ts';
import { declareName, isReserved } from './names.ts';
import type { NamedDeclaration, NameTable } from './names.ts';
import type { ExpressionSyntax, Identifier, MetricSyntax, ParameterSyntax } from '../syntax/syntax.ts';

/** The parameters and metrics of a file, compiled, and the names as expressions see them. */
export interface Definitions {
  readonly parameters: ReadonlyMap<string, Compiled | undefined>;
  readonly metrics: ReadonlyMap<string, CallableMetric>;
  /** What an expression outside of any metric is compiled in. @param base offset that its syntax counts from */
  context(base: number, findings: Findings | undefined): ExpressionContext;
}

/** Compiles every parameter and metric that has a name of its own, each behind those that it uses. */
export function compileDefinitions(names: NameTable, findings: Findings, cache = new MetricCache()): Definitions {
  return new DefinitionCompiler(names, findings, cache).compileAll();
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
  private readonly cache: MetricCache;

  constructor(names: NameTable, findings: Findings, cache: MetricCache) {
    this.names = names;
    this.findings = findings;
    this.cache = cache;
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
    const used = new Set<string>();
    for (const { names } of order) for (const { text } of names) used.add(text);
    for (const definition of order) {
      const cycle = cycles.get(definition);
      if (cycle) this.reportCycle(cycle);
      const { syntax, name, declaration } = definition;
      // Names in a piece with a syntax error count as uses; nothing more is told about it.
      const findings = declaration.parsed.tree?.problem === undefined ? this.findings : this.quiet;
      if (syntax.kind === 'parameter') {
        this.parameters.set(name, this.compileParameter(syntax, declaration, findings));
      } else {
        const isUsed = used.has(name);
        const canKeep = cycle === undefined && syntax.parameters.length === 0 && findings === this.findings;
        const metric = canKeep
          ? this.known(syntax, definition, isUsed)
          : this.compileMetric(syntax, declaration, isUsed, findings);
        this.metrics.set(name, metric);
      }
    }
    for (const declaration of this.names.unnamed) {
      const syntax = declaration.parsed.tree?.syntax;
      if (syntax?.kind === 'parameter') this.compileParameter(syntax, declaration, this.quiet);
      if (syntax?.kind === 'metric') this.compileMetric(syntax, declaration, true, this.quiet);
    }
    this.compareRankings(used);
    return this;
  }

  /** Tells which metrics rank as others do: of those that none uses, since the values of the others count. */
  private compareRankings(used: ReadonlySet<string>): void {
    if (this.findings.sites !== undefined) return;
    const { diagnostics } = this.findings;
    const first = new Map<string, NamedDeclaration>();
    const same: NamedDeclaration[] = [];
    for (const declaration of this.names.all()) {
      const metric = this.metrics.get(declaration.symbol.name);
      const syntax = declaration.parsed.tree?.syntax;
      if (metric?.compiled === undefined || metric.parameters.length > 0 || syntax?.kind !== 'metric') continue;
      if (metric.compiled.size > MAX_COMPARED) continue;
      const form = canonicalForm(metric.compiled.expression);
      // Compared over other weights they prune others. The key of a form alone is hashed once, and not at every keystroke.
      const key = metric.group === undefined ? form.key : `${metric.group} ${form.key}`;
      const before = first.get(key);
      if (before === undefined) first.set(key, declaration);
      if (used.has(metric.name)) continue;
      if (form.expression.kind === 'number') reportRanksNothing(declaration.symbol, diagnostics);
      else if (before && syntax.body.kind !== 'name' && same.push(declaration) <= MOST_SAME_RANKINGS) {
        reportSameRanking(declaration.symbol, before.symbol, form, diagnostics);
      }
    }
    const untold = same[MOST_SAME_RANKINGS];
    if (untold) reportMoreSameRankings(untold.symbol, same.length - MOST_SAME_RANKINGS - 1, diagnostics);
  }

  context(base: number, findings: Findings | undefined): ExpressionContext {
    return this.localContext(base, findings, new Map());
  }

  /** A metric as the previous version of the file had it, where nothing that it depends on has changed. */
  private known(syntax: MetricSyntax, { declaration, names }: NamedDefinition, isUsed: boolean): CallableMetric {
    const { tree } = declaration.parsed;
    const { diagnostics, sites } = this.findings;
    if (tree === undefined || sites !== undefined) {
      return this.compileMetric(syntax, declaration, isUsed, this.findings);
    }
    const uses = names.map(
      ({ text }) => this.metrics.get(text) ?? this.parameters.get(text)?.constant ?? this.names.get(text),
    );
    const { base } = declaration.parsed;
    const known = this.cache.take(tree, uses, isUsed);
    if (known !== undefined) {
      for (const hint of known.hints) diagnostics.tell(moved(hint, base));
      return known.metric;
    }
    const { total } = diagnostics;
    const metric = this.compileMetric(syntax, declaration, isUsed, this.findings);
    const told = diagnostics.since(total);
    // Of a mistake the names around it decide what is told: such a metric is compiled each time.
    const isMistaken = diagnostics.isFull || told.some(({ severity }) => severity !== 'hint');
    if (!isMistaken) this.cache.keep(tree, { metric, uses, isUsed, hints: told.map((hint) => moved(hint, -base)) });
    return metric;
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
    const group = readGroup(syntax.group, base, findings);
    const about = { name: symbol.name, parameters, ...(group && { group }) };
    const at = (values: readonly (number | undefined)[], to: Findings | undefined): Compiled | undefined =>
      compileExpression(syntax.body, this.localContext(base, to, bindings(parameters, values)));
    const defaults = parameters.map(({ value }) => value);
    let compiled = at(defaults, findings);
    if (parsed.tree?.problem !== undefined || (syntax.group && !group)) compiled = undefined;
    if (compiled?.constant !== undefined) {
      reportConstant(symbol.name, compiled, shift(syntax.body.span, base), isUsed, findings.diagnostics);
      compiled = undefined;
    }
    hintAtUnused(syntax, base, findings.diagnostics);
    if (compiled !== undefined && !isUsed) hintAtRoot(syntax.body, compiled.expression, base, findings.diagnostics);
    if (parameters.length === 0) return { ...about, compiled, instantiate: always(compiled) };
    const instances = new Map<string, Compiled | undefined>();
    const instantiate = (values: readonly number[]): Compiled | undefined => {
      const key = values.join();
      if (!instances.has(key)) instances.set(key, at(values, undefined));
      return instances.get(key);
    };
    return { ...about, compiled, instantiate };
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
      if (first !== undefined || isReserved(name, base, findings) || isGroup(name, base, findings)) return [];
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

  private reportCycle({ definition, use, path }: Cycle<NamedDefinition>): void {
    const { base } = definition.declaration.parsed;
    const shown = path.length > 6 ? [...path.slice(0, 3), '…', ...path.slice(-2)] : path;
    const way = [...shown, path[0]!].join(' → ');
    const message = path.length === 1 ? `\`${use.text}\` uses itself` : `\`${definition.name}\` uses itself: ${way}`;
    this.findings.diagnostics.add('name/cyclic', shift(use.span, base), message);
  }
}

/** Of a metric without parameters: made here, where no version of the file is in sight that it would keep in memory. */
function always(compiled: Compiled | undefined): CallableMetric['instantiate'] {
  return () => compiled;
}

/** A hint of a metric whose place in the file is another one. */
function moved(hint: Diagnostic, by: number): Diagnostic {
  const fixes = hint.fixes?.map(({ title, edits }) => ({
    title,
    edits: edits.map((edit) => ({ ...edit, ...shift(edit, by) })),
  }));
  return { ...hint, ...shift(hint, by), ...(fixes && { fixes }) };
}

/** In `m(group: 2)` nobody could tell a parameter of that name from what weights are compared over. */
function isGroup(name: Identifier, base: number, findings: Findings): boolean {
  if (name.text !== 'group') return false;
  const message = '`group` says what weights are compared over, as in `m (group: layer)`: choose another name';
  findings.diagnostics.add('name/reserved', shift(name.span, base), message);
  return true;
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
