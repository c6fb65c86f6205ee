import type { EventOf, RunKind } from '../../search/kinds.ts';

/** What a person reads. */
export interface RunLines<Kind extends RunKind = RunKind> {
  /** What is searched, and with what. */
  opening(): readonly string[];
  /** What an event adds to the lines; of what goes to standard error `said`. */
  event(event: EventOf<Kind>): { readonly printed?: readonly string[]; readonly said?: readonly string[] };
  status(event: EventOf<Kind>): string;
  /** What came of it. */
  final(): readonly string[];
}
