import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Rng } from '../src/base/rng.ts';
import { parseConfig } from '../src/engine/checkpoint/readConfig.ts';
import { prunedConfig } from '../src/engine/export/prunedConfig.ts';
import { createEngine } from '../src/engine/engine.ts';
import { Device } from '../src/engine/runtime/device.ts';
import { MadeUpModel } from '../src/engine/speed/madeUpModel.ts';
import { measureCosts } from '../src/engine/speed/measureCosts.ts';
import { measuredShapes } from '../src/engine/speed/measuredShapes.ts';
import { modelSizes } from '../src/engine/structure/modelSizes.ts';
import { type PassTimes, SpeedPass } from '../src/engine/speed/speedPass.ts';
import { packBits } from '../src/experiment/components.ts';
import type { Time } from '../src/experiment/costSchema.ts';
import { type BlockSize, modelTime, speedUp, type TimedCosts } from '../src/experiment/costs.ts';
import { DEFAULT_SETTINGS } from '../src/experiment/settings.ts';
import type { ModelMask } from '../src/experiment/structureSchema.ts';
import { startFreshEngine } from '../src/protocol/freshEngine.ts';
import { forkWorker } from '../src/protocol/workerProcess.ts';
import { generateModel, modelConfig, type ModelShape, SHAPES } from './generatedModel.ts';

const USAGE = `npm run bench:costs [-- --shape 110m] [--threads N] [--batch 4] [--length 256] [--rounds 9] [--processor] [--json]

Measures what each block shape costs, and predicts from that how many times as fast pruned models are: uniform and odd sizes, sizes by block, without
some attentions, MLPs or blocks. Each is then exported, and measured beside the dense model as \`espalier speed\` does it. The bar: 5 %.
Shapes: 110m, 6m (that of the reference checkpoint); both without one.
--processor  for busy machines: seconds of processor, in one process, of models of random weights with the same programs`;

const BAR = 0.05;

/** The shape of the reference checkpoint. */
const SMALL: ModelShape = {
  hidden: 256,
  intermediate: 688,
  depth: 6,
  heads: 8,
  kvHeads: 4,
  vocabulary: 4096,
  tied: false,
};
const MODELS = { '110m': SHAPES['110m'], '6m': SMALL } as const satisfies Readonly<Record<string, ModelShape>>;

