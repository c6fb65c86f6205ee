import type { PlannedEvaluation } from '../experiment/planSchema.ts';
import type { RateSearchPlan } from '../search/rates/plan.ts';
import type { RunEvent } from '../search/kinds.ts';
import type { MeasureOutcome, SearchOpening } from '../search/metrics/events.ts';
import type { RateAllocation } from '../experiment/structureSchema.ts';
import type {
  RateEvent,
  RatesFinishedEvent,
  StructureFinalistEvent,
  StructureOpenedEvent,
} from '../search/rates/events.ts';
import type { LanguageModelAccess } from '../llm/connect.ts';
import type { RunFolder } from '../runs/runFolder.ts';
import type { AskedRates, RateEffects } from '../search/rates/effects.ts';
import { printRate } from '../search/rates/rates.ts';
import { runRateSearch } from '../search/rates/runRateSearch.ts';
import type { RateOutcome } from '../search/rates/runRateSearch.ts';
import { checkSame } from './divergence.ts';
import { finalOrder } from './finalists.ts';
import { LlmCalls } from './llmCalls.ts';
import { Pace } from './pace.ts';
import { ask } from './questions.ts';
import type { Drive, Recalled, SearchKind } from './searchKind.ts';
import { evaluateStructures } from './structureFinalists.ts';
import { structureOpened } from './structureOpened.ts';

/** A search for layer-wise rates. */
export class RateRun implements SearchKind {
  private readonly plan: RateSearchPlan;
  private readonly calls: LlmCalls;
  private opening: StructureOpenedEvent | undefined;
  private end: RatesFinishedEvent | undefined;
  private readonly measures = new Map<number, MeasureOutcome>();
  /** What follows from the answers, in the order in which the search says it. */
  private readonly said: RateEvent[] = [];
  private readonly finalists: StructureFinalistEvent[] = [];

  /** @param plan with absolute paths */
  constructor(plan: RateSearchPlan, about: { readonly run: RunFolder; readonly languageModel: LanguageModelAccess }) {
    this.plan = plan;
    this.calls = new LlmCalls(plan, about);
  }

  get recalled(): Recalled {
    const measured = this.measures.size > 0 || this.calls.recalled > 0;
    return { opening: this.opening, measured, end: this.end };
  }

  recall(event: RunEvent): void {
    if (event.kind === 'structure-opened') this.opening = event;
    else if (event.kind === 'configuration-measured') this.measures.set(event.id, event.measure);
    else if (
      event.kind === 'rate-baseline' ||
      event.kind === 'configuration' ||
      event.kind === 'iteration' ||
      event.kind === 'fallback'
    )
      this.said.push(event);
    else if (event.kind === 'llm-asked' || event.kind === 'llm-replied') this.calls.recall(event);
    else if (event.kind === 'structure-finalist') this.finalists.push(event);
    else if (event.kind === 'rates-finished') this.end = event;
  }

  prepare(): Promise<void> {
    return this.calls.prepare();
  }

  openedEvent(opening: SearchOpening): StructureOpenedEvent {
    return structureOpened(opening);
  }

  async run(opening: SearchOpening, drive: Drive): Promise<RatesFinishedEvent> {
    const { append, signal } = drive;
    let told = 0;
    const effects: RateEffects = {
      measure: (configurations) => this.measure(configurations, opening.blocks, drive),
      ask: (request) => this.calls.ask(request, drive),
      emit: (event) => {
        const before = this.said[told++];
        // What follows from the answers is worked out again from them, so nobody waits for its flush. A journal that fails here fails
        // at the next answer too.
        if (before) checkSame(`event ${told}`, before, event);
        else append(event).catch(() => undefined);
        return Promise.resolve();
      },
    };
    const found = await runRateSearch(this.plan, effects, { opening: structureOpened(opening), signal });
    const results = await this.evaluateFinalists(found, drive);
    return { kind: 'rates-finished', counts: found.counts, best: finalOrder(found.finalists, results) };
  }

  private async measure(
    configurations: readonly AskedRates[],
    blocks: number,
    { pool, clock, append }: Drive,
  ): Promise<readonly MeasureOutcome[]> {
    const { measures } = this;
    this.pace ??= new Pace(() => clock.now());
    await ask<AskedRates, MeasureOutcome>(pool, {
      items: configurations.filter(({ id }) => !measures.has(id)),
      pace: this.pace,
      ask: (client, asked) =>
        client.request('measure', {
          candidates: asked.map(({ rates }) => ({ kind: 'rates', rates })),
          on: { kind: 'blocks', begin: 0, end: blocks },
        }),
      settle: async (answered) => {
        const events: RunEvent[] = [];
        for (const one of answered) {
          const { id, rates } = one.item;
          let measure: MeasureOutcome;
          if ('answer' in one) measure = one.answer;
          else {
            const { data } = one.quarantined;
            measure = { kind: 'invalid', reason: 'quarantined', detail: data.actual };
            // A baseline has no configuration's id; that its worker ended is in the baseline's own event.
            if (id >= 0) events.push({ kind: 'quarantined', id, expression: ratesText(rates), error: data });
          }
          measures.set(id, measure);
          events.push({ kind: 'configuration-measured', id, measure, seconds: one.seconds });
        }
        await append(...events);
      },
    });
    return configurations.map(({ id }) => measures.get(id)!);
  }

  private pace: Pace | undefined;

  /** The best of the search first, then the baselines. */
  private evaluateFinalists({ finalists }: RateOutcome, drive: Drive): Promise<readonly StructureFinalistEvent[]> {
    const { plan } = this;
    const entries = [
      ...finalists.map(({ id, rates }) => {
        const name = `configuration ${id}`;
        return { id, name, evaluation: evaluationWith(plan, name, { kind: 'given', rates }) };
      }),
      ...plan.baselines.map(({ name, rates }) => ({ name, evaluation: evaluationWith(plan, name, rates) })),
    ];
    return evaluateStructures(entries, this.finalists, plan, drive);
  }
}

/** What the plan prunes, with these rates. */
function evaluationWith({ target, sparsity }: RateSearchPlan, name: string, rates: RateAllocation): PlannedEvaluation {
  return target.kind === 'weights'
    ? { metric: name, expression: target.expression, sparsity, rates }
    : { metric: name, structure: { kind: 'scored', score: target.score, rates }, sparsity };
}

function ratesText(rates: readonly number[]): string {
  return `rates ${rates.map(printRate).join(' ')}`;
}
