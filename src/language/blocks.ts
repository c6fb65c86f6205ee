import { MAX_GROUP, parseSparsity, printSparsity } from '../experiment/sparsity.ts';
import type { Sparsity } from '../experiment/sparsity.ts';
import { nearestName } from '../metric/nearest.ts';
import { isOperandName, OPERAND_NAMES } from '../metric/operands.ts';
import type { OperandName } from '../metric/operands.ts';
import { isOperationName, OPERATION_NAMES } from '../metric/operations.ts';
import type { OperationName } from '../metric/operations.ts';
import { printShape } from '../metric/shape.ts';
import type { Definitions } from './definitions.ts';
import { didYouMean, shift } from './diagnostics.ts';
import type { Diagnostic, DiagnosticCode, Fix } from './diagnostics.ts';
import type { FileSymbol, PrunedMetric, SearchContent } from './document.ts';
import { compileExpression, withArticle } from './expressions.ts';
import { addSite } from './findings.ts';
import { evenedOut } from './formatLayout.ts';
import type { Findings } from './findings.ts';
import type { NameTable } from './names.ts';
import type { ParsedDeclaration, ParsedProperty } from './pieces.ts';
import { blocksWith, propertiesOf, propertyOf } from './properties.ts';
import type { BlockKind, Property, PropertySetting } from './properties.ts';
import type { ArgumentSyntax, ExpressionSyntax, Identifier, PropertySyntax, Span } from './syntax.ts';

/** What the checks of blocks need to know about the rest of the file. */
export interface BlockContext {
  readonly names: NameTable;
  readonly definitions: Definitions;
  /** Paths of the models and corpora that have one. */
  readonly paths: ReadonlyMap<string, string>;
  readonly findings: Findings;
}

export interface CompiledBlock {
  /** Of an experiment or defaults, those of its properties that only a search has are undefined. */
  readonly content: SearchContent;
  /** Whether anything in it is wrong; what is missing altogether is not looked at here. */
  readonly broken: boolean;
}

/** Reads an `experiment`, `search` or `defaults` block. Every mistake is told at the value at fault, and leaves the others as they are. */
export function compileBlock(parsed: ParsedDeclaration, context: BlockContext): CompiledBlock {
  return new BlockCompiler(parsed, context).compile();
}

class BlockCompiler {
  private readonly parsed: ParsedDeclaration;
  private readonly block: BlockKind;
  private readonly context: BlockContext;
  private readonly content: { -readonly [Key in keyof SearchContent]: SearchContent[Key] };
  private readonly settings: Record<PropertySetting['of'], Record<string, number | string>> = {
    evaluation: {},
    search: {},
  };
  /** Where each property was said first. */
  private readonly seen = new Map<Property, Span>();
  private broken: boolean;
  private property!: ParsedProperty;

  constructor(parsed: ParsedDeclaration, context: BlockContext) {
    this.parsed = parsed;
    this.block = parsed.keyword === 'experiment' || parsed.keyword === 'search' ? parsed.keyword : 'defaults';
    this.context = context;
    // Each value has been checked against the row of its setting.
    this.content = {
      settings: this.settings.evaluation,
      search: this.settings.search,
    };
    this.broken = parsed.tree?.problem !== undefined;
  }

  compile(): CompiledBlock {
    for (const property of this.parsed.properties) {
      const { syntax, problem } = property.tree;
      if (problem !== undefined) {
        // A property with a syntax error counts as said.
        this.broken = true;
        const known = syntax && propertyOf(this.block, syntax.key.text);
        if (syntax && known) this.seen.set(known, shift(syntax.key.span, property.base));
      } else if (syntax) {
        this.property = property;
        this.compileProperty(syntax);
      }
    }
    return { content: this.content, broken: this.broken };
  }

