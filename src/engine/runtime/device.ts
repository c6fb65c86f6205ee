import { EspalierError } from '../../base/errors.ts';
import type { DeviceName } from '../../experiment/settings.ts';
import type { ElementType } from '../graph/elementType.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import { encodeModel } from '../graph/onnx/encodeModel.ts';
import type { Shape } from '../graph/shape.ts';
import { BusTraffic } from './busTraffic.ts';
import { DeviceTensor, type HostArray } from './deviceTensor.ts';
import { freeBuffer } from './freeBuffer.ts';
import { type InferenceSession, loadOrt, type Tensor } from './ort.ts';
import { partsPerThread } from './partsPerThread.ts';
import { providerOf } from './provider.ts';
import { steadyThreads } from './steadyThreads.ts';

export interface DeviceOptions {
  readonly name: DeviceName;
  /** Which of several of its kind, from 0; 0 without it. */
  readonly number?: number;
  readonly precision: 'float32' | 'float16';
  /** CPU threads of the CPU provider and of what other providers leave to it. */
  readonly threads: number;
}

/** Where programs run. One device to a process: a second WebGPU thread in a process crashes it. */
export class Device {
  readonly name: DeviceName;
  readonly precision: 'float32' | 'float16';
  /** Outputs stay where they were computed, and tensors can be resident there. */
  readonly resident: boolean;
  /** Type in which matrices are fed: onnxruntime-node takes float16 across the process boundary in no reliable way. */
  readonly weightType: 'float32' | 'float16';
  readonly threads: number;
  /** What has crossed to the device and back; on the CPU nothing does. */
  readonly traffic = new BusTraffic();
  private readonly number: number;
  private readonly programs = new Map<string, Promise<Program>>();

  constructor({ name, number = 0, precision, threads }: DeviceOptions) {
    this.name = name;
    this.number = number;
    this.precision = precision;
    this.resident = name === 'webgpu';
    this.weightType = this.resident ? precision : 'float32';
    this.threads = threads;
  }

  /**
   * The program that `build` describes, compiled once for each key.
   *
   * @param key names everything that the graph depends on
   * @param hostOutputs outputs that are read on the host; the others stay on the device
   * @param rare run seldom, as one of many: on the CPU it keeps no memory from one run to the next, which spares allocation
   * @throws EspalierError `device/failed` when the device cannot run it; nothing falls back silently
   */
  program(key: string, build: () => Graph, hostOutputs: (output: string) => boolean, rare = false): Promise<Program> {
    let program = this.programs.get(key);
    if (!program) {
      program = this.compile(build(), hostOutputs, rare);
      this.programs.set(key, program);
      // One that did not compile is not kept: it is tried again when asked for again.
      program.catch(() => this.programs.delete(key));
    }
    return program;
  }

  /** Frees programs whose key does not satisfy `keep`: metrics come and go, blocks stay. */
  async release(keep: (key: string) => boolean): Promise<void> {
    for (const [key, program] of this.programs) {
      if (keep(key)) continue;
      this.programs.delete(key);
      await (await program).release();
    }
  }

  /** A tensor as the device's programs take it; resident where the device can, converted to `type` on the way. */
  async upload(data: HostArray, shape: Shape, type: ElementType): Promise<DeviceTensor> {
    const host = DeviceTensor.fromHost(data, shape);
    if (!this.resident && type === host.type) return host;
    const key = `upload ${host.type} ${type} ${shape.join('×')}`;
    const build = (): Graph => {
      const graph = new GraphBuilder();
      graph.output('y', graph.cast(graph.input('x', shape, host.type), type));
      return graph.build('upload');
    };
    const program = await this.program(key, build, () => false);
    return (await program.run({ x: host }))['y']!;
  }

  /** The elements of a tensor, wherever it is; on a device the runtime copies only outputs of a program. */
  async download(tensor: DeviceTensor): Promise<Float32Array> {
    if (!tensor.resident) return tensor.floats();
    const { type, shape } = tensor;
    const build = (): Graph => {
      const graph = new GraphBuilder();
      graph.output('y', graph.cast(graph.input('x', shape, type), 'float32'));
      return graph.build('download');
    };
    const program = await this.program(`download ${type} ${shape.join('×')}`, build, () => true);
    return (await program.run({ x: tensor }))['y']!.floats();
  }

  /** The same elements in a place of their own, on the same side. */
  async copy(tensor: DeviceTensor): Promise<DeviceTensor> {
    const { type, shape } = tensor;
    if (!tensor.resident) return DeviceTensor.fromHost(tensor.floats().slice(), shape);
    const build = (): Graph => {
      const graph = new GraphBuilder();
      graph.output('y', graph.cast(graph.input('x', shape, type), type));
      return graph.build('copy');
    };
    const program = await this.program(`copy ${type} ${shape.join('×')}`, build, () => false);
    return (await program.run({ x: tensor }))['y']!;
  }

  /** Zeros that never were in this process, where the device has memory of its own. */
  async zeros(shape: Shape, type: ElementType = 'float32'): Promise<DeviceTensor> {
    if (!this.resident && type === 'float32') return DeviceTensor.empty(shape);
    const build = (): Graph => {
      const graph = new GraphBuilder();
      // As an input: what is made of constants alone the runtime would make here, when it compiles.
      graph.output(
        'y',
        graph.expand(
          graph.cast(
            graph.input(
              'zero',
              shape.map(() => 1),
            ),
            type,
          ),
          shape,
        ),
      );
      return graph.build('zeros');
    };
    const program = await this.program(`zeros ${type} ${shape.join('×')}`, build, () => false);
    return (await program.run({ zero: DeviceTensor.empty(shape.map(() => 1)) }))['y']!;
  }

