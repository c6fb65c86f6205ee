import type { EspalierError } from '../base/errors.ts';
import type { EvaluationSettings } from '../experiment/settings.ts';
import type { ProtocolClient } from '../protocol/client.ts';
import type { SearchOpening } from '../search/lifecycle/events.ts';
import type { CrashBudget } from './crashBudget.ts';

/** Who answers one piece of work: a worker of this machine, or whoever takes it from a queue. */
export type Answering = Pick<ProtocolClient, 'request'>;

/** Something that workers can do; how much of it one takes is decided when it is free to. */
export interface WorkSource {
  /** The next piece, or undefined where there is none (at the moment). @param workers how many share the work */
  take(workers: number): Work | undefined;
  /** The pool cannot go on. */
  fail(error: EspalierError): void;
}

export interface Work {
  /** @param worked milliseconds that whoever answers has worked, from any origin: what waits for its turn is not worked on */
  run(client: Answering, worked: () => number): Promise<void>;
  /** The worker ended while it ran: the work is the source's again. */
  lost(reason: EspalierError): void;
  /** Milliseconds after which the worker counts as hung and is ended. */
  readonly limit: number;
}

/** Workers that share the work of one run, or of one experiment. */
export interface Pool<Opening = SearchOpening> {
  /** Ends of workers that a quarantined metric explains do not count against them. */
  readonly budget: Pick<CrashBudget, 'forgive'>;
  /** Opens the run, once. Resolves with what the first worker found. */
  open(): Promise<Opening>;
  /** Workers that are free take from it until it is removed. */
  add(source: WorkSource): void;
  remove(source: WorkSource): void;
  /** Gives work to whoever is free: called when there is more of it. */
  pump(): void;
  /** Ends the work at once; what is under way fails with `reason`. Resolves when nobody works on it any more, or is left behind. */
  dispose(reason: EspalierError): Promise<void>;
  /** Settings as one worker gets them. */
  settingsOf(settings: EvaluationSettings): EvaluationSettings;
}
