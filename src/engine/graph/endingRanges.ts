import type { Value } from './graph.ts';
import type { GraphBuilder } from './graphBuilder.ts';

interface Range {
  readonly first: number;
  readonly end: number;
  readonly value: Value;
}

/**
 * Adds up tensors over ranges of an axis that come from the last to the first: neither begins nor ends after the one before it. What lies behind the
 * newest range is complete and is put aside, so that each addition is as long as two ranges overlap.
 */
export class EndingRanges {
  private readonly graph: GraphBuilder;
  private readonly axis: number;
  private current: Range | undefined;
  private readonly complete: Value[] = [];

  constructor(graph: GraphBuilder, axis: number) {
    this.graph = graph;
    this.axis = axis;
  }

  /** Adds a tensor that stands for `first … end − 1`; → the sum over the range that is not complete. */
  add(first: number, end: number, value: Value): Value {
    const { current } = this;
    const sum = current ? this.joined({ first, end, value }, current) : value;
    this.current = { first, end, value: sum };
    return sum;
  }

  /** The sum over the whole axis, which the last range has reached the beginning of. */
  whole(): Value {
    return this.graph.concat([this.current!.value, ...this.complete], this.axis);
  }

  private joined({ first, end, value }: Range, before: Range): Value {
    const overlap = Math.max(0, end - before.first);
    const ofBefore = (from: number, to: number): Value => this.graph.slice(before.value, this.axis, from, to);
    const ofValue = (from: number, to: number): Value => this.graph.slice(value, this.axis, from, to);
    const length = before.end - before.first;
    if (overlap < length) this.complete.unshift(ofBefore(overlap, length));
    if (overlap === 0) return value;
    const both = this.graph.add(ofValue(before.first - first, end - first), ofBefore(0, overlap));
    return before.first === first ? both : this.graph.concat([ofValue(0, before.first - first), both], this.axis);
  }
}
