import type { ElementType } from './elementType.ts';
import type { Constant, Graph, Node, Value } from './graph.ts';
import type { PrimitiveName, PrimitiveParameters } from './primitives.ts';
import { sameShape, type Shape, sizeOf } from './shape.ts';
import { inferType } from './typeRules.ts';

type MatMulOptions = Partial<PrimitiveParameters['matMul']>;

/** How the gradient of a value comes to what several nodes have made it of. */
export interface JointGradient {
  readonly inputs: readonly Value[];
  /** Writes ∂L/∂inputs[i], each of its input's shape, from ∂L/∂value. */
  readonly gradient: (cotangent: Value) => readonly Value[];
}

/** Builds a {@link Graph} call by call; every call checks its inputs by the primitive's type rule. */
export class GraphBuilder {
  private readonly inputs: { name: string; value: Value }[] = [];
  private readonly outputs: { name: string; value: Value }[] = [];
  private readonly constants: Constant[] = [];
  private readonly nodes: Node[] = [];
  private readonly joints = new Map<Value, JointGradient>();
  private nextId = 0;
  /** Stands before the names of inputs and outputs that are added: where one program holds several blocks. */
  prefix = '';

  input(name: string, shape: Shape, type: ElementType = 'float32'): Value {
    const value = this.value(type, shape);
    this.inputs.push({ name: this.prefix + name, value });
    return value;
  }

  output(name: string, value: Value): void {
    this.outputs.push({ name: this.prefix + name, value });
  }

  constant(data: readonly number[], shape: Shape, type: ElementType = 'float32'): Value {
    const value = this.value(type, shape);
    this.constants.push({ value, data });
    return value;
  }

  scalar(number: number, type: ElementType = 'float32'): Value {
    return this.constant([number], [], type);
  }

  /**
   * Gives a value a gradient of its own, in the place of the rules of the nodes between the inputs and it. Nobody else may read what is between: no
   * gradient would come to it.
   */
  joint(value: Value, inputs: readonly Value[], gradient: JointGradient['gradient']): void {
    this.joints.set(value, { inputs, gradient });
  }

  jointOf(value: Value): JointGradient | undefined {
    return this.joints.get(value);
  }

  /** The graph with what its outputs need, and nothing else: ONNX Runtime computes nodes that nobody asks for, too. */
  build(name: string): Graph {
    const needed = new Set(this.outputs.map(({ value }) => value));
    const nodes = this.nodes
      .toReversed()
      .filter((node) => {
        if (!needed.has(node.output)) return false;
        for (const input of node.inputs) needed.add(input);
        return true;
      })
      .reverse();
    const isNeeded = ({ value }: { readonly value: Value }): boolean => needed.has(value);
    return {
      name,
      inputs: this.inputs.filter(isNeeded),
      outputs: this.outputs,
      constants: this.constants.filter(isNeeded),
      nodes,
    };
  }

  apply<Name extends PrimitiveName>(
    primitive: Name,
    inputs: readonly Value[],
    parameters: PrimitiveParameters[Name],
  ): Value {
    const { type, shape } = inferType(primitive, inputs, parameters);
    const output = this.value(type, shape);
    this.nodes.push({ primitive, parameters, inputs, output });
    return output;
  }

