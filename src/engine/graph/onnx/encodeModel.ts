import { create, toBinary } from '@bufbuild/protobuf';
import type { ElementType } from '../elementType.ts';
import type { Graph, Value } from '../graph.ts';
import type { Shape } from '../shape.ts';
import { DATA_TYPES, Emitter } from './emitter.ts';
import { lower, type LoweringTarget } from './lowering.ts';
import { ModelProtoSchema, type ValueInfoProto, ValueInfoProtoSchema } from './onnx_pb.js';

const IR_VERSION = 10n;
const OPSET = 21n;

/** The graph as the bytes of an ONNX model file, lowered for one device. */
export function encodeModel(graph: Graph, target: LoweringTarget): Uint8Array {
  const emit = new Emitter();
  const names = new Map<Value, string>();
  for (const { name, value } of graph.inputs) names.set(value, name);
  for (const { value, data } of graph.constants) names.set(value, emitConstant(emit, value, data));
  const outputNames = new Map(graph.outputs.map(({ name, value }) => [value, name]));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => names.get(input)!);
    const output = outputNames.get(node.output) ?? `v${node.output.id}`;
    lower(node, inputs, output, emit, target);
    names.set(node.output, output);
  }
  // A value may be an input and an output at once, or an output under two names: each output name needs a node of its own.
  for (const { name, value } of graph.outputs) {
    if (names.get(value) !== name) emit.node('Identity', [names.get(value)!], {}, { output: name });
  }
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: 'espalier',
      opsetImport: [
        { domain: '', version: OPSET },
        { domain: 'com.microsoft', version: 1n },
      ],
      graph: {
        name: graph.name,
        node: emit.nodes,
        initializer: emit.initializers,
        input: graph.inputs.map(({ name, value }) => valueInfo(name, value.type, value.shape)),
        output: graph.outputs.map(({ name, value }) => valueInfo(name, value.type, value.shape)),
      },
    }),
  );
}

function emitConstant(emit: Emitter, value: Value, data: readonly number[]): string {
  if (value.type !== 'float16') return emit.constant(value.type, value.shape, data);
  return emit.node('Cast', [emit.constant('float32', value.shape, data)], { to: DATA_TYPES.float16 });
}

function valueInfo(name: string, type: ElementType, shape: Shape): ValueInfoProto {
  const dim = shape.map((size) => ({ value: { case: 'dimValue' as const, value: BigInt(size) } }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: DATA_TYPES[type], shape: { dim } } } },
  });
}
