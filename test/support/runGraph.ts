import type { DeviceName } from '../../src/experiment/settings.ts';
import { GraphBuilder } from '../../src/engine/graph/graphBuilder.ts';
import type { Value } from '../../src/engine/graph/graph.ts';
import { type Shape, sizeOf } from '../../src/engine/graph/shape.ts';
import { Device } from '../../src/engine/runtime/device.ts';
import { DeviceTensor } from '../../src/engine/runtime/deviceTensor.ts';
import { listDevices } from '../../src/engine/runtime/probe.ts';
import { Rng } from '../../src/base/rng.ts';

export interface HostTensor {
  readonly shape: Shape;
  readonly data: Float32Array | Int32Array;
}

/** Runs what `build` makes of the inputs on a device and returns the output's elements. */
export async function runGraph(
  device: Device,
  inputs: readonly HostTensor[],
  build: (graph: GraphBuilder, ...inputs: Value[]) => Value,
): Promise<Float32Array> {
  const graph = new GraphBuilder();
  const values = inputs.map(({ shape, data }, i) =>
    graph.input(`i${i}`, shape, data instanceof Int32Array ? 'int32' : 'float32'),
  );
  graph.output('y', graph.cast(build(graph, ...values), 'float32'));
  const program = await device.program(
    `test ${next++}`,
    () => graph.build('test'),
    () => true,
  );
  const feeds = Object.fromEntries(inputs.map(({ shape, data }, i) => [`i${i}`, DeviceTensor.fromHost(data, shape)]));
  const { y } = await program.run(feeds);
  return y!.floats();
}

let next = 0;

export function randomTensor(shape: Shape, seed: number, scale = 2): HostTensor {
  const rng = new Rng(seed);
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => rng.normal() * scale) };
}

/** The devices that programs are tested on: the CPU, and WebGPU where this machine has a (software) device. */
export async function testDevices(): Promise<{ readonly devices: Device[]; readonly missing: string | undefined }> {
  const webgpu = (await listDevices()).find(({ name }) => name === 'webgpu');
  const names: DeviceName[] = webgpu?.works ? ['cpu', 'webgpu'] : ['cpu'];
  return {
    devices: names.map((name) => new Device({ name, precision: 'float32', threads: 1 })),
    missing: webgpu?.works ? undefined : (webgpu?.detail ?? 'no WebGPU provider'),
  };
}