  async dispose(): Promise<void> {
    await this.release(() => false);
  }

  /** On the CPU a program gets no more threads than leave its numbers as they are with one. */
  private async threadsOf(graph: Graph): Promise<number> {
    if (this.name !== 'cpu' || this.threads === 1) return this.threads;
    return steadyThreads(graph, this.threads, await partsPerThread());
  }

  private async compile(graph: Graph, hostOutputs: (output: string) => boolean, rare: boolean): Promise<Program> {
    const location = Object.fromEntries(
      graph.outputs.map(({ name }) => [name, hostOutputs(name) ? ('cpu' as const) : ('gpu-buffer' as const)]),
    );
    try {
      const session = await loadOrt().InferenceSession.create(encodeModel(graph, { provider: this.name }), {
        executionProviders: [providerOf(this.name, this.number)],
        intraOpNumThreads: await this.threadsOf(graph),
        logSeverityLevel: 4,
        enableCpuMemArena: !rare,
        // Planned as one piece, intermediate values lie beside what the first run has allocated one by one: twice the memory, and no faster.
        enableMemPattern: this.name !== 'cpu',
        ...(this.resident && { preferredOutputLocation: location }),
        extra: {
          session: {
            // A thread that waits spins for longer by default: no faster at rest, and slower where other work wants the core.
            intra_op: { spin_duration_us: '50' },
            ...(STRICT.has(this.name) && { disable_cpu_ep_fallback: '1' }),
          },
          // It would take a scale into a product, and with it choose another kernel for a single row (see lowerSum).
          optimization: { disable_specified_optimizers: 'MatMulScaleFusion' },
        },
      });
      return new Program(session, graph, this.name, this.name === 'cpu' ? undefined : this.traffic);
    } catch (cause) {
      throw deviceFailure(this.name, `compiling the program “${graph.name}”`, cause);
    }
  }
}

/** Devices on which a program that is not placed there as a whole is refused. */
const STRICT: ReadonlySet<DeviceName> = new Set(['webgpu', 'cuda']);

/** A compiled graph. */
export class Program {
  private readonly session: InferenceSession;
  private readonly graph: Graph;
  private readonly device: DeviceName;
  private readonly traffic: BusTraffic | undefined;

  /** @param traffic counts what its runs move, where they move something */
  constructor(session: InferenceSession, graph: Graph, device: DeviceName, traffic: BusTraffic | undefined) {
    this.session = session;
    this.graph = graph;
    this.device = device;
    this.traffic = traffic;
  }

  get inputs(): Graph['inputs'] {
    return this.graph.inputs;
  }

  /**
   * Runs the program; this holds the calling thread until it is done.
   *
   * @param spare tensors of this process that are no longer needed, by the output that is to be written there: of its shape
   * and type. An input may be one only where nothing reads it but the elementwise step that makes the output.
   */
  async run(
    inputs: Readonly<Record<string, DeviceTensor>>,
    spare: Readonly<Record<string, DeviceTensor>> = {},
  ): Promise<Record<string, DeviceTensor>> {
    const feeds: Record<string, Tensor> = {};
    for (const { name } of this.graph.inputs) feeds[name] = inputs[name]!.tensor;
    const fetches: Record<string, Tensor | null> = {};
    for (const { name } of this.graph.outputs) {
      fetches[name] = spare[name]?.tensor ?? null;
    }
    let outputs: Record<string, Tensor>;
    try {
      outputs = await this.session.run(feeds, fetches);
    } catch (cause) {
      throw deviceFailure(this.device, `running the program “${this.graph.name}”`, cause);
    }
    const made = Object.fromEntries(
      this.graph.outputs.map(({ name, value }) => {
        const output = new DeviceTensor(outputs[name]!, value.type, value.shape);
        const written = spare[name];
        if (written && !written.resident) freeCopy(output, written);
        return [name, written ?? output];
      }),
    );
    this.traffic?.add(
      this.graph.name,
      this.graph.inputs.map(({ name }) => inputs[name]!),
      Object.values(made),
    );
    return made;
  }

  release(): Promise<void> {
    return this.session.release();
  }
}

/** The runtime gives back a copy of what it has written to a spare. */
function freeCopy({ tensor: { data: copy } }: DeviceTensor, { tensor: { data: written } }: DeviceTensor): void {
  if (ArrayBuffer.isView(copy) && ArrayBuffer.isView(written) && copy.buffer !== written.buffer) freeBuffer(copy);
}

function deviceFailure(device: DeviceName, operation: string, cause: unknown): EspalierError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const outOfMemory = /out of memory|bad_alloc|alloc|buffer size/i.test(message);
  return new EspalierError(
    {
      code: 'device/failed',
      operation: `${operation} on ${device}`,
      expected: 'the device to do it',
      actual: message.split('\n')[0]!.slice(0, 500),
      remedy: outOfMemory
        ? `Use a shorter length or fewer samples, or give ${device === 'cpu' ? 'the process more memory' : 'it to --device cpu'}.`
        : `${device === 'cpu' ? 'Report' : 'Run with --device cpu, and report'} this with the log.`,
    },
    { cause },
  );
}
