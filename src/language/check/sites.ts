import { compileDeclarations } from './declarations.ts';
import { DiagnosticList } from './diagnostics.ts';
import type { CompiledDocument } from './document.ts';
import type { FileSymbol, Site } from './symbols.ts';

/** Every name of the file that means something, in the order of the text. Computed when it is first asked for. */
export function sitesOf(document: CompiledDocument): readonly Site[] {
  const known = KNOWN.get(document);
  if (known !== undefined) return known;
  const sites: Site[] = [];
  compileDeclarations(document.text, document.parsed.declarations, { diagnostics: new DiagnosticList(), sites });
  sites.sort((a, b) => a.start - b.start);
  KNOWN.set(document, sites);
  return sites;
}

/** The name at an offset, its end included, as a cursor stands there. */
export function siteAt(document: CompiledDocument, offset: number): Site | undefined {
  return sitesOf(document).find(({ start, end }) => start <= offset && offset <= end);
}

/** Every place where a symbol stands; of the language's own names those of the same name. */
export function sitesOfSymbol(document: CompiledDocument, symbol: FileSymbol): readonly Site[] {
  return sitesOf(document).filter((site) => isSameSymbol(site.symbol, symbol));
}

function isSameSymbol(a: FileSymbol, b: FileSymbol): boolean {
  if (a.kind === 'property') return b.kind === 'property' && a.property === b.property;
  return 'span' in a ? a === b : a.kind === b.kind && a.name === b.name;
}

const KNOWN = new WeakMap<CompiledDocument, readonly Site[]>();
