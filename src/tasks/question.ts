/** A document as a question with choices. */
export interface Question {
  /** One for all choices; one for each where a document asks which context a text follows from (WinoGrande). */
  readonly contexts: readonly string[];
  /** What is scored behind its context, without the blank between: one for each choice, or one for all. */
  readonly continuations: readonly string[];
  /** Place of the right choice. */
  readonly gold: number;
  /** Of MMLU. */
  readonly subject?: string;
}

export function choiceCount({ contexts, continuations }: Question): number {
  return Math.max(contexts.length, continuations.length);
}

export function contextOf({ contexts }: Question, choice: number): string {
  return contexts.length === 1 ? contexts[0]! : contexts[choice]!;
}

export function continuationOf({ continuations }: Question, choice: number): string {
  return continuations.length === 1 ? continuations[0]! : continuations[choice]!;
}
