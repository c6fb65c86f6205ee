import type { EspalierError } from '../base/errors.ts';
import type { Expression } from '../metric/expression.ts';
import type { ProtocolClient } from '../protocol/client.ts';
import type { Proposal } from '../search/effects.ts';
import type { Pace } from './pace.ts';
import type { Work, WorkerPool, WorkSource } from './workerPool.ts';

/** One proposal and what became of it: an answer, or why it is not tried again. */
export type Answered<Answer> = {
  readonly proposal: Proposal;
  /** What it took, in seconds. */
  readonly seconds: number;
} & ({ readonly answer: Answer } | { readonly quarantined: EspalierError });

export interface Questions<Answer> {
  readonly proposals: readonly Proposal[];
  /** Asks one worker about some of them; answers in order. */
  ask(
    client: ProtocolClient,
    expressions: readonly Expression[],
  ): Promise<readonly { readonly answer: Answer; readonly seconds: number }[]>;
  /** Keeps answers as they come. What it rejects with ends the search. */
  settle(answered: readonly Answered<Answer>[]): Promise<void>;
  /** How long such questions take. */
  readonly pace: Pace;
}

/** Ends of a worker that worked on nothing else, after which a metric is not tried again. */
const DEATHS_ALONE = 2;

interface Suspect {
  readonly proposal: Proposal;
  /** Why the workers ended that worked on it; the first may have worked on others too. */
  readonly deaths: readonly EspalierError[];
  readonly alone: number;
}

/**
 * Asks the workers of a pool about proposals, in portions whose size no answer depends on. When a worker ends, the proposals that
 * it worked on are tried again one by one, so that one that ends workers does it alone; one that does it twice is quarantined.
 * Resolves when all are answered and settled.
 */
export function ask<Answer>(pool: WorkerPool, questions: Questions<Answer>): Promise<void> {
  if (questions.proposals.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const source = new QuestionSource(pool, questions, resolve, reject);
    pool.add(source);
  });
}

class QuestionSource<Answer> implements WorkSource {
  private readonly pool: WorkerPool;
  private readonly questions: Questions<Answer>;
  private readonly done: () => void;
  readonly fail: (error: EspalierError) => void;
  /** First of those that nobody works on and that are under no suspicion. */
  private next = 0;
  private readonly suspects: Suspect[] = [];
  private open: number;

  constructor(pool: WorkerPool, questions: Questions<Answer>, done: () => void, fail: (error: EspalierError) => void) {
    this.pool = pool;
    this.questions = questions;
    this.done = done;
    this.fail = fail;
    this.open = questions.proposals.length;
  }

  take(workers: number): Work | undefined {
    const suspect = this.suspects.shift();
    if (suspect) return this.work([suspect.proposal], suspect);
    const { proposals, pace } = this.questions;
    const left = proposals.length - this.next;
    if (left === 0) return undefined;
    const size = pace.portion(left, workers);
    this.next += size;
    return this.work(proposals.slice(this.next - size, this.next));
  }

  private work(proposals: readonly Proposal[], suspect?: Suspect): Work {
    const { pace } = this.questions;
    return {
      limit: pace.limit(proposals.length),
      run: async (client) => {
        const stop = pace.begin(proposals.length);
        const answers = await this.questions.ask(
          client,
          proposals.map(({ expression }) => expression),
        );
        stop();
        // The worker is free for the next piece while this one goes to the disk.
        this.settle(proposals.map((proposal, i) => ({ proposal, ...answers[i]! })));
      },
      lost: (reason) => {
        this.lost(proposals, reason, suspect);
      },
    };
  }

  private lost(proposals: readonly Proposal[], reason: EspalierError, suspect: Suspect | undefined): void {
    for (const proposal of proposals) {
      const deaths = [...(suspect?.deaths ?? []), reason];
      const alone = (suspect?.alone ?? 0) + (proposals.length === 1 ? 1 : 0);
      if (alone < DEATHS_ALONE) this.suspects.push({ proposal, deaths, alone });
      else {
        this.pool.budget.forgive(deaths);
        this.settle([{ proposal, seconds: 0, quarantined: reason }]);
      }
    }
    this.pool.pump();
  }

  private settle(answered: readonly Answered<Answer>[]): void {
    this.questions.settle(answered).then(
      () => {
        this.open -= answered.length;
        if (this.open > 0) return;
        this.pool.remove(this);
        this.done();
      },
      (error: unknown) => {
        this.pool.remove(this);
        this.fail(error as EspalierError);
      },
    );
  }
}
