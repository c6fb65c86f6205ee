import type { EvaluationSettings } from '../../experiment/settings.ts';
import type { WeightSparsity } from '../../experiment/sparsitySchema.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { Expression } from '../../metric/expression.ts';
import { operandsOf } from '../../metric/measure.ts';
import { printPrefix } from '../../metric/print.ts';
import type { ModelConfig } from '../families/families.ts';
import type { BlockLayout, Parameter } from '../families/family.ts';
import { sizeOf } from '../graph/shape.ts';
import { ModelPrograms, sequencesPerBatch } from '../forward/modelPrograms.ts';
import { GradientPrograms } from '../gradient/gradientPrograms.ts';
import { comparisonGroups } from '../pruning/comparisonGroups.ts';
import { DevicePruner } from '../pruning/devicePruner.ts';
import { HostPruner } from '../pruning/hostPruner.ts';
import { isRowOperand } from '../pruning/inputStatistics.ts';
import { InvalidScoreError } from '../pruning/scoreCheck.ts';
import type { Device, Program } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { bestSeconds, forgetMadeUp, madeUp, timeProgram } from '../runtime/timeProgram.ts';
import { workPerToken } from './work.ts';

/**
 * What a model's own programs take on a device: each is run a few times on made-up numbers, at the rows of a batch where that takes a fraction of
 * a second, else at fewer. Known from one preflight to the next.
 */
export class MeasuredCosts {
  private readonly config: ModelConfig;
  private readonly layouts: readonly BlockLayout[];
  private readonly device: Device;
  private readonly known: Map<string, Promise<number>>;

  constructor(config: ModelConfig, layouts: readonly BlockLayout[], device: Device) {
    this.config = config;
    this.layouts = layouts;
    this.device = device;
    this.known = KNOWN.get(device) ?? new Map<string, Promise<number>>();
    KNOWN.set(device, this.known);
  }

  /** Seconds of a token of a sequence through all blocks. */
  forward(length: number): Promise<number> {
    return this.blocks('forward', length, async (layout, batch, tokens) => {
      const programs = await ModelPrograms.create(this.config, this.device, tokens, batch);
      programs.dispose();
      return programs.block(layout, batch);
    });
  }

  /** The same back, for the squared gradients of the linear layers, what blocks compute on the way there done once more. */
  backward(length: number): Promise<number> {
    return this.blocks('backward', length, (layout, batch, tokens) => {
      const parameters = layout.parameters.filter(({ linear }) => linear).map(({ name }) => name);
      const options = { sum: 'squares', parameters, accumulate: false } as const;
      return new GradientPrograms(this.config, this.device, tokens).block(layout, batch, options);
    });
  }

  /** Seconds of a token from the last hidden state to its loss. */
  head(): Promise<number> {
    return this.ofHead('head', (config, rows) =>
      ModelPrograms.create(config, this.device, rows, 1).then((programs) => {
        programs.dispose();
        return programs.head(rows);
      }),
    );
  }

  /** Seconds of a token there and back. */
  headBackward(): Promise<number> {
    const options = { parameters: [], losses: false, accumulate: false };
    return this.ofHead('head backward', (config, rows) =>
      new GradientPrograms(config, this.device, rows).head(1, options),
    );
  }

  /** Seconds that pruning takes for each weight. */
  pruning(expression: Expression, sparsity: WeightSparsity, group: EvaluationSettings['group']): Promise<number> {
    const { device } = this;
    const widest = widestLayer(this.layouts);
    const [out, columns] = widest.shape as [number, number];
    const shape = [Math.max(1, Math.min(out, Math.floor(PRUNED / columns))), columns] as const;
    const key = `time prune ${shape.join('×')} ${printPrefix(expression)} ${printSparsity(sparsity)} ${group}`;
    return this.once(key, async () => {
      const operands: Record<string, DeviceTensor> & { weight: DeviceTensor } = {
        weight: await madeUp(device, shape, device.weightType),
      };
      for (const name of operandsOf(expression)) {
        if (name === 'G') operands[name] = await madeUp(device, shape, 'float32');
        else if (isRowOperand(name)) operands[name] = await madeUp(device, [1, columns], 'float32');
      }
      const groups = comparisonGroups(shape, sparsity, group);
      const ranked = { layer: { ...widest, shape }, expression, metric: 'a metric', operands, groups };
      const [onHost, onDevice] = [new HostPruner(device), new DevicePruner(device)];
      const pruned = new Float32Array(device.resident ? 0 : sizeOf(shape));
      try {
        const seconds = await bestSeconds(async () => {
          const run = device.resident ? onDevice.prune(ranked) : onHost.prune(ranked, pruned);
          await run.then(({ weight }) => {
            weight.dispose();
          }, rankingNothing);
        });
        return seconds / sizeOf(shape);
      } finally {
        for (const operand of Object.values(operands)) operand.dispose();
      }
    });
  }