const { values: options } = parseArgs({
  options: {
    shape: { type: 'string' },
    rounds: { type: 'string', default: '9' },
    threads: { type: 'string', default: '0' },
    batch: { type: 'string', default: '4' },
    length: { type: 'string', default: '256' },
    processor: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

interface Variant {
  readonly name: string;
  readonly kept: readonly BlockSize[];
}

function variantsOf({ depth, kvHeads, intermediate }: ModelShape): readonly Variant[] {
  const rng = new Rng(1);
  const block = (groups: number, channels: number): BlockSize => ({
    groups: Math.round(groups * kvHeads),
    channels: Math.round(channels * intermediate),
  });
  const variant = (name: string, of: (index: number) => BlockSize): Variant => ({
    name,
    kept: Array.from({ length: depth }, (_, index) => of(index)),
  });
  return [
    variant('dense', () => block(1, 1)),
    variant('uniform, 25 % gone', () => block(0.75, 0.75)),
    variant('uniform, 50 % gone', () => block(0.5, 0.5)),
    variant('odd sizes', () => block(0.4, 333 / 2048)),
    variant('sizes by block', () => block(0.25 + 0.75 * rng.uniform(), 0.1 + 0.9 * rng.uniform())),
    variant('a third of the attentions gone', (index) => block(index % 3 === 0 ? 0 : 1, 1)),
    variant('a third of the MLPs gone', (index) => block(1, index % 3 === 0 ? 0 : 1)),
    variant('a third of the blocks gone', (index) => (index % 3 === 0 ? 'dropped' : block(1, 1))),
    variant('all of that', (index) =>
      index % 6 === 0 ? 'dropped' : block(index % 4 === 1 ? 0 : rng.uniform(), index % 4 === 3 ? 0 : rng.uniform()),
    ),
  ];
}

function maskOf(kept: readonly BlockSize[], { kvHeads, intermediate }: ModelShape): ModelMask {
  const first = (count: number, of: number): string => packBits(Array.from({ length: of }, (_, i) => i < count));
  return kept.map((size) =>
    size === 'dropped'
      ? { groups: first(kvHeads, kvHeads), channels: first(intermediate, intermediate), dropped: true as const }
      : { groups: first(size.groups, kvHeads), channels: first(size.channels, intermediate) },
  );
}

interface Measured {
  readonly costs: TimedCosts;
  /** How many times as fast as the first, of each variant. */
  readonly speedUps: readonly Time[];
}

const [batch, length, rounds, threads] = [options.batch, options.length, options.rounds, options.threads].map(
  Number,
) as [number, number, number, number];

/** In this process, of random weights. */
async function onProcessor(shape: ModelShape, variants: readonly Variant[]): Promise<Measured> {
  const processor = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  const values = modelConfig(shape) as Record<string, unknown>;
  const config = parseConfig(values, 'config.json');
  const device = new Device({ name: 'cpu', precision: 'float32', threads: threads || 1 });
  const sizes = modelSizes({ config, tensors: new Map() });
  const shapes = measuredShapes(config, sizes);
  const measured = await measureCosts(shapes, device, { batch, length, now: processor }, {});
  const about = { fingerprint: '0'.repeat(64), device: 'cpu', batch, length };
  const costs: TimedCosts = { ...sizes, times: { ...about, ...measured } };
  const passes: { readonly pass: SpeedPass; readonly times: PassTimes[] }[] = [];
  for (const { kept } of variants) {
    const { config: pruned } = prunedConfig(values, config, maskOf(kept, shape), false);
    passes.push({ pass: await SpeedPass.open(new MadeUpModel(pruned, device), batch, length, processor), times: [] });
  }
  for (let round = 0; round <= rounds; round++) {
    for (const { pass, times } of passes) {
      const taken = await pass.run(undefined);
      if (round > 0) times.push(taken);
    }
  }
  const total = ({ blocks, outside }: PassTimes, phase: keyof Time): number =>
    blocks.reduce((sum, block) => sum + block[phase], outside[phase]);
  // Other work only ever adds: the lower quartile of each.
  const typical = (times: readonly PassTimes[], phase: keyof Time): number =>
    times.map((time) => total(time, phase)).sort((a, b) => a - b)[Math.floor((times.length - 1) / 4)]!;
  const of = (times: readonly PassTimes[], phase: keyof Time): number =>
    typical(passes[0]!.times, phase) / typical(times, phase);
  const speedUps = passes.map(({ times }) => ({ prefill: of(times, 'prefill'), decode: of(times, 'decode') }));
  for (const { pass } of passes) pass.dispose();
  await device.dispose();
  return { costs, speedUps };
}

/** As the command line does it: costs, exports, and each in a process of its own. */
async function asUsers(shape: ModelShape, variants: readonly Variant[]): Promise<Measured> {
  const worker = fileURLToPath(new URL('worker.cjs', import.meta.url));
  const engine = createEngine({ startFresh: () => startFreshEngine(forkWorker({ file: worker, log }), log) });
  const model = await generateModel(shape);
  const root = await mkdtemp(join(tmpdir(), 'espalier-bench-'));
  const settings = { device: 'cpu', precision: 'float32', threads } as const;
  try {
    const found = await engine.costs({ model: model.folder, batch, length, settings, times: 'anew' });
    const models = [model.folder];
    for (const [index, { name, kept }] of variants.entries()) {
      if (index === 0) continue;
      const folder = join(root, `${index}`);
      const structure = { kind: 'mask', mask: maskOf(kept, shape) } as const;
      const plan = {
        ...{ model: model.folder, text: model.text },
        evaluations: [{ metric: name, structure, sparsity: { kind: 'unstructured', share: 0.5 } as const }],
        settings: { ...DEFAULT_SETTINGS, device: 'cpu' as const, length: 128, blocks: 1, threads },
      };
      await engine.exportModel(plan, { folder, format: 'huggingface' });
      log(`bench: exported ${name}`);
      models.push(folder);
    }
    const reports = await engine.measureSpeed({ models, batch, length, rounds, settings });
    return {
      costs: { ...found, times: found.times! },
      speedUps: reports.map(({ speedUp: prefill, decode }) => ({ prefill, decode: decode.speedUp })),
    };
  } finally {
    await engine.dispose();
    await rm(model.folder, { recursive: true });
    await rm(root, { recursive: true });
  }
}

async function main(): Promise<void> {
  if (options.help) {
    console.log(USAGE);
    return;
  }
  for (const [name, shape] of Object.entries(MODELS)) {
    if (options.shape !== undefined && options.shape !== name) continue;
    const variants = variantsOf(shape);
    const { costs, speedUps } = await (options.processor ? onProcessor : asUsers)(shape, variants);
    if (!options.json) console.log(`\n${name}, ${batch} × ${length}\n${HEADER}`);
    let worst = 0;
    for (const [index, variant] of variants.entries()) {
      const measured = speedUps[index]!;
      const predicted = {
        prefill: speedUp(costs, variant.kept, 'prefill'),
        decode: speedUp(costs, variant.kept, 'decode'),
      };
      worst = Math.max(worst, Math.abs(off('prefill')), Math.abs(off('decode')));
      if (options.json) console.log(JSON.stringify({ shape: name, variant: variant.name, measured, predicted }));
      else console.log([variant.name.padEnd(32), ...cells('prefill'), ...cells('decode')].join('  '));
      function off(phase: keyof Time): number {
        return predicted[phase] / measured[phase] - 1;
      }
      function cells(phase: keyof Time): readonly string[] {
        const text = `${off(phase) < 0 ? '−' : '+'}${Math.abs(100 * off(phase)).toFixed(1)} %`;
        return [predicted[phase].toFixed(2).padStart(9), measured[phase].toFixed(2).padStart(8), text.padStart(7)];
      }
    }
    const dense = modelTime(costs, costs.blocks);
    log(
      `bench: ${name}: dense prefill ${dense.prefill.toFixed(3)} s, decode ${dense.decode.toFixed(4)} s; at worst ${(100 * worst).toFixed(1)} % off, bar ${100 * BAR} %: ${worst <= BAR ? 'pass' : 'miss'}`,
    );
  }
}

const HEADER = `${''.padEnd(32)}  ${['predicted', 'measured', '    off', 'predicted', 'measured', '    off'].join('  ')}\n${''.padEnd(32)}  prefill                      decode`;

function log(line: string): void {
  console.error(line);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
});
