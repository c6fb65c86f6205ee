import type { MeasureOutcome } from '../../lifecycle/events.ts';
import type { Rung } from '../../lifecycle/rung.ts';
import type { Proposal, SingleAnswers, Trial } from '../effects.ts';
import type { Acknowledged, ProbeOutcome } from '../events.ts';
import { questionKey } from '../questionKey.ts';

/** What was asked and is not answered yet, with what is to be done then. */
export class OpenQuestions {
  private readonly answers: SingleAnswers;
  private readonly probes = new Map<string, (outcome: ProbeOutcome) => void>();
  private readonly measures = new Map<string, (outcome: MeasureOutcome) => void>();

  constructor(answers: SingleAnswers) {
    this.answers = answers;
  }

  get size(): number {
    return this.probes.size + this.measures.size;
  }

  probe(trial: Trial, then: (outcome: ProbeOutcome) => void): void {
    const question = { kind: 'probe', ...trial } as const;
    this.probes.set(questionKey(question), then);
    this.answers.ask(question);
  }

  measure(proposal: Proposal, rung: Rung, then: (outcome: MeasureOutcome) => void): void {
    const question = { kind: 'measure', ...proposal, rung } as const;
    this.measures.set(questionKey(question), then);
    this.answers.ask(question);
  }

  /** Does what is to be done with an answer; one to a question that is not open (any more) has nothing to be done with. */
  answer(answered: Exclude<Acknowledged, { kind: 'workers' }>): void {
    const key = questionKey(answered);
    if (answered.kind === 'probed') taken(this.probes, key)?.(answered.probe);
    else taken(this.measures, key)?.(answered.measure);
  }
}

function taken<Value>(map: Map<string, Value>, key: string): Value | undefined {
  const value = map.get(key);
  map.delete(key);
  return value;
}
