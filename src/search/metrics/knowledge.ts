import type { CandidateOutcome, MetricCounts } from './events.ts';
import type { Evaluated, Proposed } from './candidate.ts';
import type { SearchOpening } from '../lifecycle/events.ts';
import { fitnessIn, lossOfFitness, objectiveOf } from '../lifecycle/objective.ts';
import type { Objective } from '../lifecycle/objective.ts';
import { calibration } from './ladder.ts';
import type { Climb } from './ladder.ts';
import type { CanonicalForm } from '../../metric/canonical.ts';
import type { ProposalAccount } from './proposals/account.ts';
import { COUNT_OF } from './state.ts';

/** A candidate that was measured on the whole text. */
export interface Leader {
  readonly candidate: Evaluated;
  readonly climb: Climb;
}

/** What a search has found out so far: who is who, what became of each, who leads, and what it cost. */
export class Knowledge {
  private readonly known = new Map<number, Evaluated>();
  /** First valid candidate with a canonical form, and with the masks of a probe. */
  private readonly forms = new Map<string, number>();
  private readonly masks = new Map<string, number>();
  private readonly identities = new Map<number, number>();
  private readonly ranking: Leader[] = [];
  /** What estimates after a rung are off by, as long as nobody new leads. */
  private readonly offsets = new Map<number, number>();
  private readonly blocksOfText: number;
  private readonly account: ProposalAccount | undefined;
  private readonly tally = { candidates: 0, invalid: 0, duplicates: 0, stoppedEarly: 0, fullEvaluations: 0 };
  private readonly objective: Objective;
  private blocks = 0;

  /** @param account of the language model, where one proposes */
  constructor(opening: Pick<SearchOpening, 'blocks' | 'objective'>, account?: ProposalAccount) {
    this.blocksOfText = opening.blocks;
    this.objective = objectiveOf(opening);
    this.account = account;
  }

  get counts(): MetricCounts {
    return { ...this.tally, evaluations: this.evaluations, ...(this.account && { llm: this.account.counts }) };
  }

  /** Work so far, in units of the whole text. */
  get evaluations(): number {
    return this.blocks / this.blocksOfText;
  }

  get(id: number): Evaluated | undefined {
    return this.known.get(id);
  }

  /** The first valid candidate of the same canonical form. Where float32 may tell the two apart, nobody. */
  forerunner({ canonical }: Proposed): number | undefined {
    return this.firstOf(canonical);
  }

  /** As {@link forerunner}, of a form. */
  firstOf({ key, saturates }: CanonicalForm): number | undefined {
    return saturates ? undefined : this.forms.get(key);
  }

  /**
   * Notes that a candidate can rank.
   * @returns the first candidate that removes the same weights, by its form or by the masks; the candidate itself where there is none
   */
  identify(candidate: Proposed, fingerprint: string): number {
    const { id, canonical } = candidate;
    const first = this.forerunner(candidate) ?? this.masks.get(fingerprint) ?? id;
    const identity = this.identities.get(first) ?? id;
    this.identities.set(id, identity);
    if (!canonical.saturates && !this.forms.has(canonical.key)) this.forms.set(canonical.key, first);
    if (!this.masks.has(fingerprint)) this.masks.set(fingerprint, first);
    return first;
  }

  /** Whether a candidate is known that removes the weights that a probe with this fingerprint does. */
  hasMask(fingerprint: string): boolean {
    return this.masks.has(fingerprint);
  }

  countBlocks(blocks: number): void {
    this.blocks += blocks;
  }

  /** What became of a candidate, for good. @param like the candidate whose evaluation it shares */
  settle(candidate: Proposed, outcome: CandidateOutcome, like?: Evaluated): Evaluated {
    const { id } = candidate;
    const evaluated: Evaluated = {
      ...candidate,
      outcome,
      loss: outcome.kind === 'invalid' ? Infinity : (like?.loss ?? lossOfFitness(fitnessIn(outcome)!, this.objective)),
      stoppedAt: outcome.kind === 'stopped' ? outcome.rung : like?.stoppedAt,
      identity: like?.identity ?? this.identities.get(id) ?? id,
    };
    this.known.set(id, evaluated);
    this.tally.candidates++;
    this.tally[COUNT_OF[outcome.kind]]++;
    if (outcome.kind === 'invalid') this.forget(id);
    return evaluated;
  }

  /** Candidates on the whole text, each set of weights once, the best first. */
  get leaders(): readonly Leader[] {
    return this.ranking;
  }

  /** The loss that a candidate is expected to have on the whole text, by how estimates after its rung came out so far. */
  expectedLoss({ loss, stoppedAt }: Evaluated): number {
    if (stoppedAt === undefined) return loss;
    let offset = this.offsets.get(stoppedAt);
    if (offset === undefined) {
      const complete = this.ranking.map((leader) => leader.climb);
      this.offsets.set(stoppedAt, (offset = calibration(complete, stoppedAt).offset));
    }
    return loss - offset;
  }

  lead(candidate: Evaluated, climb: Climb): void {
    if (this.ranking.some((other) => other.candidate.identity === candidate.identity)) return;
    const place = this.ranking.findIndex((other) => other.candidate.loss > candidate.loss);
    this.offsets.clear();
    this.ranking.splice(place === -1 ? this.ranking.length : place, 0, { candidate, climb });
  }

  /** Nobody shares the evaluation of a candidate that has none: the next one like it is tried itself. */
  private forget(id: number): void {
    for (const firsts of [this.forms, this.masks]) {
      for (const [key, first] of firsts) if (first === id) firsts.delete(key);
    }
  }
}
