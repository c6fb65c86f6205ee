/**
 * What the seven tasks take at a shape for which no checkpoint is at hand: tokens counted of real documents, scaled to the whole splits, and seconds
 * of one generated block and of the head on rows of that many tokens.
 */
import { openCheckpoint } from '../src/engine/checkpoint/checkpoint.ts';
import { parseConfig } from '../src/engine/checkpoint/readConfig.ts';
import { MeasuredCosts } from '../src/engine/evaluation/measuredCosts.ts';
import { familyOf, type ModelConfig } from '../src/engine/families/families.ts';
import type { Parameter } from '../src/engine/families/family.ts';
import { sizeOf } from '../src/engine/graph/shape.ts';
import { Device } from '../src/engine/runtime/device.ts';
import { DeviceTensor } from '../src/engine/runtime/deviceTensor.ts';
import { TASK_DOCUMENTS } from '../src/experiment/taskNames.ts';
import { SEVEN } from '../src/experiment/tasks.ts';
import { openTasks } from '../src/engine/scoring/openTasks.ts';
import { disposePacked, packAll, type PackedSequences } from '../src/engine/scoring/packedSequences.ts';
import { stateBytes } from '../src/engine/forward/stateStream.ts';
import { HeadScorer } from '../src/engine/scoring/scoreHead.ts';
import { HiddenStream } from '../src/engine/forward/hiddenStream.ts';

const SHAPES = {
  '7b': { hidden_size: 4096, intermediate_size: 11_008, num_hidden_layers: 32, num_attention_heads: 32 },
} as const;
export type ShapeName = keyof typeof SHAPES;

export interface ShapeEstimate {
  readonly blocks: number;
  /** Of the whole seven tasks, through each block; and rows of the head. */
  readonly tokens: number;
  readonly asked: number;
  /** Seconds of processor, measured: a batch of so many tokens through one block, and one slice of the head. */
  readonly block: { readonly tokens: number; readonly seconds: number };
  readonly head: { readonly rows: number; readonly seconds: number };
  /** Estimates of one model: by these parts, and as preflight counts, with the rate of a large product in seconds of processor. */
  readonly seconds: number;
  readonly preflightSeconds: number;
  /** Bytes of the hidden states of one model. */
  readonly states: number;
}

/** @param model whose tokenizer counts the tokens. @param documentsOf the file of a task's documents */
export async function estimateAtShape(
  shape: ShapeName,
  threads: number,
  model: string,
  documentsOf: (task: (typeof SEVEN)[number]) => string,
): Promise<ShapeEstimate> {
  const device = new Device({ name: 'cpu', precision: 'float32', threads });
  const config = configOf(shape);
  const checkpoint = await openCheckpoint(model);
  let [tokens, asked] = [0, 0];
  let measured: { readonly packed: PackedSequences; readonly rows: number } | undefined;
  try {
    const { maxPositions } = config;
    const ofTokens = { checkpoint: { ...checkpoint, config: { ...checkpoint.config, maxPositions } } };
    for (const task of SEVEN) {
      const planned = { task, shots: 0, limit: 0, documents: documentsOf(task) };
      const opened = await openTasks({ list: [planned], harness: '0.4', beginning: 'none' }, ofTokens, {});
      const packed = await packAll(config, device, opened.sequences);
      const scale = TASK_DOCUMENTS[task] / opened.tasks[0]!.asked.length;
      tokens += scale * packed.tokens;
      const places = opened.sequences.reduce((sum, { ids, from }) => sum + ids.length - from, 0);
      asked += scale * places;
      // The largest of the seven, by its tokens and by its choices.
      if (task === 'hellaswag') measured = { packed, rows: places };
      else disposePacked(packed);
    }
    const block = await measureBlock(config, device, measured!.packed);
    const head = await measureHead(config, device, measured!.packed);
    const layouts = config.windows.map((_, index) => familyOf(config).block(config, index));
    const costs = new MeasuredCosts(config, layouts, device);
    return {
      ...{ blocks: config.depth, tokens, asked, block, head },
      seconds: (config.depth * block.seconds * tokens) / block.tokens + (head.seconds * asked) / head.rows,
      preflightSeconds: tokens * (await costs.forward(256)) + asked * (await costs.head()),
      states: stateBytes(config, tokens),
    };
  } finally {
    if (measured) disposePacked(measured.packed);
    checkpoint.close();
    await device.dispose();
  }
}

/** A batch of the commonest length through one block, the second time: the first compiles. */
async function measureBlock(config: ModelConfig, device: Device, { groups }: PackedSequences) {
  const { programs, batches, length } = groups.reduce((a, b) => (b.batches.length > a.batches.length ? b : a));
  const layout = familyOf(config).block(config, 0);
  const { rows, places } = batches[0]!;
  const tokens = rows.length * length;
  const x = DeviceTensor.fromHost(numbers(tokens * config.hidden, 1), [tokens, config.hidden]);
  const stream = new HiddenStream(device, programs, [
    { batch: rows.length, ids: rows.map(({ ids }) => ids), places, x },
  ]);
  const weights = weightsOf(layout.parameters);
  const advance = (): Promise<void> => stream.advance(layout, weights, () => Promise.resolve(), '');
  await advance();
  return { tokens, seconds: await processorSeconds(advance) };
}

/** What the first batch is asked for, the second time. */
async function measureHead(config: ModelConfig, device: Device, packed: PackedSequences) {
  const [batch] = packed.groups.flatMap(({ batches }) => batches);
  const { parameters, weight } = familyOf(config).head(config);
  const tokens = batch!.rows.reduce((sum, { ids }) => sum + ids.length, 0);
  const x = DeviceTensor.fromHost(numbers(tokens * config.hidden, 1), [tokens, config.hidden]);
  const head = weightsOf([...parameters, weight]);
  const score = async (): Promise<void> => {
    const scorer = new HeadScorer({ config, device, head }, packed, 0, () => undefined);
    await scorer.add(batch!, x);
    await scorer.finish();
  };
  await score();
  const rows = batch!.rows.reduce((sum, row) => sum + row.asked.length, 0);
  return { rows, seconds: await processorSeconds(score) };
}

function configOf(shape: ShapeName): ModelConfig {
  const values = {
    ...SHAPES[shape],
    ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 32_000, max_position_embeddings: 2048 },
    ...{ rms_norm_eps: 1e-5, hidden_act: 'silu', tie_word_embeddings: false },
  };
  return parseConfig(values, `the shape ${shape}`);
}

function weightsOf(parameters: readonly Parameter[]): Record<string, DeviceTensor> {
  return Object.fromEntries(
    parameters.map(({ name, shape }) => [
      name,
      DeviceTensor.fromHost(numbers(sizeOf(shape), 1 / Math.sqrt(shape.at(-1)!)), shape),
    ]),
  );
}

/** Not zeros: some products of zeros are faster. */
function numbers(count: number, scale: number): Float32Array {
  return new Float32Array(count).map((_, i) => scale * (((i * 7919) % 1009) / 504.5 - 1));
}

async function processorSeconds(work: () => Promise<void>): Promise<number> {
  const begin = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1e6;
}
