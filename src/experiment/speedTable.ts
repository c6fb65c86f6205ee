import type { Prediction } from './predictionSchema.ts';
import { times } from './prediction.ts';
import { formatBytes, formatCount, formatRate, formatShare } from './format.ts';

/** Size and speed of the dense model and of a pruned one, measured side by side or on the way there. */
export interface SpeedMeasurement {
  readonly state: 'measuring' | 'done' | 'cancelled' | 'failed';
  /** Of a measurement in progress, 0 to 1. */
  readonly share: number;
  /** What is being measured, how it was measured, or why it failed. */
  readonly detail: string;
  /** The first is the dense model; empty unless it is done. */
  readonly rows: readonly SpeedRow[];
  /** What was said of the pruned model before it was measured, by the costs of block shapes; where it is done. */
  readonly predicted?: Prediction;
  /** Of the evaluation that the measured model comes from; where it is done. */
  readonly fingerprint?: string;
}

/** Null is what nobody has measured. */
export interface SpeedRow {
  readonly name: string;
  readonly parameters: number;
  /** Bytes of the weights as they are stored, and most bytes of memory while they ran. */
  readonly bytes: number | null;
  readonly memory: number | null;
  readonly tokensPerSecond: number | null;
  /** How many times as fast as the first, the median over the rounds. */
  readonly speedUp: number | null;
  /** The same of tokens that follow one after the other. */
  readonly decodePerSecond: number | null;
  readonly decodeSpeedUp: number | null;
}

/** A value, and what it is against the dense model's; empty for that itself. */
export interface SpeedCell {
  readonly value: string;
  readonly against: string;
}

export const SPEED_COLUMNS = ['parameters', 'on disk', 'memory', 'tokens/s', 'decode/s'] as const;

/** @returns a cell for each of {@link SPEED_COLUMNS} */
export function speedCells(row: SpeedRow, dense: SpeedRow): SpeedCell[] {
  const share = (value: number | null, of: number | null, format: (value: number) => string): SpeedCell => {
    if (value === null) return NOTHING;
    return { value: format(value), against: row === dense || !of ? '' : formatShare(value / of) };
  };
  const rate = (value: number | null, times: number | null): SpeedCell => {
    if (value === null) return NOTHING;
    return { value: formatRate(value), against: row === dense || times === null ? '' : `${times.toFixed(2)} ×` };
  };
  return [
    share(row.parameters, dense.parameters, formatCount),
    share(row.bytes, dense.bytes, formatBytes),
    share(row.memory, dense.memory, formatBytes),
    rate(row.tokensPerSecond, row.speedUp),
    rate(row.decodePerSecond, row.decodeSpeedUp),
  ];
}

const NOTHING: SpeedCell = { value: '–', against: '' };

/** `parameters 5.08M (78.8 %), on disk 20 MB (78.8 %), …`: of the last row, against the first. */
export function speedWords({ rows, predicted }: SpeedMeasurement): string {
  const [dense, pruned] = [rows[0], rows.at(-1)];
  if (!dense || !pruned) return '';
  const words = speedCells(pruned, dense)
    .map(({ value, against }, i) => `${SPEED_COLUMNS[i]!} ${value}${against === '' ? '' : ` (${against})`}`)
    .join(', ');
  return [words, ...predictedWords(predicted)].join('; ');
}

/** `predicted 1.31 × and decode 1.22 ×`, to stand beside what was measured. */
export function predictedWords(predicted: Prediction | undefined): readonly string[] {
  const speedUp = predicted?.speedUp;
  return speedUp ? [`predicted ${times(speedUp.prefill)}, decode ${times(speedUp.decode)}`] : [];
}
