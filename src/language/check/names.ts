import { KNOWN_TASK_NAMES } from '../../experiment/taskNames.ts';
import { nearestName } from '../../metric/nearest.ts';
import { isOperandName, OPERAND_NAMES } from '../../metric/operands.ts';
import { isOperationName, OPERATION_NAMES } from '../../metric/operations.ts';
import { shift } from './diagnostics.ts';
import type { DeclaredSymbol } from './symbols.ts';
import { withArticle } from './expressions.ts';
import { addSite } from './findings.ts';
import type { Findings } from './findings.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import type { Identifier } from '../syntax/syntax.ts';

/** Everything that a file gives a name to. All names share one space, so that each can be evaluated by its name alone. */
export class NameTable {
  private readonly entries = new Map<string, NamedDeclaration>();
  /** Declarations whose name is taken or reserved: they mean nothing, but the names in them still do. */
  readonly unnamed: NamedDeclaration[] = [];
  private readonly suggestions = new Map<string, string | undefined>();

  get(name: string): NamedDeclaration | undefined {
    return this.entries.get(name);
  }

  all(): Iterable<NamedDeclaration> {
    return this.entries.values();
  }

  add(entry: NamedDeclaration): void {
    this.entries.set(entry.symbol.name, entry);
  }

  /** The name that was meant: among what can stand in an expression, or among the declarations of a kind. */
  suggest(
    name: string,
    use: 'value' | 'call' | DeclaredSymbol['kind'],
    local: readonly string[] = [],
  ): string | undefined {
    const key = `${use} ${local.join(' ')} ${name}`;
    if (this.suggestions.has(key)) return this.suggestions.get(key);
    // Comparing takes time in proportion to the number of names, so a file of nothing but unknown names gets no more.
    if (this.suggestions.size >= MAX_SUGGESTIONS) return undefined;
    const near = nearestName(name, this.candidates(use, local));
    this.suggestions.set(key, near);
    return near;
  }

  private *candidates(use: 'value' | 'call' | DeclaredSymbol['kind'], local: readonly string[]): Iterable<string> {
    yield* local;
    if (use === 'call') yield* OPERATION_NAMES;
    if (use === 'value') yield* OPERAND_NAMES;
    for (const { symbol } of this.entries.values()) {
      const isValue = symbol.kind === 'metric' || symbol.kind === 'parameter';
      if (use === 'call' || use === 'value' ? isValue : symbol.kind === use) yield symbol.name;
    }
  }
}

export interface NamedDeclaration {
  readonly symbol: DeclaredSymbol;
  readonly parsed: ParsedDeclaration;
}

/** Different unknown names of one file that get a suggestion. */
const MAX_SUGGESTIONS = 200;

/** Enters every declaration under its name; of two with the same name the first one counts and the second one is told. */
export function declareNames(declarations: readonly ParsedDeclaration[], findings: Findings): NameTable {
  const names = new NameTable();
  for (const parsed of declarations) {
    const syntax = parsed.tree?.syntax;
    if (syntax?.name === undefined || syntax.kind === 'defaults') continue;
    const symbol = declareName(syntax.kind, syntax.name, parsed, findings);
    const first = names.get(symbol.name)?.symbol;
    if (first !== undefined) {
      const related = [{ ...first.span, message: `\`${symbol.name}\` is declared here first` }];
      const message = `\`${symbol.name}\` is already ${withArticle(first.kind)} of this file`;
      findings.diagnostics.add('name/duplicate', symbol.span, message, { related });
    }
    if (first !== undefined || isReserved(syntax.name, parsed.base, findings, syntax.kind))
      names.unnamed.push({ symbol, parsed });
    else names.add({ symbol, parsed });
  }
  return names;
}

/** Records where a name is declared. */
export function declareName(
  kind: DeclaredSymbol['kind'],
  name: Identifier,
  { base, start }: Pick<ParsedDeclaration, 'base' | 'start'>,
  findings: Findings,
): DeclaredSymbol {
  const span = shift(name.span, base);
  const symbol: DeclaredSymbol = { kind, name: name.text, span, start };
  addSite(findings, base, name.span, symbol, true);
  return symbol;
}

/** Tells when a name is one of the language's own. */
export function isReserved(name: Identifier, base: number, findings: Findings, kind?: DeclaredSymbol['kind']): boolean {
  const what = isOperandName(name.text)
    ? 'an operand'
    : isOperationName(name.text)
      ? 'an operation'
      : kind === 'task' && KNOWN_TASK_NAMES.includes(name.text)
        ? 'a task'
        : undefined;
  if (what === undefined) return false;
  const message = `\`${name.text}\` is ${what} of the language: choose another name`;
  findings.diagnostics.add('name/reserved', shift(name.span, base), message);
  return true;
}
