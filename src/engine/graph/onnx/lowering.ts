import type { Node } from '../graph.ts';
import type { PrimitiveName } from '../primitives.ts';
import { type Attributes, DATA_TYPES, type Domain, type Emitter } from './emitter.ts';
import { lowerAttention } from './lowerAttention.ts';

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
  (name: string): Lowering<'reduceSum' | 'reduceMean' | 'reduceMax' | 'reduceMin'> =>
  ({ parameters }, [x], output, emit) => {
    emit.node(name, [x!, emit.integers(parameters.axes)], { keepdims: 1 }, { output });
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
  neg: operator('Neg'),
  abs: operator('Abs'),
  sqrt: operator('Sqrt'),
  exp: operator('Exp'),
  log: operator('Log'),
  tanh: operator('Tanh'),
  relu: operator('Relu'),
  cast: ({ parameters }, [x], output, emit) => {
    emit.node('Cast', [x!], { to: DATA_TYPES[parameters.to] }, { output });
  },
  reduceSum: reduction('ReduceSum'),
  reduceMean: reduction('ReduceMean'),
  reduceMax: reduction('ReduceMax'),
  reduceMin: reduction('ReduceMin'),
  reshape: ({ parameters }, [x], output, emit) => {
    emit.node('Reshape', [x!, emit.integers(parameters.shape)], {}, { output });
  },
  expand: ({ parameters }, [x], output, emit) => {
    emit.node('Expand', [x!, emit.integers(parameters.shape)], {}, { output });
  },
  slice: ({ parameters: { axis, begin, end } }, [x], output, emit) => {
    const bounds = [[begin], [end], [axis]].map((values) => emit.integers(values));
    emit.node('Slice', [x!, ...bounds], {}, { output });
  },
  scatterElements: ({ parameters }, inputs, output, emit) => {
    emit.node('ScatterElements', inputs, { axis: parameters.axis }, { output });
  },
  // TopK's second output holds the indices; the standard breaks ties by the lower index.
  smallestIndices: ({ parameters }, [x], output, emit) => {
    const attributes = { largest: 0, sorted: 0 };
    const [, indices] = emit.allOutputs('TopK', [x!, emit.integers([parameters.k])], attributes, 2);
    emit.node('Identity', [indices!], {}, { output });
  },
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
  attention: lowerAttention,
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
    // WebGPU runs a float32 LogSoftmax on the CPU: spell it out, with the maximum taken off first.
    const axis = emit.integers([1]);
    const maximum = emit.node('ReduceMax', [logits!, axis], { keepdims: 1 });
    const shifted = emit.node('Sub', [logits!, maximum]);
    const sum = emit.node('ReduceSum', [emit.node('Exp', [shifted]), axis], { keepdims: 1 });
    const picked = emit.node('GatherElements', [shifted, column], { axis: 1 });
    const loss = emit.node('Sub', [emit.node('Log', [sum]), picked]);
    emit.node('Reshape', [loss, flat], {}, { output });
  },
};
