import type { Timed } from '../experiment/measuringSchema.ts';
import type { MeasureOutcome, MeasuredEvent, QuarantinedEvent } from '../search/lifecycle/events.ts';
import type { Rung } from '../search/lifecycle/rung.ts';
import { Pace } from './pace.ts';
import { ask } from './questions.ts';
import type { Answered } from './questions.ts';
import type { Answering } from './pool.ts';
import type { Drive } from './searchRun.ts';

export interface MeasuresOptions<Item> {
  /** Losses of these on the blocks of a rung, in their order. */
  readonly ask: (client: Answering, items: readonly Item[], rung: Rung) => Promise<readonly Timed<MeasureOutcome>[]>;
  /** What a person is told of one that ended two workers. */
  readonly textOf: (item: Item) => string;
}

/** What measuring needs of a {@link Drive}. */
type MeasuresDrive = Pick<Drive, 'pool'> & {
  readonly append: (...events: readonly (QuarantinedEvent | MeasuredEvent)[]) => Promise<void>;
};

/** The losses that a search has asked for: from the journal where it has them, and from the workers otherwise. None is asked for twice. */
export class Measures<Item extends { readonly id: number }> {
  private readonly known = new Map<string, MeasureOutcome>();
  /** By the number of blocks of a rung, which is what decides its time. */
  private readonly paces = new Map<number, Pace>();
  private readonly options: MeasuresOptions<Item>;

  constructor(options: MeasuresOptions<Item>) {
    this.options = options;
  }

  get size(): number {
    return this.known.size;
  }

  recall({ id, rung, measure }: MeasuredEvent): void {
    this.known.set(keyOf(id, rung), measure);
  }

  /** @returns in the order of the items, each on the disk */
  async measure(
    items: readonly Item[],
    rung: Rung,
    { pool, append }: MeasuresDrive,
  ): Promise<readonly MeasureOutcome[]> {
    const { known, options, paces } = this;
    const blocks = rung.end - rung.begin;
    let pace = paces.get(blocks);
    if (!pace) paces.set(blocks, (pace = new Pace()));
    await ask<Item, MeasureOutcome>(pool, {
      items: items.filter(({ id }) => !known.has(keyOf(id, rung.index))),
      pace,
      ask: (client, asked) => options.ask(client, asked, rung),
      settle: async (answered) => {
        const events: (QuarantinedEvent | MeasuredEvent)[] = [];
        for (const one of answered) {
          const { id } = one.item;
          const measure =
            'answer' in one ? one.answer : quarantine(one, options.textOf(one.item), (event) => events.push(event));
          known.set(keyOf(id, rung.index), measure);
          events.push({ kind: 'measured', id, rung: rung.index, measure, seconds: one.seconds });
        }
        await append(...events);
      },
    });
    return items.map(({ id }) => known.get(keyOf(id, rung.index))!);
  }
}

/** Says why a candidate is not tried again, and gives what it counts as from now on. */
export function quarantine(
  {
    item: { id },
    quarantined: { data },
  }: Extract<Answered<{ readonly id: number }, unknown>, { readonly quarantined: unknown }>,
  expression: string,
  say: (event: QuarantinedEvent) => void,
): Extract<MeasureOutcome, { readonly kind: 'invalid' }> {
  // A baseline has no candidate's id; that its worker ended is in the baseline's own event.
  if (id >= 0) say({ kind: 'quarantined', id, expression, error: data });
  return { kind: 'invalid', reason: 'quarantined', detail: data.actual };
}

function keyOf(id: number, rung: number): string {
  return `${id}/${rung}`;
}
