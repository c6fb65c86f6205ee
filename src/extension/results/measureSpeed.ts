import path from 'node:path';
import { toErrorData } from '../../base/errors.ts';
import type { SpeedReport } from '../../experiment/exportSchema.ts';
import { formatSeconds } from '../../experiment/format.ts';
import { lengthText } from '../../experiment/length.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { predict, sizesOf, SPEED_BATCH } from '../../experiment/prediction.ts';
import type { SpeedMeasurement, SpeedRow } from '../../experiment/speedTable.ts';
import { makeTemporaryFolder, removeTemporary } from '../../files/temporary.ts';
import type { Ask, RequestHooks } from '../../protocol/requests.ts';

export interface SpeedParts {
  readonly exportModel: Ask<'exportModel'>;
  readonly measureSpeed: Ask<'measureSpeed'>;
  readonly costs: Ask<'costs'>;
  /** Where the pruned model lies while it is measured. */
  readonly scratch: string;
  /** Seconds, from any origin. */
  readonly now: () => number;
}

/** Measured passes. */
const ROUNDS = 7;
/** Shares of the work that are done when the pruned model is written, and when the costs of block shapes are known, roughly. */
const [WRITTEN, PRICED] = [0.4, 0.6];

/**
 * Measures a pruned model beside the dense one, and what each block shape costs where that is not known, so that what is said of other models before they are
 * measured stands on it, too. The pruned one is really written and read, so that what is measured is what an export
 * gives; the folder goes when it is done.
 *
 * @param plan with the one evaluation
 */
export async function measureSpeed(
  plan: EvaluationPlan,
  parts: SpeedParts,
  onChange: (speed: SpeedMeasurement) => void,
  signal: AbortSignal,
): Promise<void> {
  const began = parts.now();
  const tell = (state: SpeedMeasurement['state'], share: number, detail: string): void => {
    onChange({ state, share, detail, rows: [] });
  };
  const watching = (from: number, to: number): RequestHooks => ({
    signal,
    onProgress: ({ done, total, detail }) => {
      tell('measuring', from + (to - from) * (total > 0 ? done / total : 0), detail);
    },
  });
  let room: string | undefined;
  try {
    tell('measuring', 0, 'pruning');
    room = await makeTemporaryFolder(parts.scratch, 'speed');
    const folder = path.join(room, 'pruned');
    const target = { folder, format: 'huggingface' } as const;
    const { result } = await parts.exportModel({ plan, target }, watching(0, WRITTEN));
    const { device, precision, threads } = plan.settings;
    const { length, modelLength } = result.provenance;
    const settings = { device, precision, threads };
    const conditions = { batch: SPEED_BATCH, length, settings };
    const priced = watching(WRITTEN, PRICED);
    const costs = await parts.costs({ model: plan.model, ...conditions, times: 'measured' }, priced);
    const speedPlan = { models: [plan.model, folder], ...conditions, rounds: ROUNDS };
    const reports = await parts.measureSpeed(speedPlan, watching(PRICED, 1));
    const how = `Prefill of ${SPEED_BATCH} × ${lengthText(length, modelLength)}, then decode, medians of ${ROUNDS} rounds side by side (×: of the ratio in each round); ${formatSeconds(parts.now() - began)}.`;
    const { fingerprint, structure } = result;
    const predicted = predict(costs, structure && sizesOf(structure));
    const rows = reports.map(rowOf);
    onChange({ state: 'done', share: 1, detail: how, rows, predicted, fingerprint });
  } catch (thrown) {
    const error = toErrorData(thrown, 'measuring the speed');
    if (error.code === 'cancelled') tell('cancelled', 0, '');
    else tell('failed', 0, `${error.operation}: expected ${error.expected}, got ${error.actual}. ${error.remedy}`);
  } finally {
    if (room !== undefined) await removeTemporary(room);
  }
}

function rowOf({ parameters, bytes, peakMemory, tokensPerSecond, speedUp, decode }: SpeedReport, i: number): SpeedRow {
  const name = i === 0 ? 'dense' : 'pruned';
  return {
    ...{ name, parameters, bytes, memory: peakMemory, tokensPerSecond: tokensPerSecond.median, speedUp },
    ...{ decodePerSecond: decode.tokensPerSecond.median, decodeSpeedUp: decode.speedUp },
  };
}
