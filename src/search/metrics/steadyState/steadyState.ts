import { throwIfCancelled } from '../../../base/errors.ts';
import type { MeasureOutcome } from '../../lifecycle/events.ts';
import type { Alphabet } from '../alphabet.ts';
import type { Evaluated, Proposed } from '../candidate.ts';
import type { SingleAnswers, Trial } from '../effects.ts';
import type { Acknowledged, CandidateOutcome, MetricEvent, ProbeOutcome } from '../events.ts';
import { generationEvent } from '../generationEvent.ts';
import { candidatesOf, generationSize } from '../generationSize.ts';
import { AT_THE_FOOT } from '../ladder.ts';
import type { Climb } from '../ladder.ts';
import { algebraicProblem, candidateEvent, climbed, reachedOutcome, sharedOutcome } from '../outcomes.ts';
import type { SharedBy } from '../outcomes.ts';
import type { MetricSearchPlan } from '../plan.ts';
import { withOffspring } from '../population.ts';
import type { Population } from '../population.ts';
import { propose } from '../propose.ts';
import { ReachRule } from '../reachRule.ts';
import type { SearchContext } from '../searchContext.ts';
import { nextTrial, tunedBy } from '../tune.ts';
import type { TunedTrial } from '../tune.ts';
import { AsynchronousRungs } from './asynchronousRungs.ts';
import { OpenQuestions } from './openQuestions.ts';

/** Candidates that are proposed before a process can answer messages again. */
const PART = 100;

/**
 * A search without generations: a steady-state genetic algorithm (Syswerda 1991), asynchronous (Scott and De Jong 2015). Whenever fewer
 * candidates are under way than the workers need, one more is bred from the population as it is, and each that is settled takes the place
 * of the worst there. It has as many candidates as the same search with generations; so many of them as a generation has, in the order in
 * which they are settled, are told as one.
 *
 * Everything is a function of the plan and of what {@link SingleAnswers.next} gives, in its order: a step takes one answer, and does all
 * that follows from it before the next.
 */
export class SteadyState {
  private readonly plan: MetricSearchPlan;
  private readonly alphabet: Alphabet;
  private readonly context: SearchContext;
  private readonly answers: SingleAnswers;
  private readonly rungs: AsynchronousRungs;
  private readonly questions: OpenQuestions;
  private readonly reach = new ReachRule();
  private population: Population = [];
  /** Candidates that were proposed; the next one's id. */
  private proposed = 0;
  private workers = 0;
  /** Of this generation, as far as they are settled. */
  private settled: Evaluated[] = [];
  private generation = 0;
  /** By canonical form: the one that has a question open, and that others of the form wait for. By id: what waits for it. */
  private readonly underWay = new Map<string, number>();
  private readonly waiting = new Map<number, (() => void)[]>();
  /** What follows from the last answer, and is not told yet. */
  private readonly said: MetricEvent[] = [];

  constructor(plan: MetricSearchPlan, alphabet: Alphabet, context: SearchContext, answers: SingleAnswers) {
    this.plan = plan;
    this.alphabet = alphabet;
    this.context = context;
    this.answers = answers;
    this.rungs = new AsynchronousRungs(context);
    this.questions = new OpenQuestions(answers);
  }

  /** Resolves when all candidates are settled. */
  async run(): Promise<void> {
    do {
      throwIfCancelled(this.context.options.signal, 'searching');
      this.take(await this.answers.next());
      await this.breed();
      await this.tell();
    } while (this.questions.size > 0);
    if (this.settled.length > 0) this.endGeneration();
    await this.tell();
  }

  private take(acknowledged: Acknowledged): void {
    if (acknowledged.kind === 'workers') this.workers = acknowledged.count;
    else this.questions.answer(acknowledged);
  }

  private async breed(): Promise<void> {
    const { plan, alphabet, context } = this;
    while (this.proposed - context.knowledge.counts.candidates < mostUnsettled(this.workers) && this.mayBreed()) {
      // Before a whole population is known there is little to choose parents from: the few that were stopped first.
      const population = this.generation === 0 ? [] : this.population;
      const id = this.proposed++;
      // Its generation is known when it is settled; that of the metrics which the search starts from is the first.
      this.begin(propose(id, id < plan.search.population ? 0 : 1, population, plan, alphabet));
      if (this.proposed % PART !== 0) continue;
      await this.tell();
      await new Promise((resolve) => setTimeout(resolve, 0));
      throwIfCancelled(context.options.signal, 'searching');
    }
  }

  private mayBreed(): boolean {
    const { population, budget } = this.context.settings;
    if (this.proposed >= candidatesOf(this.context.settings)) return false;
    return budget === 0 || this.proposed < population || this.context.knowledge.evaluations < budget;
  }

  private begin(candidate: Proposed): void {
    const problem = algebraicProblem(candidate);
    if (candidate.tuning) this.tune(candidate, candidate.tuning, this.reach.target, []);
    else if (problem) this.settle(candidate, problem);
    else this.check(candidate);
  }

