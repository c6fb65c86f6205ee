import { promotedOf } from '../evaluateGeneration.ts';
import type { Climb } from '../ladder.ts';
import type { SearchContext } from '../searchContext.ts';

/**
 * Who goes on to the next rung where nobody waits for the others: asynchronous successive halving (Li et al. 2020, *A System for Massively
 * Parallel Hyperparameter Tuning*), in the variant that decides on each as it comes and never takes up again what was stopped (Ray Tune's
 * and Syne Tune's; Klein et al. 2020 compare the two): an offspring is settled, and a parent, at once, and one that would be taken up a
 * generation later is behind by then. Compared are not all that ever came to the rung, as there, where they are drawn alike, but the last
 * generation's worth of them, since offspring get better; and the rule is that of a generation, see {@link promotedOf}.
 */
export class AsynchronousRungs {
  private readonly context: Pick<SearchContext, 'knowledge' | 'settings'>;
  /** By rung: the last that came to it, in their order. */
  private readonly last = new Map<number, Climb[]>();

  constructor(context: Pick<SearchContext, 'knowledge' | 'settings'>) {
    this.context = context;
  }

  /** @param reached where one candidate has come to, with the blocks of this rung; it counts from now on */
  goesOn(reached: Climb, rung: number): boolean {
    const { population, keep } = this.context.settings;
    const last = this.last.get(rung) ?? [];
    this.last.set(rung, last);
    last.push(reached);
    if (last.length > Math.max(keep, Math.ceil(population / keep ** rung))) last.shift();
    return promotedOf(new Map(last.map((one) => [one, one])), rung, this.context).includes(reached);
  }
}
