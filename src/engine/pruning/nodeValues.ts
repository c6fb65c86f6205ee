import type { Expression, OperationExpression } from '../../metric/expression.ts';
import type { OperandName } from '../../metric/operands.ts';
import type { OperationName } from '../../metric/operations.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import { broadcastShapes, sameShape, type Shape, sizeOf } from '../graph/shape.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { writeOperation } from './metricGraph.ts';

/** Called once for every node, arguments before what is made of them; the value is gone after the call. */
export type NodeVisitor = (node: Expression, path: readonly number[], value: DeviceTensor) => Promise<void>;

/** How the keys of these programs begin. */
export const NODE_PROGRAMS = 'node ';

/**
 * Computes a metric one node at a time, each by a program of one operation. A value lives until its parent has been computed, and
 * the argument that needs more room goes first (Sethi and Ullman 1970), so that of n nodes at most log₂(n) + 2 are held at once.
 * A number has no axes, as in the program of the whole metric (ONNX Runtime's power on WebGPU refuses [1, 1] beside a matrix).
 *
 * @param operands the values that the metric names, [out, in] or [1, in], float32; they stay the caller's
 */
export async function visitNodes(
  device: Device,
  root: Expression,
  operands: ReadonlyMap<OperandName, DeviceTensor>,
  visit: NodeVisitor,
): Promise<void> {
  const room = new Map<Expression, number>();
  measureRoom(root, room);
  const values = new NodeValues(device);

  const compute = async (node: Expression, path: readonly number[]): Promise<DeviceTensor> => {
    const value = await valueOf(node, path);
    await visit(node, path, value);
    return value;
  };
  const valueOf = async (node: Expression, path: readonly number[]): Promise<DeviceTensor> => {
    switch (node.kind) {
      case 'operand':
        return operands.get(node.name)!;
      case 'number':
        return DeviceTensor.fromHost(Float32Array.of(node.value), []);
      case 'operation': {
        const args: DeviceTensor[] = [];
        for (const index of inOrderOfRoom(node, room)) {
          args[index] = await compute(node.arguments[index]!, [...path, index]);
        }
        const value = await values.apply(node.operation, args);
        for (const argument of args) values.giveUp(argument);
        return value;
      }
    }
  };

  try {
    await compute(root, []);
  } finally {
    values.dispose();
  }
}

/** Elements of a value beside which compiling a program again is nothing. */
const LARGE = 1 << 22;

/** The results of operations that are still needed, and on the CPU the buffers that are free for the next. */
class NodeValues {
  private readonly device: Device;
  private readonly live = new Set<DeviceTensor>();
  private readonly spares: DeviceTensor[] = [];

  constructor(device: Device) {
    this.device = device;
  }

  async apply(operation: OperationName, args: readonly DeviceTensor[]): Promise<DeviceTensor> {
    const shapes = args.map(({ shape }) => shape);
    const key = `${NODE_PROGRAMS}${operation} ${shapes.map((shape) => shape.join('×')).join(' ')}`;
    const program = await this.device.program(
      key,
      () => buildNodeGraph(operation, shapes),
      () => false,
    );
    const shape = shapes.reduce((a, b) => broadcastShapes(a, b)!);
    const spare = this.device.resident ? undefined : this.buffer(shape);
    const inputs = Object.fromEntries(args.map((argument, index) => [`x${index}`, argument]));
    const { y } = await program.run(inputs, spare ? { y: spare } : {});
    this.live.add(y!);
    // A program keeps what it has computed on its way for the next run: as large as the layer, where that is large.
    if (sizeOf(shape) > LARGE) await this.device.release((name) => name !== key);
    return y!;
  }

  /** Says that a value is not needed any more. Operands and numbers are not ours and stay. */
  giveUp(value: DeviceTensor): void {
    if (!this.live.delete(value)) return;
    if (this.device.resident) value.dispose();
    else this.spares.push(value);
  }

  dispose(): void {
    for (const value of this.live) value.dispose();
    this.live.clear();
  }

  private buffer(shape: Shape): DeviceTensor {
    const found = this.spares.findIndex((spare) => sameShape(spare.shape, shape));
    return found < 0 ? DeviceTensor.empty(shape) : this.spares.splice(found, 1)[0]!;
  }
}

/** One operation as a program: `x0`, `x1` → `y`. */
function buildNodeGraph(operation: OperationName, shapes: readonly Shape[]): Graph {
  const graph = new GraphBuilder();
  const [x, y] = shapes.map((shape, index) => graph.input(`x${index}`, shape));
  // `skp` gives its input back, which a program cannot: an output has to be computed.
  const result = writeOperation(graph, operation, x!, y ?? x!);
  graph.output('y', result === x ? graph.add(result, graph.scalar(0)) : result);
  return graph.build(operation);
}

/** Values that are held at once while a node is computed, itself included, by node. */
function measureRoom(node: Expression, room: Map<Expression, number>): number {
  if (node.kind !== 'operation') return 0;
  for (const argument of node.arguments) room.set(argument, measureRoom(argument, room));
  const needs = inOrderOfRoom(node, room).map((index, held) => room.get(node.arguments[index]!)! + held);
  return Math.max(node.arguments.length + 1, ...needs);
}

function inOrderOfRoom(node: OperationExpression, room: ReadonlyMap<Expression, number>): number[] {
  const indices = node.arguments.map((_, index) => index);
  return indices.sort((a, b) => room.get(node.arguments[b]!)! - room.get(node.arguments[a]!)!);
}
