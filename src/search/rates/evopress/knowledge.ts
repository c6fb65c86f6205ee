import { estimatedLoss } from '../../lifecycle/estimatedLoss.ts';
import { fitnessOfLoss, measuredFitness, objectiveOf } from '../../lifecycle/objective.ts';
import type { Rung } from '../../lifecycle/rung.ts';
import type { Configuration } from '../configuration.ts';
import type { RateCandidate, RateCounts } from '../events.ts';
import { readMeasure } from '../measure.ts';
import type { MeasuredRates } from '../measure.ts';
import type { RateSearch } from '../rateSearch.ts';
import { NO_LIST_COUNTS } from '../selfPruner/listAccount.ts';
import type { EvoPressPlan } from './plan.ts';

/** A configuration with the levels that it was made of. */
export interface Individual extends Pick<RateCandidate, 'id' | 'generation' | 'operator' | 'parents'> {
  readonly levels: readonly number[];
  readonly configuration: Configuration;
}

/** What a search by EvoPress has found out so far: who has which loss on what, and who leads. */
export class EvoPressKnowledge {
  readonly search: RateSearch<EvoPressPlan>;
  /** Losses on the whole text, by configuration. */
  private readonly whole = new Map<string, MeasuredRates>();
  /** Of those that were not measured on the whole text: on what they were last, and what that says of the whole. */
  private readonly estimates = new Map<number, { readonly blocks: number; readonly fitness: number }>();
  /** Why those have no loss that have none. */
  private readonly problems = new Map<number, string>();
  private readonly settled = new Map<number, RateCandidate>();
  private readonly ranking: MeasuredRates[] = [];
  private readonly tally = { candidates: 0, evaluations: 0, duplicates: 0, invalid: 0 };

  /** @param baselines that are measured already, on the whole text */
  constructor(search: RateSearch<EvoPressPlan>, baselines: readonly MeasuredRates[]) {
    this.search = search;
    for (const baseline of baselines) this.whole.set(keyOf(baseline), baseline);
  }

  get counts(): RateCounts {
    return { ...NO_LIST_COUNTS, ...this.tally };
  }

  /** Number of the next configuration. */
  get nextId(): number {
    return this.tally.candidates;
  }

  /** Distinct configurations that were measured on the whole text, the best first; of equal ones the first that was proposed. */
  get leaders(): readonly MeasuredRates[] {
    return this.ranking;
  }

  /** One that is settled. */
  candidate(id: number): RateCandidate {
    return this.settled.get(id)!;
  }

  propose(individual: Omit<Individual, 'id'>): Individual {
    return { id: this.tally.candidates++, ...individual };
  }

  /** @returns the loss on these blocks of each that has a finite one */
  async measure(individuals: readonly Individual[], rung: Rung): Promise<ReadonlyMap<Individual, number>> {
    const { effects, options } = this.search;
    const { opening } = options;
    const objective = objectiveOf(opening);
    const blocks = rung.end - rung.begin;
    const isWhole = blocks === opening.blocks;
    const asked = individuals.filter(
      ({ id, configuration }) => !this.problems.has(id) && !(isWhole && this.whole.has(keyOf(configuration))),
    );
    const answers =
      asked.length === 0
        ? []
        : await effects.measure(
            asked.map(({ id, configuration }) => ({ id, ...configuration })),
            rung,
          );
    const losses = new Map<Individual, number>();
    for (const [i, individual] of asked.entries()) {
      const { id, configuration } = individual;
      const answer = answers[i]!;
      this.tally.evaluations += answer.kind === 'loss' ? answer.blocks / opening.blocks : 1;
      const read = readMeasure(answer, objective);
      if (typeof read === 'string') {
        this.problems.set(id, read);
        continue;
      }
      const fitness = fitnessOfLoss(estimatedLoss(blocks * read.loss, rung, opening), objective);
      if (!Number.isFinite(fitness)) {
        this.problems.set(id, `its loss is ${read.loss}`);
        continue;
      }
      losses.set(individual, read.loss);
      if (isWhole) this.whole.set(keyOf(configuration), { id, ...configuration, ...read });
      else this.estimates.set(id, { blocks, fitness });
    }
    if (isWhole) {
      for (const each of individuals) {
        const known = this.whole.get(keyOf(each.configuration));
        if (known) losses.set(each, known.loss);
      }
    }
    return losses;
  }

  /** Tells what became of these. @param round of selection in which they were measured last */
  async settle(individuals: readonly Individual[], round: number): Promise<void> {
    for (const { id, generation, operator, parents, configuration } of individuals) {
      const outcome = this.outcomeOf(id, configuration, round);
      const candidate: RateCandidate = { id, generation, operator, parents, ...configuration, outcome };
      if (outcome.kind === 'invalid') this.tally.invalid++;
      if (outcome.kind === 'shared') this.tally.duplicates++;
      // What has a baseline's rates leads in its own name.
      if (outcome.kind === 'full' || (outcome.kind === 'shared' && outcome.of < 0)) this.rank(id, configuration);
      this.settled.set(id, candidate);
      await this.search.effects.emit({ kind: 'candidate', ...candidate });
    }
  }

  private outcomeOf(id: number, configuration: Configuration, round: number): RateCandidate['outcome'] {
    const problem = this.problems.get(id);
    if (problem !== undefined) return { kind: 'invalid', detail: problem };
    const known = this.whole.get(keyOf(configuration));
    const objective = objectiveOf(this.search.options.opening);
    if (!known) {
      const { blocks, fitness } = this.estimates.get(id)!;
      return { kind: 'stopped', rung: round, blocks, ...measuredFitness(fitness, objective) };
    }
    const fitness = measuredFitness(known.fitness, objective, known.accuracy);
    return known.id === id ? { kind: 'full', ...fitness } : { kind: 'shared', of: known.id, ...fitness };
  }

  private rank(id: number, configuration: Configuration): void {
    const measured = { ...this.whole.get(keyOf(configuration))!, id };
    this.whole.set(keyOf(configuration), measured);
    const after = this.ranking.findIndex(({ loss }) => loss > measured.loss);
    this.ranking.splice(after === -1 ? this.ranking.length : after, 0, measured);
  }
}

/** Equal for equal configurations only: the rates of blocks need not tell which of their layers go. */
function keyOf({ rates, dropped }: Configuration): string {
  return JSON.stringify([rates, dropped]);
}