  private compileProperty(syntax: PropertySyntax): void {
    const { key, values } = syntax;
    const property = this.knownProperty(key);
    if (property === undefined || !this.claim(property, key.span)) return;
    const { name } = property;
    switch (property.value) {
      case 'metrics':
        this.content[name as 'prune' | 'from' | 'baselines'] = this.eachOnce(
          values,
          (value) => this.metric(value),
          ({ label }) => label,
        );
        return;
      case 'sparsities':
        this.content.at = this.eachOnce(values, (value) => this.sparsity(value), printSparsity);
        return;
      case 'operands':
        this.content.operands = this.eachOnce(values, (value) => this.operand(value), String);
        return;
      case 'operations':
        this.content.operations = this.eachOnce(values, (value) => this.operation(value), String);
        return;
      case 'sparsity':
      case 'model':
      case 'corpus':
      case 'setting': {
        const value = values[0];
        if (value === undefined) return;
        if (values.length > 1) {
          this.report('property/type', values[1]!.span, `\`${name}\` takes one value`);
        } else if (property.value === 'setting') {
          this.compileSetting(property.setting!, name, value);
        } else if (property.value === 'sparsity') {
          const sparsity = this.sparsity(value);
          if (sparsity !== undefined) this.content.at = [sparsity];
        } else {
          const path = this.path(property.value, value, property.arguments ?? []);
          if (path !== undefined) this.content[name as 'model' | 'evaluate' | 'calibrate' | 'test'] = path;
        }
      }
    }
  }

  private knownProperty({ text, span }: Identifier): Property | undefined {
    const property = propertyOf(this.block, text);
    if (property !== undefined) {
      addSite(this.context.findings, this.property.base, span, { kind: 'property', name: text, property });
      return property;
    }
    const elsewhere = blocksWith(text)[0];
    if (elsewhere !== undefined) {
      const there = elsewhere === 'experiment' ? 'an experiment' : 'a search';
      const here = this.block === 'defaults' ? ': `defaults` says the rest' : `, not into ${withArticle(this.block)}`;
      this.report('property/misplaced', span, `\`${text}\` belongs into ${there}${here}`);
      return undefined;
    }
    const names = propertiesOf(this.block).map(({ name }) => name);
    const { suffix, ...fixes } = didYouMean(this.at(span), nearestName(text, names));
    this.report('property/unknown', span, `unknown property \`${text}\`${suffix}`, fixes);
    return undefined;
  }

  /** Takes note that a property is said; false where it was said before. */
  private claim(property: Property, span: Span): boolean {
    const before = this.seen.get(property);
    if (before === undefined) {
      this.seen.set(property, this.at(span));
      return true;
    }
    const related = [{ ...before, message: 'the first one stands here' }];
    this.report('property/duplicate', span, `\`${property.name}\` is said twice`, { related });
    return false;
  }

  /** The values that are right; one that is said twice counts once. */
  private eachOnce<Value>(
    values: readonly ExpressionSyntax[],
    read: (value: ExpressionSyntax) => Value | undefined,
    keyOf: (value: Value) => string,
  ): Value[] {
    const found = new Map<string, Value>();
    for (const syntax of values) {
      const value = read(syntax);
      if (value === undefined) continue;
      const key = keyOf(value);
      if (found.has(key)) {
        this.tell(
          'experiment/repeated',
          syntax.span,
          `\`${this.source(syntax.span)}\` is listed twice and counts once`,
        );
      }
      found.set(key, value);
    }
    return [...found.values()];
  }

  private metric(syntax: ExpressionSyntax): PrunedMetric | undefined {
    const { definitions, findings } = this.context;
    const compiled = compileExpression(syntax, definitions.context(this.property.base, findings));
    // What is wrong has been told, here or where the metric is declared.
    if (compiled === undefined) this.broken = true;
    else if (compiled.constant !== undefined) {
      const message = `this is ${compiled.constant} for every weight and cannot rank them`;
      this.report('metric/constant', syntax.span, message);
    } else {
      const name = syntax.kind === 'name' ? syntax.name : syntax.kind === 'call' ? syntax.callee.text : undefined;
      const metric = name !== undefined && definitions.metrics.has(name) ? name : undefined;
      return { label: evenedOut(this.source(syntax.span)), metric, expression: compiled.expression };
    }
    return undefined;
  }

  private operand(syntax: ExpressionSyntax): OperandName | undefined {
    const name = this.ownName(syntax, 'an operand', '`W`', OPERAND_NAMES);
    if (name === undefined || !isOperandName(name)) return undefined;
    this.site(syntax.span, { kind: 'operand', name });
    return name;
  }

  private operation(syntax: ExpressionSyntax): OperationName | undefined {
    const name = this.ownName(syntax, 'an operation', '`mul`', OPERATION_NAMES);
    if (name === undefined || !isOperationName(name)) return undefined;
    this.site(syntax.span, { kind: 'operation', name });
    return name;
  }

