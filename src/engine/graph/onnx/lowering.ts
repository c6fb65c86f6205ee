import type { Node, Value } from '../graph.ts';
import type { PrimitiveName } from '../primitives.ts';
import { type Attributes, DATA_TYPES, type Domain, type Emitter } from './emitter.ts';
import { lowerSum } from './lowerSum.ts';

/** What a lowering may depend on: operators that a device lacks would silently run on the CPU. */
export interface LoweringTarget {
  readonly provider: 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';
}

/** Writes one primitive as ONNX nodes that end in the tensor named `output`. */
type Lowering<Name extends PrimitiveName> = (
  node: Node<Name>,
  inputs: readonly string[],
  output: string,
  emit: Emitter,
  target: LoweringTarget,
) => void;

export function lower<Name extends PrimitiveName>(
  node: Node<Name>,
  inputs: readonly string[],
  output: string,
  emit: Emitter,
  target: LoweringTarget,
): void {
  LOWERINGS[node.primitive](node, inputs, output, emit, target);
}

const operator =
  (name: string, attributes: Attributes = {}, domain: Domain = ''): Lowering<PrimitiveName> =>
  (_, inputs, output, emit) => {
    emit.node(name, inputs, attributes, { domain, output });
  };

const reduction =
  (name: string): Lowering<'reduceSum' | 'reduceMean' | 'reduceMax' | 'reduceMin' | 'reduceSumSquare'> =>
  ({ parameters }, [x], output, emit) => {
    emit.node(name, [x!, emit.integers(parameters.axes)], { keepdims: 1 }, { output });
  };

const sum =
  (name: string): Lowering<'reduceSum' | 'reduceMean'> =>
  (node, inputs, output, emit, target) => {
    if (target.provider === 'cpu') lowerSum(node, inputs[0]!, output, emit);
    else reduction(name)(node, inputs, output, emit, target);
  };

