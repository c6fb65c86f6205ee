import type { BlockContext } from './blocks.ts';
import { addSite } from './findings.ts';
import type { ParsedDeclaration } from './pieces.ts';
import { visitExpression } from './syntax.ts';

/**
 * A `search` is read, not understood: what its properties mean comes with the searches. Names of declarations in it are
 * uses of them, so that they can be followed and renamed.
 */
export function checkSearch(parsed: ParsedDeclaration, { names, findings }: BlockContext): void {
  const keyword = { start: parsed.start, end: parsed.start + 'search'.length };
  findings.diagnostics.add('search/later', keyword, 'searches are read but not run yet: a later version runs them');
  for (const { base, tree } of parsed.properties) {
    for (const value of tree.syntax?.values ?? []) {
      visitExpression(value, (node) => {
        const name =
          node.kind === 'name' ? { text: node.name, span: node.span } : node.kind === 'call' ? node.callee : undefined;
        const symbol = name && names.get(name.text)?.symbol;
        if (symbol) addSite(findings, base, name.span, symbol);
      });
    }
  }
}
