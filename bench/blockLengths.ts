import type { ModelConfig } from '../src/engine/families/families.ts';
import { familyOf } from '../src/engine/families/families.ts';
import { parseConfig } from '../src/engine/checkpoint/readConfig.ts';
import { ModelPrograms } from '../src/engine/forward/modelPrograms.ts';
import { GradientPrograms } from '../src/engine/gradient/gradientPrograms.ts';
import { type Shape, sizeOf } from '../src/engine/graph/shape.ts';
import { Device, type Program } from '../src/engine/runtime/device.ts';
import { DeviceTensor } from '../src/engine/runtime/deviceTensor.ts';
import { peakMemory } from '../src/engine/runtime/memory.ts';
import { runProcess } from './childProcess.ts';

/** Sizes of a block: TinyLlama's, and that of the reference checkpoint. */
const SHAPES = {
  tinyllama: { hidden_size: 2048, intermediate_size: 5632, num_attention_heads: 32, num_key_value_heads: 4 },
  small: { hidden_size: 256, intermediate_size: 688, num_attention_heads: 8, num_key_value_heads: 4 },
} as const;
export type ShapeName = keyof typeof SHAPES;
export const SHAPE_NAMES = Object.keys(SHAPES) as readonly ShapeName[];

export interface BlockRun {
  readonly shape: ShapeName;
  readonly tokens: number;
  readonly window: number | undefined;
  /** `forward`: the block's output. `backward`: of its output's gradient that of its input and those of all its matrices. */
  readonly way: 'forward' | 'backward';
  readonly threads: number;
  readonly rounds: number;
}

export interface BlockMeasure {
  /** Seconds of processor, of all threads: until the program is ready, and of a run (the median of `rounds` behind a first one). */
  readonly ready: number;
  readonly seconds: number;
  /** MiB: at its peak, and before there was a program. */
  readonly peak: number;
  readonly before: number;
}

/** One generated block on one sequence, in this process. */
export async function measureBlock({ shape, tokens, window, way, threads, rounds }: BlockRun): Promise<BlockMeasure> {
  const config = configOf(shape, tokens, window);
  const layout = familyOf(config).block(config, 0);
  const device = new Device({ name: 'cpu', precision: 'float32', threads });
  const programs = await ModelPrograms.create(config, device, tokens, 1);
  const weights = Object.fromEntries(
    layout.parameters.map(({ name, shape: sizes }) => [name, tensor(sizes, 1 / Math.sqrt(sizes.at(-1)!))]),
  );
  const states: Shape = [tokens, config.hidden];
  const inputs = { ...programs.inputs(layout, weights), x: tensor(states, 1), dy: tensor(states, 1) };
  const matrices = layout.parameters.filter(({ linear }) => linear).map(({ name }) => name);
  const before = peakMemory();
  let program: Program;
  const ready = await processorSeconds(async () => {
    program = await (way === 'forward'
      ? programs.block(layout, 1)
      : new GradientPrograms(config, device, tokens).block(layout, 1, {
          ...{ sum: 'squares', parameters: matrices, accumulate: false },
        }));
  });
  const run = async (): Promise<void> => {
    await program.run(inputs);
  };
  await run();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await processorSeconds(run));
  programs.dispose();
  await device.dispose();
  const seconds = times.sort((a, b) => a - b)[rounds >> 1]!;
  return { ready, seconds, peak: peakMemory() / 2 ** 20, before: before / 2 ** 20 };
}

/** The same in a process of its own, which this bundle has to answer (`--run`). */
export async function measureApart(run: BlockRun): Promise<BlockMeasure> {
  const { answer } = await runProcess(process.execPath, [process.argv[1]!, '--run', JSON.stringify(run)]);
  return answer as unknown as BlockMeasure;
}

/** By how much something grows when something else doubles, as a power of two: 1 where it grows alike. Between the first and the last. */
export function exponent(sizes: readonly number[], values: readonly number[]): number {
  return Math.log(values.at(-1)! / values[0]!) / Math.log(sizes.at(-1)! / sizes[0]!);
}

function configOf(shape: ShapeName, tokens: number, window: number | undefined): ModelConfig {
  const family =
    window === undefined
      ? { architectures: ['LlamaForCausalLM'], model_type: 'llama' }
      : { architectures: ['MistralForCausalLM'], model_type: 'mistral', sliding_window: window };
  const values = {
    ...SHAPES[shape],
    ...family,
    ...{ num_hidden_layers: 1, vocab_size: 32_000, max_position_embeddings: tokens, rms_norm_eps: 1e-5 },
    ...{ hidden_act: 'silu', tie_word_embeddings: false },
  };
  return parseConfig(values, `the shape ${shape}`);
}

/** Not zeros: some products of zeros are faster. */
function tensor(shape: Shape, scale: number): DeviceTensor {
  const numbers = new Float32Array(sizeOf(shape)).map((_, i) => scale * (((i * 7919) % 1009) / 504.5 - 1));
  return DeviceTensor.fromHost(numbers, shape);
}

async function processorSeconds(work: () => Promise<void>): Promise<number> {
  const begin = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1e6;
}