const LOWERINGS: { readonly [Name in PrimitiveName]: Lowering<Name> } = {
  add: operator('Add'),
  sub: operator('Sub'),
  mul: operator('Mul'),
  div: operator('Div'),
  pow: operator('Pow'),
  min: operator('Min'),
  lessOrEqual: operator('LessOrEqual'),
  equal: operator('Equal'),
  where: operator('Where'),
  neg: operator('Neg'),
  abs: operator('Abs'),
  sqrt: operator('Sqrt'),
  exp: operator('Exp'),
  // The CPU's Log takes several elements at a time and what is left over one by one, by another formula, and threads decide what is
  // left over. The logarithm of a sum of one element is always taken by itself.
  log: ({ inputs: [x] }, [name], output, emit, { provider }) => {
    if (provider !== 'cpu') {
      emit.node('Log', [name!], {}, { output });
      return;
    }
    const { shape } = x!;
    const sums = emit.node('Reshape', [name!, emit.integers([...shape, 1])]);
    emit.node('ReduceLogSum', [sums, emit.integers([shape.length])], { keepdims: 0 }, { output });
  },
  tanh: operator('Tanh'),
  relu: operator('Relu'),
  sigmoid: operator('Sigmoid'),
  erf: operator('Erf'),
  cast: ({ parameters }, [x], output, emit) => {
    emit.node('Cast', [x!], { to: DATA_TYPES[parameters.to] }, { output });
  },
  reduceSum: sum('ReduceSum'),
  reduceMean: sum('ReduceMean'),
  reduceMax: reduction('ReduceMax'),
  reduceMin: reduction('ReduceMin'),
  reduceSumSquare: reduction('ReduceSumSquare'),
  softmax: operator('Softmax', { axis: -1 }),
  logSoftmax: ({ output: { shape } }, [x], output, emit, { provider }) => {
    if (provider === 'cpu') {
      emit.node('LogSoftmax', [x!], { axis: -1 }, { output });
      return;
    }
    const { shifted, logSum } = shiftedLogSum(x!, shape.length - 1, emit);
    emit.node('Sub', [shifted, logSum], {}, { output });
  },
  reshape: ({ parameters }, [x], output, emit) => {
    emit.node('Reshape', [x!, emit.integers(parameters.shape)], {}, { output });
  },
  expand: ({ parameters }, [x], output, emit) => {
    emit.node('Expand', [x!, emit.integers(parameters.shape)], {}, { output });
  },
  transpose: ({ parameters }, [x], output, emit) => {
    emit.node('Transpose', [x!], { perm: parameters.permutation }, { output });
  },
  // On the CPU what a slice waits for decides where it begins; elsewhere a number that is computed would have to come to the host first.
  slice: ({ parameters: { axis, begin, end }, output: { shape } }, [x, ...after], output, emit, { provider }) => {
    const bounds = [[begin], [end], [axis]].map((values) => emit.integers(values));
    if (after.length === 0 || provider !== 'cpu') {
      emit.node('Slice', [x!, ...bounds], {}, { output });
      return;
    }
    const zero = emit.once(`after ${after.join()}`, () => zeroOnceThere(after, emit));
    const start = emit.node('Add', [bounds[0]!, zero]);
    const slice = emit.node('Slice', [x!, start, ...bounds.slice(1)]);
    emit.node('Reshape', [slice, emit.integers(shape)], {}, { output });
  },
  concat: ({ parameters }, inputs, output, emit) => {
    emit.node('Concat', inputs, { axis: parameters.axis }, { output });
  },
  gatherElements: ({ parameters }, inputs, output, emit) => {
    emit.node('GatherElements', inputs, { axis: parameters.axis }, { output });
  },
  scatterElements: ({ parameters }, inputs, output, emit) => {
    emit.node('ScatterElements', inputs, { axis: parameters.axis }, { output });
  },
  // The CPU works on the chosen rows alone; elsewhere sizes that data decide would have to come to the host first.
  takeRows: (_, [x, chosen], output, emit, { provider }) => {
    if (provider !== 'cpu') emit.node('Mul', [x!, chosen!], {}, { output });
    else emit.node('Gather', [x!, chosenRows(chosen!, emit)], { axis: 0 }, { output });
  },
  addRows: (_, [x, rows, chosen], output, emit, { provider }) => {
    if (provider !== 'cpu') {
      emit.node('Add', [x!, emit.node('Mul', [rows!, chosen!])], {}, { output });
      return;
    }
    const places = emit.node('Reshape', [chosenRows(chosen!, emit), emit.integers([-1, 1])]);
    emit.node('ScatterND', [x!, places, rows!], { reduction: 'add' }, { output });
  },
  // TopK's second output holds the indices; the standard breaks ties by the lower index.
  smallestIndices: ({ parameters }, [x], output, emit) => {
    const attributes = { largest: 0, sorted: 0 };
    const [, indices] = emit.allOutputs('TopK', [x!, emit.integers([parameters.k])], attributes, 2);
    emit.node('Identity', [indices!], {}, { output });
  },
  matMul: lowerMatMul,
  linear: (_, inputs, output, emit) => {
    emit.node('Gemm', inputs, { transB: 1 }, { output });
  },
  rmsNorm: ({ parameters }, inputs, output, emit) => {
    emit.node('SimplifiedLayerNormalization', inputs, { axis: -1, epsilon: { float: parameters.epsilon } }, { output });
  },
  layerNorm: ({ parameters }, inputs, output, emit) => {
    emit.node('LayerNormalization', inputs, { axis: -1, epsilon: { float: parameters.epsilon } }, { output });
  },
  silu: (_, [x], output, emit) => {
    emit.node('QuickGelu', [x!], { alpha: { float: 1 } }, { domain: 'com.microsoft', output });
  },
  gelu: ({ parameters }, [x], output, emit) => {
    emit.node('Gelu', [x!], { approximate: parameters.approximate ? 'tanh' : 'none' }, { output });
  },
  rotate: ({ parameters }, [x, cosines, sines], output, emit) => {
    const start = emit.constant('int64', [1], [0]);
    const attributes = { num_heads: parameters.heads, interleaved: Number(parameters.interleaved) };
    emit.node('RotaryEmbedding', [x!, start, cosines!, sines!], attributes, { domain: 'com.microsoft', output });
  },
  crossEntropy: ({ inputs: values }, [logits, targets], output, emit, { provider }) => {
    const [rows] = values[0]!.shape as [number];
    const column = emit.node('Reshape', [targets!, emit.integers([rows, 1])]);
    const flat = emit.integers([rows]);
    if (provider === 'cpu') {
      const logProbabilities = emit.node('LogSoftmax', [logits!], { axis: -1 });
      const picked = emit.node('GatherElements', [logProbabilities, column], { axis: 1 });
      emit.node('Neg', [emit.node('Reshape', [picked, flat])], {}, { output });
      return;
    }
    const { shifted, logSum } = shiftedLogSum(logits!, 1, emit);
    const picked = emit.node('GatherElements', [shifted, column], { axis: 1 });
    const loss = emit.node('Sub', [logSum, picked]);
    emit.node('Reshape', [loss, flat], {}, { output });
  },
};

