import type { Node } from '../graph.ts';
import { sizeOf } from '../shape.ts';
import type { Emitter } from './emitter.ts';

/**
 * Sums and means for ONNX Runtime's CPU kernels, in an order of additions that depends on nothing but the shape.
 *
 * Of axes at the beginning or at the end its ReduceSum adds up in one order. Of axes in between, and of axes at both ends, it has two
 * orders, and chooses by the number of threads and of slices. So these go one group of neighbouring axes at a time, and a group with
 * axes on both sides is a product with a row of ones: that adds up each column by itself, in one order, however many slices there are.
 */
export function lowerSum(
  { primitive, parameters, inputs, output: { shape: summed } }: Node<'reduceSum' | 'reduceMean'>,
  x: string,
  output: string,
  emit: Emitter,
): void {
  const { shape } = inputs[0]!;
  const groups = neighbours(parameters.axes);
  const [group] = groups;
  if (groups.length === 1 && (group!.first === 0 || group!.end === shape.length)) {
    const operator = primitive === 'reduceSum' ? 'ReduceSum' : 'ReduceMean';
    emit.node(operator, [x, emit.integers(parameters.axes)], { keepdims: 1 }, { output });
    return;
  }
  // What stands behind a group has been summed already, or is kept.
  const left = [...shape];
  let sum = x;
  for (const { first, end } of groups.toReversed()) {
    const [before, count, after] = [left.slice(0, first), left.slice(first, end), left.slice(end)].map(sizeOf);
    left.fill(1, first, end);
    if (first === 0 || end === shape.length) {
      const [rows, axis] = first === 0 ? [[count!, after!], 0] : [[before!, count!], 1];
      const matrix = emit.node('Reshape', [sum, emit.integers(rows)]);
      sum = emit.node('ReduceSum', [matrix, emit.integers([axis])], { keepdims: 1 });
    } else {
      const slices = emit.node('Reshape', [sum, emit.integers([before!, count!, after!])]);
      sum = emit.node('MatMul', [emit.constant('float32', [1, count!], Array(count).fill(1)), slices]);
    }
  }
  if (primitive === 'reduceMean') {
    const count = sizeOf(shape) / sizeOf(summed);
    sum = emit.node('Div', [sum, emit.constant('float32', [], [count])]);
  }
  emit.node('Reshape', [sum, emit.integers(summed)], {}, { output });
}

interface Neighbours {
  readonly first: number;
  readonly end: number;
}

/** Axes in groups that stand side by side. */
function neighbours(axes: readonly number[]): Neighbours[] {
  const groups: { first: number; end: number }[] = [];
  for (const axis of [...axes].sort((a, b) => a - b)) {
    const last = groups.at(-1);
    if (last?.end === axis) last.end++;
    else groups.push({ first: axis, end: axis + 1 });
  }
  return groups;
}
