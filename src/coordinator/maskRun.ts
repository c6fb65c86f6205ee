import type { EspalierError } from '../base/errors.ts';
import { removedShareOfAll } from '../experiment/components.ts';
import type { BlockComponents, ModelMask, Structure } from '../experiment/structureSchema.ts';
import type { ComponentSparsity } from '../experiment/sparsitySchema.ts';
import type { PlannedEvaluation } from '../experiment/planSchema.ts';
import type { ComponentsOpening, FinalistEvent, MeasureOutcome } from '../search/lifecycle/events.ts';
import { accuracyOf, fitnessOfLoss, objectiveOf } from '../search/lifecycle/objective.ts';
import type { MaskEffects, StepLosses } from '../search/masks/effects.ts';
import type { MaskEvent, PackedValues, StepEvent } from '../search/masks/events.ts';
import type { MaskSearchPlan } from '../search/masks/plan.ts';
import { resumeAfter } from '../search/masks/resume.ts';
import type { MaskResume } from '../search/masks/resume.ts';
import { runMaskSearch } from '../search/masks/runMaskSearch.ts';
import { checkSame } from './divergence.ts';
import { evaluateFinalists } from './finalists.ts';
import { withTimes } from './timedPlan.ts';
import { MaskMeasures } from './maskMeasures.ts';
import type { Drive, EndOf, SearchRun } from './searchRun.ts';

/** What the search itself has found, among the structures that it is compared with. */
const FOUND_MASK = 'policy-gradient';
/** Events that may wait for the disk; what is lost with them is worked out again. */
const MOST_WAITING = 256;

/** A search for masks. It goes on from its last checkpoint; the steps after that are answered from the journal. */
export class MaskRun implements SearchRun<'masks'> {
  private readonly plan: MaskSearchPlan;
  private scores: PackedValues | undefined;
  private checkpoints: MaskResume | undefined;
  /** After the checkpoint. */
  private steps = new Map<number, StepEvent>();
  /** Masks that ended their workers, by {@link idOf}. */
  private readonly quarantined = new Set<number>();
  private readonly finalists: FinalistEvent[] = [];

  /** @param plan with absolute paths */
  constructor(plan: MaskSearchPlan) {
    this.plan = plan;
  }

  get measured(): boolean {
    return this.scores !== undefined || this.checkpoints !== undefined || this.steps.size > 0;
  }

  recall(event: MaskEvent): void {
    if (event.kind === 'scores') this.scores = event.scores;
    else if (event.kind === 'step') this.steps.set(event.step, event);
    else if (event.kind === 'probabilities') {
      this.checkpoints = resumeAfter(this.checkpoints, event);
      this.steps = new Map();
    } else if (event.kind === 'quarantined') this.quarantined.add(event.id);
    else if (event.kind === 'finalist') this.finalists.push(event);
  }

  async run(opening: ComponentsOpening, drive: Drive<'masks'>): Promise<EndOf<'masks'>> {
    const { signal } = drive;
    const { mask, steps, leftOut } = await runMaskSearch(this.plan, this.effects(opening, drive), {
      opening,
      signal,
      ...(this.checkpoints && { resume: this.checkpoints }),
    });
    await this.evaluateFinalists(mask, opening, drive);
    return { kind: 'finished', mask, steps, leftOut };
  }

  private effects(opening: ComponentsOpening, drive: Drive<'masks'>): MaskEffects {
    const { append, clock } = drive;
    const measures = new MaskMeasures(this.plan, opening, drive, this.quarantined);
    const writer = new Writer(append);
    return {
      scores: async () => {
        if (this.scores) return this.scores;
        const scores = await measures.scores(this.plan.score);
        await append({ kind: 'scores', scores });
        return scores;
      },
      losses: async (step, masks, batch): Promise<StepLosses> => {
        const known = this.steps.get(step);
        if (known) return known;
        await writer.room();
        const began = clock.now();
        const outcomes = await measures.onBatch(step, masks, batch);
        return { losses: outcomes.map(lossOf), seconds: (clock.now() - began) / 1000 };
      },
      evaluate: async (_, mask) => {
        await writer.room();
        const outcome = await measures.onText(mask);
        const loss = lossOf(outcome);
        const fitness = loss === null ? Infinity : fitnessOfLoss(loss, objectiveOf(opening));
        if (!Number.isFinite(fitness)) return { fitness: null };
        const accuracy = outcome.kind === 'loss' ? accuracyOf(outcome) : undefined;
        return { fitness, ...(accuracy !== undefined && { accuracy }) };
      },
      emit: (event) => {
        const before = event.kind === 'step' ? this.steps.get(event.step) : undefined;
        if (before) checkSame(`step ${before.step}`, before, event);
        else writer.write(event);
        return Promise.resolve();
      },
    };
  }

  /** What the search has found first, then the baselines. */
  private async evaluateFinalists(mask: ModelMask, opening: ComponentsOpening, drive: Drive<'masks'>): Promise<void> {
    const { components } = opening;
    const plan = withTimes(this.plan, opening);
    const evaluationOf = (metric: string, structure: Structure, sparsity: ComponentSparsity): PlannedEvaluation => ({
      ...{ metric, structure, sparsity },
      ...(plan.update && { update: plan.update }),
    });
    const entries = [
      {
        about: { name: FOUND_MASK },
        evaluation: evaluationOf(FOUND_MASK, { kind: 'mask', mask }, foundSparsity(plan, mask, components)),
      },
      ...plan.baselines.map(({ name, structure }) => ({
        about: { name },
        evaluation: evaluationOf(name, structure, plan.sparsity),
      })),
    ];
    await evaluateFinalists(entries, this.finalists, plan, drive);
  }
}

/** Of a mask that was found: the budget that it is within, or the share that it removes. */
function foundSparsity(
  { sparsity }: MaskSearchPlan,
  mask: ModelMask,
  components: readonly BlockComponents[],
): ComponentSparsity {
  if (sparsity.kind === 'budget') return sparsity;
  return { kind: 'unstructured', share: removedShareOfAll(components, mask) };
}

/**
 * Writes what can be worked out again, without anybody waiting for the disk: a step takes less time than a flush. Losses that are not on
 * the disk when a process dies are measured again, and are the same to the last bit.
 */
class Writer {
  private readonly append: Drive<'masks'>['append'];
  private waiting = 0;
  private last: Promise<void> = Promise.resolve();
  private failure: EspalierError | undefined;

  constructor(append: Drive<'masks'>['append']) {
    this.append = append;
  }

  write(event: MaskEvent): void {
    this.waiting++;
    this.last = this.append(event).then(
      () => {
        this.waiting--;
      },
      (error: unknown) => {
        this.failure ??= error as EspalierError;
      },
    );
  }

  /** Waits where too much is not written yet. @throws EspalierError where the disk has not taken what was written */
  async room(): Promise<void> {
    if (this.waiting > MOST_WAITING) await this.last;
    if (this.failure) throw this.failure;
  }
}

/** A loss that is not finite is left out, and so is a mask that cannot be measured. */
function lossOf(outcome: MeasureOutcome): number | null {
  return outcome.kind === 'loss' && Number.isFinite(outcome.loss) ? outcome.loss : null;
}