  /** A name of the language's own; undefined where it is none of `names`, which is told. */
  private ownName(
    syntax: ExpressionSyntax,
    what: string,
    example: string,
    names: readonly string[],
  ): string | undefined {
    if (syntax.kind !== 'name') {
      this.report('property/type', syntax.span, `this has to be the name of ${what}, such as ${example}`);
      return undefined;
    }
    if (names.includes(syntax.name)) return syntax.name;
    const symbol = this.context.names.get(syntax.name)?.symbol;
    if (symbol !== undefined) {
      this.site(syntax.span, symbol);
      this.report('name/wrong-kind', syntax.span, `\`${syntax.name}\` is ${withArticle(symbol.kind)}, not ${what}`);
      return undefined;
    }
    const { suffix, ...fixes } = didYouMean(this.at(syntax.span), nearestName(syntax.name, names));
    this.report('name/unknown', syntax.span, `\`${syntax.name}\` is not ${what}${suffix}`, fixes);
    return undefined;
  }

  private sparsity(syntax: ExpressionSyntax): Sparsity | undefined {
    if (syntax.kind === 'percentage' || syntax.kind === 'ratio') {
      const sparsity = parseSparsity(syntax.text.replaceAll(/\s/g, ''));
      if (sparsity === undefined) {
        const turned = syntax.text.split(':').reverse().join(':');
        const { suffix, ...fixes } = didYouMean(this.at(syntax.span), parseSparsity(turned) && turned);
        this.report('sparsity/range', syntax.span, sparsityProblem(syntax.kind, syntax.text) + suffix, fixes);
      }
      return sparsity;
    }
    const share = this.number(syntax, 'a sparsity is a percentage, N:M or a share below 1: `50%`, `2:4`, `0.5`');
    if (share === undefined) return undefined;
    if (share >= 0 && share < 1) return { kind: 'unstructured', share };
    const percentage = share >= 1 && share < 100 ? `${share}%` : undefined;
    const { suffix, ...fixes } = didYouMean(this.at(syntax.span), percentage);
    this.report('sparsity/range', syntax.span, `a share is at least 0 and below 1${suffix}`, fixes);
    return undefined;
  }

  /** The path that a model or corpus stands for; settings in parentheses behind it are read on the way. */
  private path(kind: 'model' | 'corpus', syntax: ExpressionSyntax, settings: readonly Property[]): string | undefined {
    if (syntax.kind === 'text') {
      if (syntax.text.trim() !== '') return syntax.text;
      this.report('property/type', syntax.span, 'this path is empty');
      return undefined;
    }
    if (syntax.kind !== 'name' && syntax.kind !== 'call') {
      this.report('property/type', syntax.span, `this has to be the name of a ${kind}, or a path in quotes`);
      return undefined;
    }
    const name = syntax.kind === 'name' ? { text: syntax.name, span: syntax.span } : syntax.callee;
    const path = this.namedPath(kind, name);
    if (syntax.kind === 'call') for (const argument of syntax.arguments) this.compileArgument(argument, name, settings);
    return path;
  }

  private namedPath(kind: 'model' | 'corpus', { text, span }: Identifier): string | undefined {
    const { names, paths, findings } = this.context;
    const symbol = names.get(text)?.symbol;
    if (symbol === undefined) {
      const { suffix, fixes = [] } = didYouMean(this.at(span), names.suggest(text, kind));
      const declare = declareFix(kind, text, names);
      this.report('name/unknown', span, `unknown ${kind} \`${text}\`${suffix}`, { fixes: [...fixes, declare] });
      return undefined;
    }
    addSite(findings, this.property.base, span, symbol);
    if (symbol.kind !== kind) {
      this.report('name/wrong-kind', span, `\`${text}\` is ${withArticle(symbol.kind)}, not a ${kind}`);
      return undefined;
    }
    const path = paths.get(text);
    // Without a path it has an error of its own.
    if (path === undefined) this.broken = true;
    return path;
  }

