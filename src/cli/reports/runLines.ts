import type { RunEvent } from '../../search/kinds.ts';

/** What a person reads. */
export interface RunLines {
  /** What is searched, and with what. */
  opening(): readonly string[];
  /** What an event adds to the lines; of what goes to standard error `said`. */
  event(event: RunEvent): { readonly printed?: readonly string[]; readonly said?: readonly string[] };
  status(event: RunEvent): string;
  /** What came of it. */
  final(): readonly string[];
}
