import type { Definitions } from './definitions.ts';
import { shift } from './diagnostics.ts';
import type { Diagnostic, DiagnosticCode } from './diagnostics.ts';
import type { FileSymbol } from './symbols.ts';
import type { ExpressionContext } from './expressions.ts';
import { addSite } from './findings.ts';
import { evenedOut } from '../format/formatLayout.ts';
import type { Findings } from './findings.ts';
import type { NameTable } from './names.ts';
import type { OwnTask, TextInput } from './document.ts';
import type { ParsedProperty } from '../syntax/pieces.ts';
import type { ExpressionSyntax, Span } from '../syntax/syntax.ts';

/** What the checks of blocks need to know about the rest of the file. */
export interface BlockContext {
  readonly names: NameTable;
  readonly definitions: Definitions;
  /** Of the models and corpora that have a path. */
  readonly paths: ReadonlyMap<string, TextInput>;
  /** The tasks of the file that are whole. */
  readonly tasks: ReadonlyMap<string, OwnTask>;
  readonly findings: Findings;
  /** What a metric is called, by what was written for it; blanks evened out without it. */
  readonly labelOf?: (source: string) => string;
}

/** The text that is read, and where it stands in the file. */
type ReadText = Pick<ParsedProperty, 'base' | 'text'>;

/** What reading the value of one property needs: its text, the file around it, and where mistakes are told. */
export class PropertyReader {
  readonly context: BlockContext;
  /** Whether a mistake was found. */
  broken = false;
  private readonly property: ReadText;

  constructor(property: ReadText, context: BlockContext) {
    this.property = property;
    this.context = context;
  }

  /** What expressions in the value are compiled in. */
  get expressions(): ExpressionContext {
    const { definitions, findings } = this.context;
    return definitions.context(this.property.base, findings);
  }

  site(span: Span, symbol: FileSymbol): void {
    addSite(this.context.findings, this.property.base, span, symbol);
  }

  source({ start, end }: Span): string {
    return this.property.text.slice(start, end);
  }

  /** What a metric is called that stands here. */
  label({ span }: ExpressionSyntax): string {
    return (this.context.labelOf ?? evenedOut)(this.source(span));
  }

  /** A value as one word: what has a hyphen in it (`wanda-sp`) is read as a subtraction first. */
  word({ span }: ExpressionSyntax): string {
    return this.source(span).replaceAll(/\s/g, '');
  }

  /** Counted from the start of the file. */
  at(span: Span): Span {
    return shift(span, this.property.base);
  }

  report(code: DiagnosticCode, span: Span, message: string, more: Pick<Diagnostic, 'related' | 'fixes'> = {}): void {
    this.broken = true;
    this.tell(code, span, message, more);
  }

  tell(code: DiagnosticCode, span: Span, message: string, more: Pick<Diagnostic, 'related' | 'fixes'> = {}): void {
    this.context.findings.diagnostics.add(code, this.at(span), message, more);
  }
}