  /** Frees what only measuring needs. */
  async release(): Promise<void> {
    forgetMadeUp();
    await this.device.release((key) => !key.startsWith('gradient ') && !key.startsWith('time '));
  }

  private async blocks(what: string, length: number, programOf: BlockProgram): Promise<number> {
    const alike = new Map<string, BlockLayout[]>();
    for (const layout of this.layouts) alike.set(layout.variant, [...(alike.get(layout.variant) ?? []), layout]);
    let seconds = 0;
    for (const layouts of alike.values()) {
      const [layout] = layouts as [BlockLayout];
      const key = `${what} ${JSON.stringify(this.config)} ${layout.variant} ${length}`;
      seconds += layouts.length * (await this.once(key, () => this.ofBlock(layout, length, programOf)));
    }
    return seconds;
  }

  /** Seconds of a token, of one block. */
  private async ofBlock(layout: BlockLayout, length: number, programOf: BlockProgram): Promise<number> {
    const batch = sequencesPerBatch(this.device, length);
    const time = async (sequences: number, tokens: number): Promise<number> =>
      timeProgram(this.device, await programOf(layout, sequences, tokens));
    let tokens = Math.min(length, FEW);
    let seconds = await time(1, tokens);
    if ((seconds / tokens) * batch * length <= LONGEST) return (await time(batch, length)) / (batch * length);
    while (4 * tokens <= length && 4 * seconds <= LONGEST) {
      tokens *= 2;
      seconds = await time(1, tokens);
    }
    if (2 * tokens > length) return seconds / tokens;
    // What one token more takes, without what a run takes in any case; and what it sees of more tokens, which grows with the length.
    const each = Math.max(((await time(1, 2 * tokens)) - seconds) / tokens, seconds / tokens / 4);
    const workAt = (at: number): number => workPerToken(this.config, [layout], at, this.device.resident).blocks;
    const seen = ATTENTION * (workAt(length) - workAt(1.5 * tokens));
    return each * (1 + Math.max(0, seen) / workAt(1.5 * tokens));
  }

  /** The cost of a head grows with its vocabulary: of a large one a part is measured. */
  private ofHead(what: string, programOf: (config: ModelConfig, rows: number) => Promise<Program>): Promise<number> {
    const vocabulary = Math.min(this.config.vocabulary, Math.max(256, Math.floor(HEAD / this.config.hidden)));
    const config = { ...this.config, vocabulary };
    return this.once(`${what} ${JSON.stringify(config)}`, async () => {
      const seconds = await timeProgram(this.device, await programOf(config, FEW * 4));
      return ((seconds / (FEW * 4)) * this.config.vocabulary) / vocabulary;
    });
  }

  private once(key: string, measure: () => Promise<number>): Promise<number> {
    const found = this.known.get(key) ?? measure();
    this.known.set(key, found);
    found.catch(() => this.known.delete(key));
    return found;
  }
}

type BlockProgram = (layout: BlockLayout, batch: number, tokens: number) => Promise<Program>;

const KNOWN = new WeakMap<Device, Map<string, Promise<number>>>();

/** Tokens of the first run, which says how many more there is time for; and seconds that one run may take. */
const [FEW, LONGEST] = [64, 0.5];
/** What an operation of attention's products takes, in operations of linear layers: its softmax is among it. */
const ATTENTION = 3;
/** Weights of a head, and of a layer that is pruned, that are measured. */
const [HEAD, PRUNED] = [2 ** 22, 2 ** 18];

/** What is made up may rank nothing where a model's weights do. */
function rankingNothing(error: unknown): void {
  if (!(error instanceof InvalidScoreError)) throw error;
}

function widestLayer(layouts: readonly BlockLayout[]): Parameter {
  const layers = layouts.flatMap(({ parameters }) => parameters.filter(({ linear }) => linear));
  return layers.reduce((most, layer) => (sizeOf(layer.shape) > sizeOf(most.shape) ? layer : most));
}