  /** Finds by probes how far a constant moves. */
  private tune(
    candidate: Proposed,
    tuning: NonNullable<Proposed['tuning']>,
    target: number,
    tried: readonly TunedTrial[],
  ): void {
    const { knowledge } = this.context;
    const next = nextTrial(tuning, tried, target, knowledge);
    if (next) {
      const trial = { id: candidate.id, expression: next.expression, trial: tried.length, against: tuning.of };
      this.probe(trial, (probe) => {
        this.tune(candidate, tuning, target, [...tried, { ...next, probe }]);
      });
      return;
    }
    const tuned = tunedBy(candidate, tuning, tried, target, knowledge);
    const problem = algebraicProblem(tuned);
    if (problem) this.settle(tuned, problem);
    else this.check(tuned);
  }

  /** What shares an evaluation waits for it; what has none is probed, and then climbs the rungs. */
  private check(candidate: Proposed): void {
    const { knowledge, settings } = this.context;
    const { key, saturates } = candidate.canonical;
    const shares = settings.sharing === 'on';
    if (shares && !saturates) {
      const of = knowledge.forerunner(candidate);
      if (of !== undefined) {
        this.share(candidate, of, 'canonical');
        return;
      }
      const before = this.underWay.get(key);
      if (before !== undefined) {
        // Where that one cannot rank, this may: what overflows as one is written need not do so in another spelling.
        this.afterwards(before, () => {
          this.check(candidate);
        });
        return;
      }
      this.underWay.set(key, candidate.id);
    }
    const probed = (answer: ProbeOutcome): void => {
      if (answer.kind === 'invalid') {
        this.settle(candidate, answer);
        return;
      }
      const of = knowledge.identify(candidate, answer.fingerprint);
      if (shares && of !== candidate.id) this.share(candidate, of, 'mask');
      else this.climb(candidate, AT_THE_FOOT, 0);
    };
    if (candidate.probe) probed(candidate.probe);
    else this.probe({ id: candidate.id, expression: candidate.expression }, probed);
  }

  private share(candidate: Proposed, of: number, by: SharedBy): void {
    const like = this.context.knowledge.get(of);
    if (like) this.settle(candidate, sharedOutcome(like, by), like);
    else {
      this.afterwards(of, () => {
        this.share(candidate, of, by);
      });
    }
  }

  private climb(candidate: Proposed, before: Climb, index: number): void {
    const { rungs } = this.context;
    const { id, expression } = candidate;
    const rung = rungs[index]!;
    this.questions.measure({ id, expression }, rung, (answer: MeasureOutcome) => {
      const after = climbed(before, answer, this.context);
      if (after.kind === 'invalid') this.settle(candidate, after);
      else if (index === rungs.length - 1) {
        this.settle(candidate, reachedOutcome(after.climb, rung, this.context), undefined, after.climb);
      } else if (this.rungs.goesOn(after.climb, index)) this.climb(candidate, after.climb, index + 1);
      else this.settle(candidate, reachedOutcome(after.climb, rung, this.context));
    });
  }

  /** @param like the candidate whose evaluation it shares @param whole how it came to the end of the whole text */
  private settle(proposed: Proposed, outcome: CandidateOutcome, like?: Evaluated, whole?: Climb): void {
    const { knowledge, settings } = this.context;
    const candidate = { ...proposed, generation: this.generation };
    const evaluated = knowledge.settle(candidate, outcome, like);
    if (whole) knowledge.lead(evaluated, whole);
    if (evaluated.tuning) this.reach.learn(evaluated, knowledge.get(evaluated.parents[0]!)!);
    this.population = withOffspring(this.population, evaluated, settings, knowledge);
    this.said.push(candidateEvent(evaluated));
    this.settled.push(evaluated);
    if (this.settled.length === generationSize(this.generation, settings)) this.endGeneration();
    const { key } = candidate.canonical;
    if (this.underWay.get(key) === candidate.id) this.underWay.delete(key);
    const waiting = this.waiting.get(candidate.id) ?? [];
    this.waiting.delete(candidate.id);
    for (const goOn of waiting) goOn();
  }

  private endGeneration(): void {
    this.said.push(generationEvent(this.generation, this.settled, this.context));
    this.generation++;
    this.settled = [];
  }

  private probe(trial: Trial, then: (outcome: ProbeOutcome) => void): void {
    this.questions.probe(trial, then);
  }

  private afterwards(id: number, goOn: () => void): void {
    const waiting = this.waiting.get(id) ?? [];
    this.waiting.set(id, waiting);
    waiting.push(goOn);
  }

  private async tell(): Promise<void> {
    for (const event of this.said.splice(0)) await this.context.effects.emit(event);
  }
}

/**
 * Candidates that are proposed and not settled yet, at most: one for each worker, and one in four more, so that whoever is done finds the
 * next one waiting while its answer is written down. More would be bred from what is known now, and be no better for it.
 */
export function mostUnsettled(workers: number): number {
  return workers + Math.ceil(workers / 4);
}
