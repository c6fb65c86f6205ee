import { EspalierError } from '../../base/errors.ts';
import type { ElementType } from './elementType.ts';
import type { Value } from './graph.ts';
import type { PrimitiveName, PrimitiveParameters } from './primitives.ts';
import { broadcastShapes, printShape, sameShape, type Shape, sizeOf } from './shape.ts';

export interface TensorType {
  readonly type: ElementType;
  readonly shape: Shape;
}

type TypeRule<Name extends PrimitiveName> = (
  inputs: readonly Value[],
  parameters: PrimitiveParameters[Name],
) => TensorType;

/** Element type and shape of a primitive's output; throws where the inputs do not fit. */
export function inferType<Name extends PrimitiveName>(
  primitive: Name,
  inputs: readonly Value[],
  parameters: PrimitiveParameters[Name],
): TensorType {
  return TYPE_RULES[primitive](inputs, parameters);
}

const elementwise: TypeRule<PrimitiveName> = (inputs) => ({
  type: commonType(inputs),
  shape: inputs.map((input) => input.shape).reduce(broadcast),
});

const comparison: TypeRule<PrimitiveName> = (inputs) => {
  commonType(inputs);
  return { type: 'bool', shape: inputs.map((input) => input.shape).reduce(broadcast) };
};

type Reduction = 'reduceSum' | 'reduceMean' | 'reduceMax' | 'reduceMin' | 'reduceSumSquare';

const reduction: TypeRule<Reduction> = ([x], { axes }) => ({
  type: x!.type,
  shape: x!.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
});

/** Same type and shape as the first input, which the others (weights, biases) scale along the last axis. */
const alongLastAxis: TypeRule<PrimitiveName> = ([x, ...scales]) => {
  for (const scale of scales) require('norm', sameShape(scale.shape, [x!.shape.at(-1)!]), [x!, scale]);
  return { type: x!.type, shape: x!.shape };
};

