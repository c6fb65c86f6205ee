import type { Weights } from '../forward/blockWeights.ts';
import type { ModelConfig } from '../families/families.ts';
import { buildLogProbabilitiesGraph, buildScoreGraph } from '../models/headGraph.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { AskedToken } from './packedRow.ts';
import type { PackedBatch, PackedSequences } from './packedSequences.ts';

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
 * Scores of the tokens that a batch is asked for, from its states after the last block [rows · length, hidden]. The head is taken at these places
 * alone, a slice of them at a time.
 */
export async function scoreBatch(
  { config, device, head }: HeadInputs,
  { sequences }: PackedSequences,
  { rows }: PackedBatch,
  x: DeviceTensor,
  top: number,
  found: (score: TokenScore) => void,
): Promise<void> {
  const { hidden } = config;
  const length = x.shape[0]! / rows.length;
  const states = await device.download(x);
  const asked = rows.flatMap((row, index) => askedRows(row.asked, index * length));
  const tokenOf = ({ sequence, index }: AskedToken): number => sequences[sequence]!.ids[index]!;
  for (let begin = 0; begin < asked.length; begin += SLICE) {
    const slice = asked.slice(begin, begin + SLICE);
    const gathered = new Float32Array(SLICE * hidden);
    for (const [place, { row }] of slice.entries()) {
      gathered.set(states.subarray(row * hidden, (row + 1) * hidden), place * hidden);
    }
    const inputs = { ...head, x: DeviceTensor.fromHost(gathered, [SLICE, hidden]) };
    if (top > 0) {
      const all = await logProbabilities(config, device, inputs);
      for (const [place, { tokens }] of slice.entries()) {
        const own = all.subarray(place * config.vocabulary, (place + 1) * config.vocabulary);
        const best = mostLikely(own, top);
        for (const token of tokens) {
          const logProbability = own[tokenOf(token)]!;
          found({ asked: token, logProbability, greedy: best[0]!.id === tokenOf(token), top: best });
        }
      }
    } else {
      const targets = new Int32Array(SLICE * TARGETS);
      for (const [place, { tokens }] of slice.entries()) targets.set(tokens.map(tokenOf), place * TARGETS);
      const { scores, most } = await scoresOf(config, device, inputs, targets);
      for (const [place, { tokens }] of slice.entries()) {
        for (const [i, token] of tokens.entries()) {
          const logProbability = scores[place * TARGETS + i]!;
          found({ asked: token, logProbability, greedy: logProbability >= most[place]! });
        }
      }
    }
  }
}

/** Runs of {@link scoreBatch} on which work is spent: slices of a batch. */
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
