import type { Question } from './effects.ts';
import type { Acknowledged } from './events.ts';

/** Names a question of a search without generations, or the question of an answer: "12", "12, trial 0", "12 on rung 1". */
export function questionKey(question: Question | Exclude<Acknowledged, { kind: 'workers' }>): string {
  const { kind, id } = question;
  if (kind === 'measure') return `${id} on rung ${question.rung.index}`;
  if (kind === 'measured') return `${id} on rung ${question.rung}`;
  return question.trial === undefined ? String(id) : `${id}, trial ${question.trial}`;
}
