import type { RateCandidate, RateCounts } from '../events.ts';
import type { MeasuredRates } from '../measure.ts';
import type { ListAccount } from './listAccount.ts';
import { ratesKey } from '../rates.ts';

/** A configuration before it is evaluated. */
export type ProposedRates = Omit<RateCandidate, 'outcome'>;

/** What a search for rates has found out so far: who was there, whose loss is known, who leads. */
export class RateKnowledge {
  private readonly proposed = new Set<string>();
  private readonly measured = new Map<string, MeasuredRates>();
  private readonly ranking: MeasuredRates[] = [];
  private readonly tally = { candidates: 0, evaluations: 0, duplicates: 0, invalid: 0 };

  countsWith(account: ListAccount): RateCounts {
    return { ...this.tally, ...account.counts };
  }

  /** Number of the next configuration. */
  get nextId(): number {
    return this.tally.candidates;
  }

  /** Keys of all configurations, the baselines not among them. */
  get keys(): ReadonlySet<string> {
    return this.proposed;
  }

  /** Distinct configurations that were measured on the whole text, the best first; of equal ones the first that was proposed. */
  get leaders(): readonly MeasuredRates[] {
    return this.ranking;
  }

  propose({ rates }: ProposedRates): void {
    this.tally.candidates++;
    this.proposed.add(ratesKey(rates));
  }

  countEvaluation(): void {
    this.tally.evaluations++;
  }

  /** Whose loss holds for these rates too: a configuration, or a baseline. */
  sameAs(rates: readonly number[]): MeasuredRates | undefined {
    return this.measured.get(ratesKey(rates));
  }

  /** Notes the loss of rates, which are those of a baseline where the id is below 0. */
  learn(ranked: MeasuredRates): void {
    this.measured.set(ratesKey(ranked.rates), ranked);
    if (ranked.id >= 0) this.rank(ranked);
  }

  settle({ id, rates, outcome }: RateCandidate): void {
    if (outcome.kind === 'invalid') this.tally.invalid++;
    if (outcome.kind !== 'shared') return;
    this.tally.duplicates++;
    // What has a baseline's rates leads in its own name.
    if (outcome.of < 0) this.learn({ ...this.sameAs(rates)!, id });
  }

  private rank(ranked: MeasuredRates): void {
    const after = this.ranking.findIndex(({ loss }) => loss > ranked.loss);
    this.ranking.splice(after === -1 ? this.ranking.length : after, 0, ranked);
  }
}
