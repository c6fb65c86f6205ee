import type { Weights } from '../forward/blockWeights.ts';
import type { ModelConfig } from '../families/families.ts';
import { buildLogProbabilitiesGraph, buildScoreGraph } from '../models/headGraph.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { eachState } from './askedStates.ts';
import type { AskedToken } from './packedRow.ts';
import type { PackedBatch, PackedSequences } from './packedSequences.ts';
import type { Sequence } from './sequence.ts';

/** A token as its model has it. */
export interface TokenScore {
  readonly asked: AskedToken;
  /** Natural logarithm, of float32. */
  readonly logProbability: number;
  /** Whether no token is more likely. */
  readonly greedy: boolean;
  /** The most likely tokens, the first before all others, where some are asked for. */
  readonly top?: readonly TopToken[];
}

export interface TopToken {
  readonly id: number;
  readonly logProbability: number;
}

/** Rows whose logits exist at the same time, and tokens that are asked for behind a row at most: of more the row comes again. */
const [SLICE, TARGETS] = [128, 4];

interface HeadInputs {
  readonly config: ModelConfig;
  readonly device: Device;
  readonly head: Weights;
}

/** A row of a batch's states with what is asked behind it. */
interface AskedRow {
  readonly row: number;
  readonly tokens: AskedToken[];
}

/**
 * Scores of the tokens that packed batches are asked for, from their states after the last block. The head is taken at these places alone, a slice of
 * them at a time, whichever batches they are of: few batches ask for as many as fill one.
 */
export class HeadScorer {
  private readonly inputs: HeadInputs;
  private readonly sequences: readonly Sequence[];
  private readonly top: number;
  private readonly found: (score: TokenScore) => void;
  /** States of the rows that wait [SLICE, hidden], and what is asked behind each. */
  private readonly gathered: Float32Array;
  private waiting: (readonly AskedToken[])[] = [];

  /** @param top of how many tokens each score is to tell the most likely ones */
  constructor(
    inputs: HeadInputs,
    { sequences }: Pick<PackedSequences, 'sequences'>,
    top: number,
    found: (score: TokenScore) => void,
  ) {
    this.inputs = inputs;
    this.sequences = sequences;
    this.top = top;
    this.found = found;
    this.gathered = new Float32Array(SLICE * inputs.config.hidden);
  }

  /** @param x states of a batch [rows · length, hidden], or those of its `narrowed` rows alone */
  async add({ rows, places: { narrowed } }: PackedBatch, x: DeviceTensor): Promise<void> {
    const { hidden } = this.inputs.config;
    const { length } = rows[0]!.ids;
    const found = rows.flatMap(({ asked }, index) => askedRows(asked, index * length));
    // A last block that is dropped narrows nothing.
    const isWhole = x.shape[0] === rows.length * length;
    const left = new Map(isWhole ? [] : Array.from(narrowed!, (row, place) => [row, place]));
    const places = found.map(({ row }) => (isWhole ? row : left.get(row)!));
    await eachState(this.inputs.device, x, places, async (state, i) => {
      this.gathered.set(state, this.waiting.length * hidden);
      this.waiting.push(found[i]!.tokens);
      if (this.waiting.length === SLICE) await this.finish();
    });
  }

  /** Scores what still waits. */
  async finish(): Promise<void> {
    const { inputs, waiting, top } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    const x = DeviceTensor.fromHost(this.gathered, [SLICE, inputs.config.hidden]);
    const fed = { ...inputs.head, x };
    await (top > 0 ? this.tellMostLikely(waiting, fed) : this.tellScores(waiting, fed));
  }

  private async tellMostLikely(waiting: readonly (readonly AskedToken[])[], fed: Weights): Promise<void> {
    const { config, device } = this.inputs;
    const all = await logProbabilities(config, device, fed);
    for (const [place, tokens] of waiting.entries()) {
      const own = all.subarray(place * config.vocabulary, (place + 1) * config.vocabulary);
      const top = mostLikely(own, this.top);
      for (const asked of tokens) {
        const id = this.idOf(asked);
        this.found({ asked, logProbability: own[id]!, greedy: top[0]!.id === id, top });
      }
    }
  }

  private async tellScores(waiting: readonly (readonly AskedToken[])[], fed: Weights): Promise<void> {
    const targets = new Int32Array(SLICE * TARGETS);
    for (const [place, tokens] of waiting.entries()) {
      targets.set(
        tokens.map((token) => this.idOf(token)),
        place * TARGETS,
      );
    }
    const { scores, most } = await scoresOf(this.inputs.config, this.inputs.device, fed, targets);
    for (const [place, tokens] of waiting.entries()) {
      for (const [i, asked] of tokens.entries()) {
        const logProbability = scores[place * TARGETS + i]!;
        this.found({ asked, logProbability, greedy: logProbability >= most[place]! });
      }
    }
  }

  private idOf({ sequence, index }: AskedToken): number {
    return this.sequences[sequence]!.ids[index]!;
  }
}

/** Rows of a batch's states at which something is asked. @param first row of the batch's states at which its row of tokens begins */
function askedRows(asked: readonly AskedToken[], first: number): AskedRow[] {
  const open = new Map<number, AskedRow>();
  const rows: AskedRow[] = [];
  for (const token of asked) {
    const held = open.get(token.at);
    if (held && held.tokens.length < TARGETS) {
      held.tokens.push(token);
      continue;
    }
    const row = { row: first + token.at, tokens: [token] };
    open.set(token.at, row);
    rows.push(row);
  }
  return rows;
}

async function scoresOf(
  config: ModelConfig,
  device: Device,
  inputs: Weights,
  targets: Int32Array,
): Promise<Record<'scores' | 'most', Float32Array>> {
  const { precision, weightType } = device;
  const options = { rows: SLICE, targets: TARGETS, precision, weightType };
  const build = (): ReturnType<typeof buildScoreGraph> => buildScoreGraph(config, options);
  const program = await device.program(`${JSON.stringify(config)} scores`, build, () => true);
  const outputs = await program.run({ ...inputs, targets: DeviceTensor.fromHost(targets, [SLICE, TARGETS]) });
  return { scores: outputs['scores']!.floats(), most: outputs['most']!.floats() };
}

async function logProbabilities(config: ModelConfig, device: Device, inputs: Weights): Promise<Float32Array> {
  const { precision, weightType } = device;
  const build = (): ReturnType<typeof buildLogProbabilitiesGraph> =>
    buildLogProbabilitiesGraph(config, { rows: SLICE, precision, weightType });
  const program = await device.program(`${JSON.stringify(config)} log-probabilities`, build, () => true);
  return (await program.run(inputs))['logProbabilities']!.floats();
}

/** The `count` most likely of a vocabulary, falling; of equals the lower id. */
export function mostLikely(logProbabilities: Float32Array, count: number): readonly TopToken[] {
  const best: TopToken[] = [];
  for (const [id, logProbability] of logProbabilities.entries()) {
    if (best.length === count && !(logProbability > best.at(-1)!.logProbability)) continue;
    let place = best.length;
    while (place > 0 && logProbability > best[place - 1]!.logProbability) place--;
    best.splice(place, 0, { id, logProbability });
    if (best.length > count) best.pop();
  }
  return best;
}