const TYPE_RULES: { readonly [Name in PrimitiveName]: TypeRule<Name> } = {
  add: elementwise,
  sub: elementwise,
  mul: elementwise,
  div: elementwise,
  pow: elementwise,
  min: elementwise,
  lessOrEqual: comparison,
  equal: comparison,
  where: ([condition, x, y]) => {
    require('where', condition!.type === 'bool', [condition!, x!, y!]);
    return { type: commonType([x!, y!]), shape: [condition!, x!, y!].map((input) => input.shape).reduce(broadcast) };
  },
  neg: elementwise,
  abs: elementwise,
  sqrt: elementwise,
  exp: elementwise,
  log: elementwise,
  tanh: elementwise,
  relu: elementwise,
  sigmoid: elementwise,
  erf: elementwise,
  cast: ([x], { to }) => ({ type: to, shape: x!.shape }),
  reduceSum: reduction,
  reduceMean: reduction,
  reduceMax: reduction,
  reduceMin: reduction,
  reduceSumSquare: reduction,
  softmax: ([x]) => ({ type: x!.type, shape: x!.shape }),
  logSoftmax: ([x]) => ({ type: x!.type, shape: x!.shape }),
  reshape: ([x], { shape }) => {
    require('reshape', sizeOf(shape) === sizeOf(x!.shape), [x!], printShape(shape));
    return { type: x!.type, shape };
  },
  expand: ([x], { shape }) => {
    require('expand', sameShape(broadcast(x!.shape, shape), shape), [x!], printShape(shape));
    return { type: x!.type, shape };
  },
  transpose: ([x], { permutation }) => {
    const axes = [...permutation].sort((a, b) => a - b);
    require('transpose', sameShape(
      axes,
      x!.shape.map((_, axis) => axis),
    ), [x!], printShape(permutation));
    return { type: x!.type, shape: permutation.map((axis) => x!.shape[axis]!) };
  },
  slice: ([x], { axis, begin, end }) => {
    require('slice', 0 <= begin && begin < end && end <= (x!.shape[axis] ?? 0), [x!], `${begin} to ${end}`);
    return { type: x!.type, shape: x!.shape.map((size, i) => (i === axis ? end - begin : size)) };
  },
  concat: (inputs, { axis }) => {
    const [first] = inputs;
    const others = (x: Value): Shape => x.shape.filter((_, i) => i !== axis);
    require('concat', inputs.every((x) => sameShape(others(x), others(first!))), inputs);
    const size = inputs.reduce((total, x) => total + x.shape[axis]!, 0);
    return { type: commonType(inputs), shape: first!.shape.map((extent, i) => (i === axis ? size : extent)) };
  },
  gatherElements: ([x, indices], { axis }) => {
    const fits =
      x!.shape.length === indices!.shape.length &&
      x!.shape.every((size, i) => i === axis || indices!.shape[i]! <= size);
    require('gatherElements', fits, [x!, indices!]);
    return { type: x!.type, shape: indices!.shape };
  },
  scatterElements: ([x, indices, updates]) => {
    require('scatterElements', sameShape(indices!.shape, updates!.shape), [x!, indices!, updates!]);
    return { type: x!.type, shape: x!.shape };
  },
  takeRows: ([x, chosen]) => {
    require('takeRows', x!.shape.length === 2 && sameShape(chosen!.shape, [x!.shape[0]!, 1]), [x!, chosen!]);
    return { type: x!.type, shape: x!.shape };
  },
  addRows: ([x, rows, chosen]) => {
    const fits = sameShape(x!.shape, rows!.shape) && sameShape(chosen!.shape, [x!.shape[0]!, 1]);
    require('addRows', x!.shape.length === 2 && fits, [x!, rows!, chosen!]);
    return { type: commonType([x!, rows!]), shape: x!.shape };
  },
  smallestIndices: ([x], { k }) => {
    require('smallestIndices', k >= 1 && k <= x!.shape.at(-1)!, [x!], `k = ${k}`);
    return { type: 'int64', shape: [...x!.shape.slice(0, -1), k] };
  },
  matMul: ([a, b], { transposeA, transposeB }) => {
    const leading = a!.shape.slice(0, -2);
    const [m, left] = transposeA ? [a!.shape.at(-1)!, a!.shape.at(-2)!] : [a!.shape.at(-2)!, a!.shape.at(-1)!];
    const [right, n] = transposeB ? [b!.shape.at(-1)!, b!.shape.at(-2)!] : [b!.shape.at(-2)!, b!.shape.at(-1)!];
    const fits = a!.shape.length >= 2 && sameShape(leading, b!.shape.slice(0, -2)) && left === right;
    require('matMul', fits, [a!, b!]);
    return { type: commonType([a!, b!]), shape: [...leading, m, n] };
  },
  linear: ([x, weight, bias]) => {
    const fits =
      x!.shape.length === 2 &&
      weight!.shape.length === 2 &&
      x!.shape[1] === weight!.shape[1] &&
      (bias === undefined || sameShape(bias.shape, [weight!.shape[0]!]));
    require('linear', fits, [x!, weight!]);
    return { type: commonType([x!, weight!]), shape: [x!.shape[0]!, weight!.shape[0]!] };
  },
  rmsNorm: alongLastAxis,
  layerNorm: alongLastAxis,
  silu: elementwise,
  gelu: elementwise,
  rotate: ([x, cosines, sines], { heads }) => {
    const pairs = x!.shape[2]! / heads / 2;
    const table = [x!.shape[1]!, pairs];
    const fits = x!.shape.length === 3 && sameShape(cosines!.shape, table) && sameShape(sines!.shape, table);
    require('rotate', fits, [x!, cosines!, sines!]);
    return { type: commonType([x!, cosines!, sines!]), shape: x!.shape };
  },
  crossEntropy: ([logits, targets]) => {
    require('crossEntropy', sameShape(targets!.shape, [logits!.shape[0]!]), [logits!, targets!]);
    return { type: 'float32', shape: targets!.shape };
  },
};

function broadcast(a: Shape, b: Shape): Shape {
  const shape = broadcastShapes(a, b);
  if (shape) return shape;
  throw invariant('broadcast', 'shapes that broadcast', `${printShape(a)} and ${printShape(b)}`);
}

function commonType(inputs: readonly Value[]): ElementType {
  const type = inputs[0]!.type;
  if (inputs.every((input) => input.type === type)) return type;
  throw invariant('building a program', 'inputs of one element type', inputs.map((input) => input.type).join(', '));
}

function require(primitive: string, fits: boolean, inputs: readonly Value[], detail = ''): void {
  if (fits) return;
  const shapes = inputs.map((input) => printShape(input.shape)).join(', ');
  throw invariant(primitive, 'inputs whose shapes fit', detail ? `${shapes} with ${detail}` : shapes);
}

function invariant(operation: string, expected: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation,
    expected,
    actual,
    remedy: 'This is a defect of Espalier: please report it with the checkpoint’s config.json.',
  });
}
