import { afterAll, describe, expect, test } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { wholeGram } from '../../../src/engine/algebra/wholeGram.ts';
import { stripProducts, stripShapes } from '../../../src/engine/graph/gramStrips.ts';
import { GraphBuilder } from '../../../src/engine/graph/graphBuilder.ts';
import { testDevices } from '../../support/runGraph.ts';

const { devices, missing } = await testDevices();
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

const ROWS = 9;

describe.each(devices)('on $name', (device) => {
  // One strip; two, of which the last is short; as many as there are at most.
  test.each([1, 128, 200, 515])('H of %i inputs is put together of its strips', async (n) => {
    const rng = new Rng(n);
    const x = Float32Array.from({ length: ROWS * n }, () => rng.normal());
    const build = () => {
      const graph = new GraphBuilder();
      stripProducts(graph, graph.input('x', [ROWS, n])).forEach((strip, i) => {
        graph.output(`y${i}`, strip);
      });
      return graph.build('strips');
    };
    const program = await device.program(`strips ${n}`, build, () => false);
    const strips = await program.run({ x: await device.upload(x, [ROWS, n], 'float32') });
    const h = await wholeGram(
      device,
      n,
      stripShapes(n).map((_, i) => strips[`y${i}`]!),
    );
    expect(h.shape).toEqual([n, n]);
    const found = await device.download(h);
    const expected = Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let sum = 0;
      for (let t = 0; t < ROWS; t++) sum += x[t * n + i]! * x[t * n + j]!;
      return sum;
    });
    const worst = expected.reduce((most, value, at) => Math.max(most, Math.abs(value - found[at]!)), 0);
    expect(worst).toBeLessThan(2e-5);
  });
});

// Stands in, by name and with the reason, for the tests above on a machine without the device.
if (missing !== undefined) test.skip(`on webgpu: ${missing}`, () => undefined);
