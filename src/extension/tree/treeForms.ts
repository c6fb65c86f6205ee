import { canonical } from '../../metric/canonical.ts';
import type { Expression } from '../../metric/expression.ts';
import { sizeOf } from '../../metric/measure.ts';
import { expressionOf } from '../../metric/expressionOf.ts';
import { normalForm } from '../../metric/normalForm.ts';
import { printPrefix } from '../../metric/print.ts';
import type { MetricTree, NodePlace, OutlineRange } from '../../language/server/messages.ts';
import type { FormName, ShownForm } from '../../view/treeMessages.ts';

/** A form of a metric with the place of each of its nodes, where it has one. Numbered from the root, a node before its arguments. */
export interface Form extends ShownForm {
  readonly ranges: readonly (OutlineRange | undefined)[];
}

/** Both forms of a metric. The canonical one takes longer, and is made when it is first asked for. */
export class Forms {
  readonly written: Form;
  private readonly places: MetricTree['places'];
  private made: { readonly form: Form; readonly steps: readonly string[] } | undefined;

  /** @param places of the written form; none for a formula that stands in no file */
  constructor(expression: Expression, places: MetricTree['places'] = []) {
    this.places = places;
    this.written = formOf(
      expression,
      walk(expression).map((_, index) => places[index]),
    );
  }

  get(name: FormName): Form {
    return name === 'written' ? this.written : this.canonical.form;
  }

  /** What leads to a form, in words. */
  steps(name: FormName): readonly string[] {
    return name === 'written' ? [] : this.canonical.steps;
  }

  private get canonical(): { readonly form: Form; readonly steps: readonly string[] } {
    if (!this.made) {
      const { expression, steps } = canonical(this.written.expression);
      this.made = { form: formOf(expression, this.placesOf(expression)), steps };
    }
    return this.made;
  }

  /** A node of the canonical form stands where the first written node of the same values stands. */
  private placesOf(expression: Expression): (NodePlace | undefined)[] {
    const { written } = this;
    const isLarge = Math.max(sizeOf(written.expression), sizeOf(expression)) > MOST_PLACED;
    if (this.places.length === 0 || isLarge) return walk(expression).map(() => undefined);
    const first = new Map<string, NodePlace>();
    for (const [index, node] of walk(written.expression).entries()) {
      const values = valuesOf(node);
      if (!first.has(values)) first.set(values, this.places[index]!);
    }
    return walk(expression).map((node) => first.get(valuesOf(node)));
  }
}

/** Nodes of a tree whose values are compared one by one: more than anyone writes, and few enough to be done in milliseconds. */
const MOST_PLACED = 64;

/** Equal for expressions that have the same values, as far as their normal forms tell. */
function valuesOf(expression: Expression): string {
  return printPrefix(expressionOf(normalForm(expression, { rounds: false })));
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

function formOf(expression: Expression, places: readonly (NodePlace | undefined)[]): Form {
  const references = places.flatMap((place, index) =>
    place?.reference === undefined ? [] : [[index, place.reference] as const],
  );
  return { expression, ranges: places.map((place) => place?.range), references: Object.fromEntries(references) };
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

function compare(a: OutlineRange['start'], b: OutlineRange['start']): number {
  return a.line - b.line || a.character - b.character;
}
