import { canonical } from '../../metric/canonical.ts';
import type { CanonicalForm } from '../../metric/canonical.ts';
import type { Expression } from '../../metric/expression.ts';
import type { Diagnostic } from './diagnostics.ts';
import type { CallableMetric } from './expressions.ts';
import type { DeclarationTree } from '../syntax/pieces.ts';

/** A metric that was compiled without mistakes, and all that its meaning depended on. */
interface KnownMetric {
  readonly metric: CallableMetric;
  /** What each of its names stood for, in order: metrics by identity, parameters by value. */
  readonly uses: readonly unknown[];
  /** Whether another definition uses it: some hints are for metrics that none uses. */
  readonly isUsed: boolean;
  /** What there is to tell about it all the same: hints, counted from where the metric begins. */
  readonly hints: readonly Diagnostic[];
}

/**
 * The metrics of a version of a file by their syntax trees. The next version takes over those whose text has not changed
 * and whose names still stand for the same: after a keystroke that is nearly all of them.
 */
export class MetricCache {
  private readonly previous: ReadonlyMap<DeclarationTree, KnownMetric>;
  private readonly known = new Map<DeclarationTree, KnownMetric>();

  constructor(previous?: MetricCache) {
    this.previous = previous?.known ?? new Map();
  }

  /** The metric of the previous version, if it is still right; it is then this version's as well. */
  take(tree: DeclarationTree, uses: readonly unknown[], isUsed: boolean): KnownMetric | undefined {
    const known = this.previous.get(tree);
    if (known?.isUsed !== isUsed || known.uses.some((use, i) => use !== uses[i])) return undefined;
    this.known.set(tree, known);
    return known;
  }

  keep(tree: DeclarationTree, known: KnownMetric): void {
    this.known.set(tree, known);
  }
}

/** Larger metrics are not compared by what they rank like: nobody writes them, and it takes time. In nodes. */
export const MAX_COMPARED = 120;

/** What a metric ranks like; of one that stays from version to version, computed once. */
export function canonicalForm(expression: Expression): CanonicalForm {
  const known = FORMS.get(expression);
  if (known !== undefined) return known;
  const form = canonical(expression);
  FORMS.set(expression, form);
  return form;
}

const FORMS = new WeakMap<Expression, CanonicalForm>();
