import type { BlockComponents } from '../experiment/structureSchema.ts';
import type { LanguageModelAccess } from '../llm/connect.ts';
import type { RunFolder } from '../runs/runFolder.ts';
import type { ComponentsOpening, FinalistEvent } from '../search/lifecycle/events.ts';
import { configurationText, evaluationWith, measurable } from '../search/rates/configuration.ts';
import type { AskedRates, RateEffects } from '../search/rates/effects.ts';
import type { RateEvent } from '../search/rates/events.ts';
import type { RateSearchPlan } from '../search/rates/plan.ts';
import { isSelfPruner } from '../search/rates/selfPruner/plan.ts';
import { evaluationOf } from '../search/rates/target.ts';
import { runRateSearch } from '../search/rates/runRateSearch.ts';
import { checkSame } from './divergence.ts';
import { evaluateFinalists, finalOrder } from './finalists.ts';
import { withTimes } from './timedPlan.ts';
import { LlmCalls } from './llmCalls.ts';
import { Measures } from './measures.ts';
import type { Drive, EndOf, SearchRun } from './searchRun.ts';

/** A search for layer-wise rates. */
export class RateRun implements SearchRun<'rates'> {
  private readonly plan: RateSearchPlan;
  /** Of Self-Pruner. */
  private readonly calls: LlmCalls | undefined;
  private readonly measures = new Measures<AskedRates>({
    ask: (client, asked, { begin, end }) =>
      client.request('measure', {
        candidates: asked.map((one) => measurable(one, this.components)),
        on: { kind: 'blocks', begin, end },
      }),
    textOf: (asked) => `rates ${configurationText(asked)}`,
  });
  /** Of the model, from the opening. */
  private components: readonly BlockComponents[] = [];
  /** What follows from the answers, in the order in which the search says it. */
  private readonly said: RateEvent[] = [];
  private readonly finalists: FinalistEvent[] = [];

  /** @param plan with absolute paths */
  constructor(plan: RateSearchPlan, about: { readonly run: RunFolder; readonly languageModel: LanguageModelAccess }) {
    this.plan = plan;
    this.calls = isSelfPruner(plan) ? new LlmCalls(plan, about) : undefined;
  }

  get measured(): boolean {
    return this.measures.size > 0 || (this.calls?.recalled ?? 0) > 0;
  }

  recall(event: RateEvent): void {
    if (event.kind === 'measured') this.measures.recall(event);
    else if (event.kind === 'llm-asked' || event.kind === 'llm-replied') this.calls?.recall(event);
    else if (event.kind === 'finalist') this.finalists.push(event);
    else if (SAID.has(event.kind)) this.said.push(event);
  }

  async prepare(): Promise<void> {
    await this.calls?.prepare();
  }

  async run(opening: ComponentsOpening, drive: Drive<'rates'>): Promise<EndOf<'rates'>> {
    const { append, signal } = drive;
    this.components = opening.components;
    let told = 0;
    const effects: RateEffects = {
      measure: (asked, rung) => this.measures.measure(asked, rung, drive),
      ask: (request) => {
        if (!this.calls) throw new Error(`${this.plan.search.method} asks no language model`);
        return this.calls.ask(request, drive);
      },
      emit: (event) => {
        const before = this.said[told++];
        // What follows from the answers is worked out again from them, so nobody waits for its flush. A journal that fails here fails
        // at the next answer too.
        if (before) checkSame(`event ${told}`, before, event);
        else append(event).catch(() => undefined);
        return Promise.resolve();
      },
    };
    const { counts, finalists } = await runRateSearch(this.plan, effects, { opening, signal });
    const { plan } = this;
    const entries = [
      ...finalists.map(({ id, ...configuration }) => {
        const name = `configuration ${id}`;
        return { about: { id, name }, evaluation: evaluationWith(plan, configuration, opening.components, name) };
      }),
      ...plan.baselines.map(({ name, rates }) => ({ about: { name }, evaluation: evaluationOf(plan, rates, name) })),
    ];
    const results = await evaluateFinalists(entries, this.finalists, withTimes(plan, opening), drive);
    return { kind: 'finished', counts, best: finalOrder(finalists, results, this.plan.search.objective) };
  }
}

const SAID: ReadonlySet<RateEvent['kind']> = new Set(['baseline', 'candidate', 'generation', 'fallback']);
