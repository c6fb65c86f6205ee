import type { ModelMask, StructureScore } from '../experiment/structureSchema.ts';
import type { Sequences, Timed } from '../experiment/measuringSchema.ts';
import type { MaskSearchPlan } from '../search/masks/plan.ts';
import { askOne } from './askOne.ts';
import { Pace } from './pace.ts';
import type { Pacing } from './pace.ts';
import { ask } from './questions.ts';
import type { Drive } from './searchRun.ts';
import type { ComponentsOpening, MeasureOutcome } from '../search/lifecycle/events.ts';
import type { PackedValues } from '../search/masks/events.ts';

/** Parts that the fitness text, or all documents, are measured in: they depend on its length alone, so that the sum of their losses does not depend on the workers. */
const MOST_PARTS = 8;

interface Part {
  readonly begin: number;
  readonly end: number;
}

/** Asks the workers about masks. A mask that ends two workers is not tried again, and has no loss. */
export class MaskMeasures {
  private readonly plan: MaskSearchPlan;
  private readonly opening: ComponentsOpening;
  private readonly drive: Drive<'masks'>;
  private readonly quarantined: Set<number>;
  private readonly stepPace = new Pace();
  private readonly textPace = new Pace();

  /** @param quarantined numbers of the masks that are not tried again, over the whole search */
  constructor(plan: MaskSearchPlan, opening: ComponentsOpening, drive: Drive<'masks'>, quarantined: Set<number>) {
    this.plan = plan;
    this.opening = opening;
    this.drive = drive;
    this.quarantined = quarantined;
  }

  scores(score: StructureScore): Promise<PackedValues> {
    return askOne(this.drive, (client) => client.request('componentScores', score));
  }

  /** Outcome of each mask on a step's batch. */
  async onBatch(step: number, masks: readonly ModelMask[], batch: Sequences): Promise<readonly MeasureOutcome[]> {
    const outcomes = new Map<number, MeasureOutcome>();
    const items: number[] = [];
    for (const k of masks.keys()) {
      if (this.quarantined.has(this.idOf(step, k))) outcomes.set(k, QUARANTINED);
      else items.push(k);
    }
    await ask<number, MeasureOutcome>(this.drive.pool, {
      items,
      pace: this.evenly(items.length),
      ask: (client, asked) =>
        client.request('measure', {
          candidates: asked.map((k) => ({ kind: 'mask', mask: masks[k]! })),
          on: batch,
        }),
      settle: async (answered) => {
        for (const one of answered) {
          if ('answer' in one) outcomes.set(one.item, one.answer);
          else {
            const id = this.idOf(step, one.item);
            this.quarantined.add(id);
            outcomes.set(one.item, QUARANTINED);
            // On the disk before anything follows from it: another try might not end its worker.
            await this.drive.append({
              kind: 'quarantined',
              id,
              expression: `mask ${one.item + 1} of step ${step + 1}`,
              error: one.quarantined.data,
            });
          }
        }
      },
    });
    return masks.map((_, k) => outcomes.get(k)!);
  }

  /** Outcome of a mask on the whole fitness text. @throws EspalierError where it ends its workers: what is kept then is of no use */
  async onText(mask: ModelMask): Promise<MeasureOutcome> {
    const parts = partsOf(this.opening.blocks);
    const outcomes = new Map<Part, MeasureOutcome>();
    await ask<Part, MeasureOutcome>(this.drive.pool, {
      items: parts,
      pace: this.textPace,
      ask: async (client, asked) => {
        const answers: Timed<MeasureOutcome>[] = [];
        for (const part of asked) {
          const candidates = [{ kind: 'mask', mask } as const];
          answers.push(...(await client.request('measure', { candidates, on: { kind: 'blocks', ...part } })));
        }
        return answers;
      },
      settle: (answered) => {
        for (const one of answered) {
          if ('quarantined' in one) return Promise.reject(one.quarantined);
          outcomes.set(one.item, one.answer);
        }
        return Promise.resolve();
      },
    });
    return meanOf(parts.map((part) => outcomes.get(part)!));
  }

  /** Names a mask of the search. */
  private idOf(step: number, mask: number): number {
    return step * this.plan.search.masks + mask;
  }

  /** Masks of a step take equally long, and all wait for the last: each worker gets its share at once. */
  private evenly(masks: number): Pacing {
    const pace = this.stepPace;
    return {
      portion: (left, workers) => Math.min(left, Math.ceil(masks / workers)),
      limit: (size) => pace.limit(size),
      note: (size, milliseconds) => {
        pace.note(size, milliseconds);
      },
    };
  }
}

const QUARANTINED: MeasureOutcome = {
  kind: 'invalid',
  reason: 'quarantined',
  detail: 'it ended the workers that measured it',
};

function partsOf(blocks: number): readonly Part[] {
  const parts = Math.min(MOST_PARTS, blocks);
  return Array.from({ length: parts }, (_, i) => ({
    begin: Math.floor((i * blocks) / parts),
    end: Math.floor(((i + 1) * blocks) / parts),
  }));
}

/** Over all parts, in their order; the first that has no loss decides. */
function meanOf(outcomes: readonly MeasureOutcome[]): MeasureOutcome {
  let sum = 0;
  let blocks = 0;
  let right: number | undefined;
  for (const outcome of outcomes) {
    if (outcome.kind === 'invalid') return outcome;
    sum += outcome.loss * outcome.blocks;
    blocks += outcome.blocks;
    if (outcome.right !== undefined) right = (right ?? 0) + outcome.right;
  }
  return { kind: 'loss', blocks, loss: sum / blocks, ...(right !== undefined && { right }) };
}
