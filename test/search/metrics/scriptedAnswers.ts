import { printPrefix } from '../../../src/metric/print.ts';
import type { Question, SingleAnswers } from '../../../src/search/metrics/effects.ts';
import type { Acknowledged } from '../../../src/search/metrics/events.ts';
import { questionKey } from '../../../src/search/metrics/questionKey.ts';
import type { Simulation } from './simulation.ts';

/** What is acknowledged next: the answer to the open question of this place (modulo their number), or another number of workers. */
export type Choice = number | { readonly workers: number };

/** Answers of a simulation one by one, in an order that is chosen. */
export class ScriptedAnswers implements SingleAnswers {
  readonly acknowledged: Acknowledged[] = [];
  /** Every question, in order. */
  readonly asked: string[] = [];
  /** Before each answer: open questions, and workers. */
  readonly loads: { readonly open: number; readonly workers: number }[] = [];
  private readonly open = new Map<string, Question>();
  private readonly problem: Simulation;
  private readonly choose: () => Choice;
  private workers: number;

  /** @param workers to begin with */
  constructor(problem: Simulation, workers: number, choose: () => Choice) {
    this.problem = problem;
    this.workers = workers;
    this.choose = choose;
  }

  ask(question: Question): void {
    const key = questionKey(question);
    this.asked.push(key);
    this.open.set(key, question);
  }

  next(): Promise<Acknowledged> {
    const event = this.eventOf(this.acknowledged.length === 0 ? { workers: this.workers } : this.choose());
    this.acknowledged.push(event);
    return Promise.resolve(event);
  }

  private eventOf(choice: Choice): Acknowledged {
    if (typeof choice === 'object') {
      this.workers = choice.workers;
      return { kind: 'workers', count: choice.workers };
    }
    this.loads.push({ open: this.open.size, workers: this.workers });
    const [key, question] = [...this.open][choice % this.open.size]!;
    this.open.delete(key);
    const { id, expression } = question;
    if (question.kind === 'measure') {
      const { rung } = question;
      return { kind: 'measured', id, rung: rung.index, measure: this.problem.measure(expression, rung), seconds: 0 };
    }
    const { trial, against } = question;
    const which = { id, ...(trial !== undefined && { trial }) };
    const probe = this.problem.probe(expression, against);
    return { kind: 'probed', ...which, expression: printPrefix(expression), probe, seconds: 0 };
  }
}