  private compileArgument(argument: ArgumentSyntax, of: Identifier, allowed: readonly Property[]): void {
    const { name, value } = argument;
    const names = allowed.map((property) => property.name);
    const list = names.length === 0 ? 'nothing' : names.map((known) => `\`${known}\``).join(', ');
    if (name === undefined) {
      this.report('call/argument', argument.span, `behind \`${of.text}\` stand settings by name, such as ${list}`);
      return;
    }
    const property = allowed.find((known) => known.name === name.text);
    if (property?.setting === undefined) {
      const { suffix, ...fixes } = didYouMean(this.at(name.span), nearestName(name.text, names));
      const message = `\`${name.text}\` cannot stand here, only ${list}${suffix}`;
      this.report('call/argument', name.span, message, fixes);
      return;
    }
    this.site(name.span, { kind: 'property', name: name.text, property });
    if (this.claim(property, name.span)) this.compileSetting(property.setting, property.name, value);
  }

  private compileSetting(setting: PropertySetting, property: string, syntax: ExpressionSyntax): void {
    const { row } = setting;
    const settings = this.settings[setting.of];
    if (row.kind === 'choice') {
      const text = this.source(syntax.span).replaceAll(/\s/g, '');
      if (row.choices.includes(text)) {
        settings[setting.name] = text;
        return;
      }
      const { suffix, ...fixes } = didYouMean(this.at(syntax.span), nearestName(text, row.choices));
      const choices = row.choices.map((choice) => `\`${choice}\``).join(', ');
      this.report('property/type', syntax.span, `\`${property}\` is one of ${choices}${suffix}`, fixes);
      return;
    }
    const kind = row.kind === 'integer' ? 'a whole number' : 'a number';
    const isShare = syntax.kind === 'percentage' && row.kind === 'number' && row.maximum === 1;
    const value = isShare ? parseFloat(syntax.text) / 100 : this.number(syntax, `\`${property}\` is ${kind}`);
    if (value === undefined) return;
    if ((row.kind === 'integer' && !Number.isInteger(value)) || !(value >= row.minimum && value <= row.maximum)) {
      const range = `${kind} from ${row.minimum} to ${row.maximum}`;
      this.report('property/range', syntax.span, `\`${property}\` is ${range}, not ${value}`);
      return;
    }
    settings[setting.name] = value;
  }

  /** The value of an expression of numbers and parameters. @param expected told where it is something else */
  private number(syntax: ExpressionSyntax, expected: string): number | undefined {
    const isExpression = syntax.kind !== 'percentage' && syntax.kind !== 'ratio' && syntax.kind !== 'text';
    if (!isExpression) {
      this.report('property/type', syntax.span, expected);
      return undefined;
    }
    const { definitions, findings } = this.context;
    const compiled = compileExpression(syntax, definitions.context(this.property.base, findings));
    if (compiled === undefined) {
      this.broken = true;
      return undefined;
    }
    if (compiled.shape.length === 0) return compiled.constant;
    this.report('property/type', syntax.span, `${expected}, and this is ${printShape(compiled.shape)}`);
    return undefined;
  }

  private site(span: Span, symbol: FileSymbol): void {
    addSite(this.context.findings, this.property.base, span, symbol);
  }

  private source({ start, end }: Span): string {
    return this.property.text.slice(start, end);
  }

  private at(span: Span): Span {
    return shift(span, this.property.base);
  }

  private report(
    code: DiagnosticCode,
    span: Span,
    message: string,
    more: Pick<Diagnostic, 'related' | 'fixes'> = {},
  ): void {
    this.broken = true;
    this.tell(code, span, message, more);
  }

  private tell(
    code: DiagnosticCode,
    span: Span,
    message: string,
    more: Pick<Diagnostic, 'related' | 'fixes'> = {},
  ): void {
    this.context.findings.diagnostics.add(code, this.at(span), message, more);
  }
}

/** Declares a model or corpus below the last of its kind, or at the beginning of the file. */
function declareFix(kind: 'model' | 'corpus', name: string, names: NameTable): Fix {
  let end = 0;
  for (const { symbol, parsed } of names.all()) {
    if (symbol.kind === kind && parsed.tree?.syntax) end = parsed.base + parsed.tree.syntax.span.end;
  }
  const declaration = `${kind} ${name} = "path"`;
  const text = end === 0 ? `${declaration}\n\n` : `\n${declaration}`;
  return { title: `Declare \`${declaration}\``, edits: [{ start: end, end, text }] };
}

function sparsityProblem(kind: 'percentage' | 'ratio', text: string): string {
  if (kind === 'percentage') return `${text.trim()} of a group cannot be removed: at least 0% and less than 100%`;
  return `${text} does not prune: N:M keeps N of every M weights, 1 ≤ N < M ≤ ${MAX_GROUP}`;
}
