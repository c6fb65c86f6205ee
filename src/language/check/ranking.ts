import { markdownCode } from '../../base/markdown.ts';
import { sizeOf } from '../../metric/measure.ts';
import { printInfix } from '../../metric/print.ts';
import type { CompiledDocument, MetricDeclaration } from './document.ts';
import { canonicalForm, MAX_COMPARED } from './metricCache.ts';

/** What a metric ranks like, and why; and which others of the file do. Empty where there is nothing to say. */
export function describeRanking(document: CompiledDocument, { name, expression }: MetricDeclaration): string {
  if (expression === undefined || sizeOf(expression) > MAX_COMPARED) return '';
  const { expression: ranking, key, steps, saturates } = canonicalForm(expression);
  const same = (namesByRanking(document).get(key) ?? []).filter((other) => other !== name);
  const spelt = printInfix(ranking);
  const isAsWritten = spelt === printInfix(expression) || spelt.length > MAX_SPELT;
  const why = steps.length === 0 ? '' : `, because ${[...new Set(steps)].slice(0, MAX_LISTED).join('; ')}`;
  const aside = saturates ? ' Where float32 rounds or saturates, ties can appear.' : '';
  const ranks = isAsWritten ? '' : `Ranks as ${markdownCode(spelt)}${why}.${aside}`;
  const listed = same.slice(0, MAX_LISTED).map(markdownCode);
  const others = same.length === 0 ? '' : `Same ranking as ${listed.join(', ')}.`;
  return `${ranks}${ranks && others && ' '}${others}`;
}

/** More reasons or names than these, and longer formulas, are not read. */
const MAX_LISTED = 6;
const MAX_SPELT = 1000;

/** The metrics of a file by what they rank like; looked through once, since completion describes them all. */
function namesByRanking(document: CompiledDocument): ReadonlyMap<string, readonly string[]> {
  const known = KNOWN.get(document);
  if (known !== undefined) return known;
  const names = new Map<string, string[]>();
  for (const declaration of document.declarations) {
    if (declaration.kind !== 'metric' || declaration.expression === undefined) continue;
    if (sizeOf(declaration.expression) > MAX_COMPARED) continue;
    const { key } = canonicalForm(declaration.expression);
    const same = names.get(key);
    if (same) same.push(declaration.name);
    else names.set(key, [declaration.name]);
  }
  KNOWN.set(document, names);
  return names;
}

const KNOWN = new WeakMap<CompiledDocument, ReadonlyMap<string, readonly string[]>>();
