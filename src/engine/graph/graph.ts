import type { ElementType } from './elementType.ts';
import type { PrimitiveName, PrimitiveParameters } from './primitives.ts';
import type { Shape } from './shape.ts';

/** A tensor in a graph: the output of a node, an input of the program, or a constant. Compared by identity. */
export interface Value {
  readonly id: number;
  readonly type: ElementType;
  readonly shape: Shape;
}

export interface Node<Name extends PrimitiveName = PrimitiveName> {
  readonly primitive: Name;
  readonly parameters: PrimitiveParameters[Name];
  readonly inputs: readonly Value[];
  readonly output: Value;
}

export interface Constant {
  readonly value: Value;
  /** Row-major elements; bool as 0 and 1. */
  readonly data: readonly number[];
}

/** A pure function from named inputs to named outputs; nodes stand in an order in which they can be computed. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly { readonly name: string; readonly value: Value }[];
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly Node[];
}
