import { afterAll, expect, test } from 'vitest';
import { gradients } from '../../../src/engine/graph/autodiff.ts';
import type { Graph, Value } from '../../../src/engine/graph/graph.ts';
import { GraphBuilder } from '../../../src/engine/graph/graphBuilder.ts';
import { splitGraph } from '../../../src/engine/graph/splitGraph.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { DeviceTensor } from '../../../src/engine/runtime/deviceTensor.ts';
import { randomTensor } from '../../support/runGraph.ts';

const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
afterAll(() => device.dispose());

const INPUTS = {
  x: randomTensor([6, 4], 1),
  w: randomTensor([3, 4], 2),
  dy: randomTensor([2, 3, 3], 3),
  chosen: { shape: [6, 1], data: Float32Array.of(1, 0, 1, 1, 0, 0) },
} as const;

type Body = (graph: GraphBuilder, x: Value, w: Value, chosen: Value) => Value;

const BODIES: readonly (readonly [string, Body, handed: number])[] = [
  // tanh of the product, which relu's rule reads as well; the reshape is made again.
  ['a layer', (graph, x, w) => graph.reshape(graph.relu(graph.tanh(graph.linear(x, w))), [2, 3, 3]), 2],
  // y itself is read on the way back.
  ['an output that is needed again', (graph, x, w) => graph.reshape(graph.exp(graph.linear(x, w)), [2, 3, 3]), 1],
  // Half of the rows: what they go through is computed again.
  [
    'rows that data choose',
    (graph, x, w, chosen) => {
      const rows = graph.tanh(graph.linear(graph.takeRows(x, chosen), w));
      return graph.reshape(graph.addRows(graph.linear(x, w), rows, chosen), [2, 3, 3]);
    },
    0,
  ],
];

test.each(BODIES)(
  '%s: both halves give what the whole gives, and hand over what they have to',
  async (name, body, count) => {
    const graph = new GraphBuilder();
    const [x, w, dy] = [graph.input('x', [6, 4]), graph.input('w', [3, 4]), graph.input('dy', [2, 3, 3])];
    const y = body(graph, x, w, graph.input('chosen', [6, 1]));
    graph.output('y', y);
    const [dx, dw] = gradients(graph, [{ value: y, cotangent: dy }], [x, w]);
    graph.output('dx', dx!);
    graph.output('dw', dw!);
    const whole = graph.build(name);
    const { first, second, handed } = splitGraph(whole, (output) => output === 'y');
    expect(handed.length).toBe(count);
    const inputs = Object.fromEntries(
      Object.entries(INPUTS).map(([input, { shape, data }]) => [input, DeviceTensor.fromHost(data, shape)]),
    );
    const expected = await run(whole, inputs);
    const forwards = await run(first, { x: inputs['x']!, w: inputs['w']!, chosen: inputs['chosen']! });
    const { y: forward, ...kept } = forwards;
    const backwards = await run(second, { ...inputs, ...kept });
    for (const [output, found] of Object.entries({ y: forward!, ...backwards })) {
      expect(found.floats(), output).toEqual(expected[output]!.floats());
    }
    expect(Object.keys(backwards).sort()).toEqual(['dw', 'dx']);
  },
);

let next = 0;

async function run(graph: Graph, inputs: Readonly<Record<string, DeviceTensor>>) {
  const program = await device.program(
    `split ${next++}`,
    () => graph,
    () => true,
  );
  return program.run(inputs);
}