  add = (a: Value, b: Value): Value => this.apply('add', [a, b], {});
  sub = (a: Value, b: Value): Value => this.apply('sub', [a, b], {});
  mul = (a: Value, b: Value): Value => this.apply('mul', [a, b], {});
  div = (a: Value, b: Value): Value => this.apply('div', [a, b], {});
  pow = (a: Value, b: Value): Value => this.apply('pow', [a, b], {});
  min = (a: Value, b: Value): Value => this.apply('min', [a, b], {});
  lessOrEqual = (a: Value, b: Value): Value => this.apply('lessOrEqual', [a, b], {});
  equal = (a: Value, b: Value): Value => this.apply('equal', [a, b], {});
  where = (condition: Value, x: Value, y: Value): Value => this.apply('where', [condition, x, y], {});
  neg = (x: Value): Value => this.apply('neg', [x], {});
  abs = (x: Value): Value => this.apply('abs', [x], {});
  sqrt = (x: Value): Value => this.apply('sqrt', [x], {});
  exp = (x: Value): Value => this.apply('exp', [x], {});
  log = (x: Value): Value => this.apply('log', [x], {});
  tanh = (x: Value): Value => this.apply('tanh', [x], {});
  relu = (x: Value): Value => this.apply('relu', [x], {});
  sigmoid = (x: Value): Value => this.apply('sigmoid', [x], {});
  erf = (x: Value): Value => this.apply('erf', [x], {});
  silu = (x: Value): Value => this.apply('silu', [x], {});
  gelu = (x: Value, approximate: boolean): Value => this.apply('gelu', [x], { approximate });
  cast = (x: Value, to: ElementType): Value => (x.type === to ? x : this.apply('cast', [x], { to }));
  reduceSum = (x: Value, axes: readonly number[]): Value => this.apply('reduceSum', [x], { axes });
  reduceMean = (x: Value, axes: readonly number[]): Value => this.apply('reduceMean', [x], { axes });
  reduceMax = (x: Value, axes: readonly number[]): Value => this.apply('reduceMax', [x], { axes });
  reduceMin = (x: Value, axes: readonly number[]): Value => this.apply('reduceMin', [x], { axes });
  reduceSumSquare = (x: Value, axes: readonly number[]): Value => this.apply('reduceSumSquare', [x], { axes });
  softmax = (x: Value): Value => this.apply('softmax', [x], {});
  logSoftmax = (x: Value): Value => this.apply('logSoftmax', [x], {});
  reshape = (x: Value, shape: Shape): Value => (sameShape(x.shape, shape) ? x : this.apply('reshape', [x], { shape }));
  expand = (x: Value, shape: Shape): Value => (sameShape(x.shape, shape) ? x : this.apply('expand', [x], { shape }));
  /** @param after is computed before it: of the whole, too, a slice is made then */
  slice = (x: Value, axis: number, begin: number, end: number, after: readonly Value[] = []): Value =>
    end - begin === x.shape[axis] && after.length === 0 ? x : this.apply('slice', [x, ...after], { axis, begin, end });
  transpose = (x: Value, permutation: readonly number[]): Value => this.apply('transpose', [x], { permutation });
  concat = (parts: readonly Value[], axis: number): Value =>
    parts.length === 1 ? parts[0]! : this.apply('concat', parts, { axis });
  gatherElements = (x: Value, indices: Value, axis: number): Value =>
    this.apply('gatherElements', [x, indices], { axis });
  scatterElements = (x: Value, indices: Value, updates: Value, axis: number): Value =>
    this.apply('scatterElements', [x, indices, updates], { axis });
  takeRows = (x: Value, chosen: Value): Value => this.apply('takeRows', [x, chosen], {});
  addRows = (x: Value, rows: Value, chosen: Value): Value => this.apply('addRows', [x, rows, chosen], {});
  smallestIndices = (x: Value, k: number): Value => this.apply('smallestIndices', [x], { k });
  /** x [n, m], places int32 [k, 1] → [k, m]: the rows of x at these places. */
  rowsAt = (x: Value, places: Value): Value =>
    this.gatherElements(x, this.expand(places, [places.shape[0]!, x.shape[1]!]), 0);
  /** x [n, m] → [n, m]: 1 at the k largest elements of each row, else 0; of equal elements the lower index comes first. */
  largest = (x: Value, k: number): Value => {
    const [rows] = x.shape as [number, number];
    const zeros = this.expand(this.constant([0], [1, 1]), x.shape);
    return this.scatterElements(zeros, this.smallestIndices(this.neg(x), k), this.constant([1], [rows, k]), 1);
  };
  /** x [n, m] → [n, 1] */
  sumOfRow = (x: Value): Value => this.reduceSum(x, [1]);
  /** x where it is between −bound and bound, else the nearer of them. */
  clip = (x: Value, bound: number): Value => {
    const limit = this.scalar(bound);
    return this.neg(this.min(this.neg(this.min(x, limit)), limit));
  };
  matMul = (a: Value, b: Value, { transposeA = false, transposeB = false, scale = 1 }: MatMulOptions = {}): Value =>
    this.apply('matMul', [a, b], { transposeA, transposeB, scale });
  linear = (x: Value, weight: Value, bias?: Value): Value =>
    this.apply('linear', bias ? [x, weight, bias] : [x, weight], {});
  rmsNorm = (x: Value, weight: Value, epsilon: number): Value => this.apply('rmsNorm', [x, weight], { epsilon });
  layerNorm = (x: Value, weight: Value, bias: Value | undefined, epsilon: number): Value =>
    this.apply('layerNorm', bias ? [x, weight, bias] : [x, weight], { epsilon });
  rotate = (x: Value, cosines: Value, sines: Value, heads: number, interleaved = false): Value =>
    this.apply('rotate', [x, cosines, sines], { heads, interleaved });
  crossEntropy = (logits: Value, targets: Value): Value => this.apply('crossEntropy', [logits, targets], {});

  /** What has been written so far, in order. */
  get written(): readonly Node[] {
    return this.nodes;
  }

  private value(type: ElementType, shape: Shape): Value {
    if (!(sizeOf(shape) > 0)) throw new RangeError(`empty tensor in a program: [${shape.join(', ')}]`);
    return { id: this.nextId++, type, shape };
  }
}
