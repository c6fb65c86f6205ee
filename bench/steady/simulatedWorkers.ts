import { candidateRng } from '../../src/search/lifecycle/candidateRng.ts';
import type { Rung } from '../../src/search/lifecycle/rung.ts';
import type { MetricEffects, Proposal, Question, SingleAnswers, Trial } from '../../src/search/metrics/effects.ts';
import type { Acknowledged } from '../../src/search/metrics/events.ts';
import { printPrefix } from '../../src/metric/print.ts';

/** What questions take. */
export interface Costs {
  /** Seconds that a probe takes, and a measurement for each block of the fitness text. */
  readonly probe: number;
  readonly block: number;
  /** Standard deviation of the logarithm of what each takes, around that. */
  readonly spread: number;
  readonly seed: number;
}

interface Job {
  readonly seconds: number;
  readonly answer: () => Promise<Acknowledged>;
}

/**
 * Workers that answer in a time of their own, which passes as fast as their answers are computed: a clock that is moved from one end of
 * a question to the next. Asked for many at once, each takes the next as soon as it is free, and all wait for the last; asked one by one, it
 * takes what waits. Nothing is lost on the way to a worker and back.
 */
export class SimulatedWorkers implements Pick<MetricEffects, 'probe' | 'measure'> {
  /** Seconds since the search began, and those that workers were busy of it, all together. */
  now = 0;
  busy = 0;
  private readonly workers: number;
  private readonly costs: Costs;
  private readonly answers: Pick<MetricEffects, 'probe' | 'measure'>;
  private readonly waiting: Job[] = [];
  private readonly running: { readonly end: number; readonly job: Job }[] = [];
  private isCounted = false;

  constructor(workers: number, costs: Costs, answers: Pick<MetricEffects, 'probe' | 'measure'>) {
    this.workers = workers;
    this.costs = costs;
    this.answers = answers;
  }

  /** Share of the workers' time that they were busy. */
  get busyShare(): number {
    return this.busy / (this.workers * this.now);
  }

  probe(trials: readonly Trial[]): ReturnType<MetricEffects['probe']> {
    this.pass(trials.map(({ id, trial = -1 }) => this.seconds(id, trial, this.costs.probe)));
    return this.answers.probe(trials);
  }

  measure(proposals: readonly Proposal[], rung: Rung): ReturnType<MetricEffects['measure']> {
    const blocks = rung.end - rung.begin;
    this.pass(proposals.map(({ id }) => this.seconds(id, 100 + rung.index, blocks * this.costs.block)));
    return this.answers.measure(proposals, rung);
  }

  readonly singly: SingleAnswers = {
    ask: (question) => {
      this.waiting.push(this.jobOf(question));
      this.start();
    },
    next: async () => {
      if (!this.isCounted) {
        this.isCounted = true;
        return { kind: 'workers', count: this.workers };
      }
      const first = this.running.reduce((a, b) => (b.end < a.end ? b : a));
      this.running.splice(this.running.indexOf(first), 1);
      this.now = first.end;
      this.start();
      return first.job.answer();
    },
  };

  private start(): void {
    while (this.running.length < this.workers && this.waiting.length > 0) {
      const job = this.waiting.shift()!;
      this.busy += job.seconds;
      this.running.push({ end: this.now + job.seconds, job });
    }
  }

  /** All of these begin now, as far as there are workers; it is later when the last one ends. */
  private pass(seconds: readonly number[]): void {
    const free = new Array<number>(this.workers).fill(this.now);
    for (const each of seconds) {
      const first = free.indexOf(Math.min(...free));
      free[first]! += each;
      this.busy += each;
      this.now = Math.max(this.now, free[first]!);
    }
  }

  private seconds(id: number, which: number, mean: number): number {
    const rng = candidateRng(this.costs.seed + 1000 * (which + 2), id + 2 ** 20);
    return mean * Math.exp(this.costs.spread * rng.normal());
  }

  private jobOf(question: Question): Job {
    const { id, expression } = question;
    if (question.kind === 'probe') {
      const { trial } = question;
      const seconds = this.seconds(id, trial ?? -1, this.costs.probe);
      return {
        seconds,
        answer: async () => {
          const [probe] = await this.answers.probe([question]);
          const which = { id, ...(trial !== undefined && { trial }) };
          return { kind: 'probed', ...which, expression: printPrefix(expression), probe: probe!, seconds };
        },
      };
    }
    const { rung } = question;
    const seconds = this.seconds(id, 100 + rung.index, (rung.end - rung.begin) * this.costs.block);
    return {
      seconds,
      answer: async () => {
        const [measure] = await this.answers.measure([question], rung);
        return { kind: 'measured', id, rung: rung.index, measure: measure!, seconds };
      },
    };
  }
}
