import { canonical } from '../../metric/canonical.ts';
import type { Expression } from '../../metric/expression.ts';
import type { MetricTree, NodePlace, OutlinePosition, OutlineRange } from '../../language/messages.ts';
import type { FormName, ShownForm } from './treeMessages.ts';

/** A form of a metric with the place of each of its nodes, where it has one. Numbered from the root, a node before its arguments. */
export interface Form extends ShownForm {
  readonly ranges: readonly (OutlineRange | undefined)[];
}

export type Forms = Readonly<Record<FormName, Form>> & { readonly steps: readonly string[] };

/** @param places of the written form; none for a formula that stands in no file */
export function formsOf(expression: Expression, places: MetricTree['places'] = []): Forms {
  const placeOf = new Map(walk(expression).map((node, index) => [node, places[index]]));
  const { expression: shorter, steps } = canonical(expression);
  // What the canonical form has taken over as it is still stands where it stood.
  return {
    written: formOf(expression, (node) => placeOf.get(node)),
    canonical: formOf(shorter, (node) => placeOf.get(node)),
    steps,
  };
}

/**
 * The innermost node whose text holds the selection; of those with the same text the outermost one, which is a reference. Undefined
 * outside of all.
 *
 * @param current stays where its text is exactly the selection
 */
export function nodeAt({ ranges }: Form, selection: OutlineRange, current: number | undefined): number | undefined {
  const here = current === undefined ? undefined : ranges[current];
  if (here && compare(here.start, selection.start) === 0 && compare(here.end, selection.end) === 0) return current;
  let found: number | undefined;
  for (const [index, range] of ranges.entries()) {
    if (range && holds(range, selection) && (found === undefined || isInside(range, ranges[found]!))) found = index;
  }
  return found;
}

function formOf(expression: Expression, placeOf: (node: Expression) => NodePlace | undefined): Form {
  const places = walk(expression).map(placeOf);
  const references = places.flatMap((place, index) =>
    place?.reference === undefined ? [] : [[index, place.reference]],
  );
  return {
    expression,
    ranges: places.map((place) => place?.range),
    references: Object.fromEntries(references) as Record<number, string>,
  };
}

/** All nodes, a node before its arguments. */
function walk(node: Expression): Expression[] {
  return node.kind === 'operation' ? [node, ...node.arguments.flatMap(walk)] : [node];
}

function holds(outer: OutlineRange, inner: OutlineRange): boolean {
  return compare(outer.start, inner.start) <= 0 && compare(inner.end, outer.end) <= 0;
}

function isInside(inner: OutlineRange, outer: OutlineRange): boolean {
  return holds(outer, inner) && !holds(inner, outer);
}

function compare(a: OutlinePosition, b: OutlinePosition): number {
  return a.line - b.line || a.character - b.character;
}
