import type { EspalierError } from '../base/errors.ts';
import type { Pacing } from './pace.ts';
import type { Answering, Pool, Work, WorkSource } from './pool.ts';

/** One thing that was asked about and what became of it: an answer, or why it is not tried again. */
export type Answered<Item, Answer> = {
  readonly item: Item;
  /** What it took, in seconds. */
  readonly seconds: number;
} & ({ readonly answer: Answer } | { readonly quarantined: EspalierError });

export interface Questions<Item, Answer> {
  /** What is asked about: a candidate, a configuration, a mask. */
  readonly items: readonly Item[];
  /** Asks one worker about some of them; answers in order. */
  ask(
    client: Answering,
    items: readonly Item[],
  ): Promise<readonly { readonly answer: Answer; readonly seconds: number }[]>;
  /** Keeps answers as they come. What it rejects with ends the search. */
  settle(answered: readonly Answered<Item, Answer>[]): Promise<void>;
  /** How long such questions take. */
  readonly pace: Pacing;
}

/** Ends of a worker that worked on nothing else, after which a metric is not tried again. */
const DEATHS_ALONE = 2;

interface Suspect<Item> {
  readonly item: Item;
  /** Why the workers ended that worked on it; the first may have worked on others too. */
  readonly deaths: readonly EspalierError[];
  readonly alone: number;
}

/**
 * Asks the workers of a pool about items, in portions whose size no answer depends on. When a worker ends, the items that
 * it worked on are tried again one by one, so that one that ends workers does it alone; one that does it twice is quarantined.
 * Resolves when all are answered and settled.
 */
export function ask<Item, Answer>(pool: Pool<unknown>, questions: Questions<Item, Answer>): Promise<void> {
  if (questions.items.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const source = new QuestionSource(pool, questions, resolve, reject);
    pool.add(source);
  });
}

class QuestionSource<Item, Answer> implements WorkSource {
  private readonly pool: Pool<unknown>;
  private readonly questions: Questions<Item, Answer>;
  private readonly done: () => void;
  readonly fail: (error: EspalierError) => void;
  /** First of those that nobody works on and that are under no suspicion. */
  private next = 0;
  private readonly suspects: Suspect<Item>[] = [];
  private open: number;

  constructor(
    pool: Pool<unknown>,
    questions: Questions<Item, Answer>,
    done: () => void,
    fail: (error: EspalierError) => void,
  ) {
    this.pool = pool;
    this.questions = questions;
    this.done = done;
    this.fail = fail;
    this.open = questions.items.length;
  }

  take(workers: number): Work | undefined {
    const suspect = this.suspects.shift();
    if (suspect) return this.work([suspect.item], suspect);
    const { items, pace } = this.questions;
    const left = items.length - this.next;
    if (left === 0) return undefined;
    const size = pace.portion(left, workers);
    this.next += size;
    return this.work(items.slice(this.next - size, this.next));
  }

  private work(items: readonly Item[], suspect?: Suspect<Item>): Work {
    const { pace } = this.questions;
    return {
      limit: pace.limit(items.length),
      run: async (client, worked) => {
        const began = worked();
        const answers = await this.questions.ask(client, items);
        pace.note(items.length, worked() - began);
        // The worker is free for the next piece while this one goes to the disk.
        this.settle(items.map((item, i) => ({ item, ...answers[i]! })));
      },
      lost: (reason) => {
        this.lost(items, reason, suspect);
      },
    };
  }

  private lost(items: readonly Item[], reason: EspalierError, suspect: Suspect<Item> | undefined): void {
    for (const item of items) {
      const deaths = [...(suspect?.deaths ?? []), reason];
      const alone = (suspect?.alone ?? 0) + (items.length === 1 ? 1 : 0);
      if (alone < DEATHS_ALONE) this.suspects.push({ item, deaths, alone });
      else {
        this.pool.budget.forgive(deaths);
        this.settle([{ item, seconds: 0, quarantined: reason }]);
      }
    }
    this.pool.pump();
  }

  private settle(answered: readonly Answered<Item, Answer>[]): void {
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
