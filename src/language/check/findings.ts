import type { DiagnosticList } from './diagnostics.ts';
import type { FileSymbol, Site } from './symbols.ts';
import type { Span } from '../syntax/syntax.ts';

/** Where the passes over a file put what they find. */
export interface Findings {
  readonly diagnostics: DiagnosticList;
  /** Undefined where nobody asks for them: a keystroke needs diagnostics only. */
  readonly sites: Site[] | undefined;
}

/** Records that the name at a span (counted from `base`) stands for a symbol. */
export function addSite(
  { sites }: Findings,
  base: number,
  span: Span,
  symbol: FileSymbol,
  isDeclaration = false,
): void {
  sites?.push({ start: base + span.start, end: base + span.end, symbol, isDeclaration });
}