/** WebGPU runs a float32 LogSoftmax on the CPU: its parts, spelled out, with the maximum taken off first. */
function shiftedLogSum(x: string, axis: number, emit: Emitter): { shifted: string; logSum: string } {
  const axes = emit.integers([axis]);
  const shifted = emit.node('Sub', [x, emit.node('ReduceMax', [x, axes], { keepdims: 1 })]);
  const sum = emit.node('ReduceSum', [emit.node('Exp', [shifted]), axes], { keepdims: 1 });
  return { shifted, logSum: emit.node('Log', [sum]) };
}

/** An int64 [1] that is 0, of tensors of numbers or of none: no number is greater than itself. */
function zeroOnceThere(tensors: readonly string[], emit: Emitter): string {
  const first = (x: string): string => {
    const flat = emit.node('Reshape', [x, emit.integers([-1])]);
    return emit.node('Slice', [flat, emit.integers([0]), emit.integers([1])]);
  };
  const firsts = emit.node('Concat', tensors.map(first), { axis: 0 });
  const never = emit.node('Cast', [emit.node('Greater', [firsts, firsts])], { to: DATA_TYPES.int64 });
  return emit.node('ReduceMax', [never, emit.integers([0])], { keepdims: 1 });
}

/** chosen [n, 1] → the indices (int64) of its rows that are not 0. */
function chosenRows(chosen: string, emit: Emitter): string {
  const found = emit.node('NonZero', [emit.node('Reshape', [chosen, emit.integers([-1])])]);
  return emit.node('Reshape', [found, emit.integers([-1])]);
}

/** One operator on the CPU and for two matrices; WebGPU has no operator that transposes stacks of them on the way. */
function lowerMatMul(
  { parameters: { transposeA, transposeB, scale }, inputs }: Node<'matMul'>,
  [a, b]: readonly string[],
  output: string,
  emit: Emitter,
  { provider }: LoweringTarget,
): void {
  const [left] = inputs as readonly [Value, Value];
  const attributes = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: scale } };
  if (left.shape.length === 2) {
    emit.node('Gemm', [a!, b!], attributes, { output });
    return;
  }
  if (provider === 'cpu') {
    emit.node('FusedMatMul', [a!, b!], attributes, { domain: 'com.microsoft', output });
    return;
  }
  const scaled = (x: string): string => {
    if (scale === 1) return x;
    const factor = emit.constant('float32', [], [scale]);
    const typed = left.type === 'float32' ? factor : emit.node('Cast', [factor], { to: DATA_TYPES[left.type] });
    return emit.node('Mul', [x, typed]);
  };
  const transposed = (x: string, rank: number, swap: boolean): string => {
    if (!swap) return x;
    const perm = [...Array(rank - 2).keys(), rank - 1, rank - 2];
    return emit.node('Transpose', [x], { perm });
  };
  const rank = left.shape.length;
  emit.node('MatMul', [transposed(scaled(a!), rank, transposeA), transposed(b!, rank, transposeB)], {}, { output });
}
