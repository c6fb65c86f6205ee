import { isStructural } from '../../experiment/planned.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { speedWords } from '../../experiment/speedTable.ts';
import type { SpeedMeasurement } from '../../experiment/speedTable.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import { signalOf } from '../cancellation.ts';
import type { Outlines } from '../outlines.ts';
import { chosenEvaluation, evaluableTarget } from './chosenEvaluation.ts';
import { labelOf } from './evaluationLabel.ts';
import { measureSpeed } from './measureSpeed.ts';
import type { SpeedParts } from './measureSpeed.ts';
import { tellError, tellInformation, withNotification } from '../messages.ts';

export interface ResultSpeedParts {
  readonly outlines: Outlines;
  readonly speed: SpeedParts;
  readonly tell: (what: string, error: unknown) => void;
  /** Something was measured. */
  readonly onChange: () => void;
}

/**
 * *Measure Speed of Pruned Model* for a metric or experiment of a file: parameters, size, memory and tokens a second, dense against pruned.
 * What was measured stands in the hover until the window closes: it is of this machine, and of this hour.
 */
export class ResultSpeed {
  private readonly parts: ResultSpeedParts;
  /** By the fingerprint of the evaluation: another checkpoint under the same name is another one. */
  private readonly measured = new Map<string, SpeedMeasurement>();

  constructor(parts: ResultSpeedParts) {
    this.parts = parts;
  }

  /** What was measured of a result in this window. */
  of(record: EvaluationRecord): SpeedMeasurement | undefined {
    return this.measured.get(record.result.fingerprint);
  }

  /** @param argument the hover's target; from the palette the declaration at the cursor is meant */
  async measure(argument: unknown): Promise<void> {
    const { outlines, onChange, tell } = this.parts;
    const target = await evaluableTarget(argument, outlines);
    if (!target) return;
    try {
      const plan = await chosenEvaluation(target.name, await outlines.plans(target), {
        action: 'Measure Speed',
        fits: isStructural,
        expected: 'something that removes heads, channels, experts or blocks',
        remedy: 'Zeros in place make nothing smaller or faster. Prune by a structure(…), or choose another experiment.',
      });
      if (!plan) return;
      const measurement = await this.watch(plan);
      if (measurement?.fingerprint === undefined) return;
      this.measured.set(measurement.fingerprint, measurement);
      onChange();
      const label = labelOf(plan.evaluations[0]!);
      void tellInformation(`${label}, against dense: ${speedWords(measurement)}. ${measurement.detail}`);
    } catch (error) {
      tell(`Measuring the speed of ${target.name} failed`, error);
    }
  }

  /** Measures while a notification shows how far it is. */
  private async watch(plan: EvaluationPlan): Promise<SpeedMeasurement | undefined> {
    const label = labelOf(plan.evaluations[0]!);
    let last: SpeedMeasurement | undefined;
    await withNotification(`Measuring ${label}`, (progress, token) =>
      measureSpeed(
        plan,
        this.parts.speed,
        (now) => {
          const increment = 100 * Math.max(0, now.share - (last?.share ?? 0));
          progress.report({ message: now.detail, increment });
          last = now;
        },
        signalOf(token),
      ),
    );
    if (last?.state === 'failed') void tellError(`Measuring ${label} failed: ${last.detail}`);
    return last;
  }
}
