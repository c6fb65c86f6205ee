import { printPrefix } from '../metric/print.ts';
import type { LanguageModelAccess } from '../llm/connect.ts';
import type { RunFolder } from '../runs/runFolder.ts';
import type { FinalistEvent, SearchOpening } from '../search/lifecycle/events.ts';
import type { Acknowledged, MetricEvent, ProbeOutcome } from '../search/metrics/events.ts';
import type { Proposal, MetricEffects, Trial } from '../search/metrics/effects.ts';
import { isProposing } from '../search/metrics/plan.ts';
import type { MetricSearchPlan } from '../search/metrics/plan.ts';
import { runMetricSearch } from '../search/metrics/runMetricSearch.ts';
import type { MetricSearchOutcome } from '../search/metrics/runMetricSearch.ts';
import { checkSame, divergedError } from './divergence.ts';
import { evaluateFinalists, finalOrder } from './finalists.ts';
import { LlmCalls } from './llmCalls.ts';
import { askMeasure, askProbe } from './metricQuestions.ts';
import { Measures, quarantine } from './measures.ts';
import { Pace } from './pace.ts';
import { ask } from './questions.ts';
import { readFormula } from './readFormula.ts';
import { RunAnswers } from './runAnswers.ts';
import type { Drive, EndOf, SearchRun } from './searchRun.ts';

/** A search for metrics. */
export class MetricRun implements SearchRun<'metrics'> {
  private readonly plan: MetricSearchPlan;
  /** Where a language model proposes some of the metrics. */
  private readonly calls: LlmCalls | undefined;
  /** By candidate and trial. */
  private readonly probes = new Map<string, Extract<MetricEvent, { kind: 'probed' }>>();
  private readonly measures = new Measures<Proposal>({
    ask: askMeasure,
    textOf: ({ expression }) => printPrefix(expression),
  });
  /** Of a search without generations: the answers in their order. */
  private readonly acknowledged: Acknowledged[] = [];
  /** What follows from the answers, by its place in the run. */
  private readonly said = new Map<string, MetricEvent>();
  private readonly finalists: FinalistEvent[] = [];

  /** @param plan with absolute paths */
  constructor(plan: MetricSearchPlan, about: { readonly run: RunFolder; readonly languageModel: LanguageModelAccess }) {
    this.plan = plan;
    this.calls = isProposing(plan) ? new LlmCalls(plan, about) : undefined;
  }

  get measured(): boolean {
    return (
      this.probes.size > 0 || this.measures.size > 0 || this.acknowledged.length > 0 || (this.calls?.recalled ?? 0) > 0
    );
  }

  recall(event: MetricEvent): void {
    if (event.kind === 'workers') this.acknowledged.push(event);
    else if (event.kind === 'probed') {
      if (this.isSteadyState) this.acknowledged.push(event);
      else this.probes.set(questionOf(event), event);
    } else if (event.kind === 'measured') {
      // Baselines, below zero, are measured together in every search.
      if (this.isSteadyState && event.id >= 0) this.acknowledged.push(event);
      else this.measures.recall(event);
    } else if (event.kind === 'llm-asked' || event.kind === 'llm-replied') this.calls?.recall(event);
    else if (event.kind === 'finalist') this.finalists.push(event);
    else if (SAID.has(event.kind)) this.said.set(placeOf(event), event);
  }

  async prepare(): Promise<void> {
    await this.calls?.prepare();
  }

  async run(opening: SearchOpening, drive: Drive<'metrics'>): Promise<EndOf<'metrics'>> {
    const { counts, finalists } = await this.search(opening, drive);
    const { baselines, sparsity, update } = this.plan;
    const best = finalists.map(({ id, expression }) => ({ id, metric: `candidate ${id}`, expression }));
    const entries = [...best, ...baselines].map(({ metric, expression, ...id }) => ({
      about: { ...id, name: metric, expression: printPrefix(expression) },
      evaluation: { metric, expression, sparsity, ...(update && { update }) },
    }));
    const results = await evaluateFinalists(entries, this.finalists, this.plan, drive);
    return { kind: 'finished', counts, best: finalOrder(finalists, results, this.plan.search.objective) };
  }

  private async search(opening: SearchOpening, drive: Drive<'metrics'>): Promise<MetricSearchOutcome> {
    const effects = this.effects(drive);
    const options = { opening, signal: drive.signal };
    if (!this.isSteadyState) return runMetricSearch(this.plan, effects, options);
    const singly = new RunAnswers(this.acknowledged, drive);
    try {
      return await runMetricSearch(this.plan, { ...effects, singly }, options);
    } finally {
      singly.end();
    }
  }

  private get isSteadyState(): boolean {
    return this.plan.search.evolution === 'steady-state';
  }

  private effects(drive: Drive<'metrics'>): MetricEffects {
    const probePace = new Pace();
    const { calls } = this;
    return {
      probe: (candidates) => this.probe(candidates, probePace, drive),
      measure: (candidates, rung) => this.measures.measure(candidates, rung, drive),
      ...(calls && { proposer: { ask: (request) => calls.ask(request, drive), readFormula } }),
      emit: (event) => {
        const before = this.said.get(placeOf(event));
        // What follows from the answers is worked out again from them, so nobody waits for its flush. A journal that fails here fails
        // at the next answer too.
        if (before) checkSame(placeOf(event), before, event);
        else drive.append(event).catch(() => undefined);
        return Promise.resolve();
      },
    };
  }

  private async probe(
    candidates: readonly Trial[],
    pace: Pace,
    { pool, append }: Drive<'metrics'>,
  ): Promise<readonly ProbeOutcome[]> {
    const { probes } = this;
    await ask<Trial, ProbeOutcome>(pool, {
      items: candidates.filter((candidate) => !this.isProbed(candidate)),
      pace,
      ask: askProbe,
      settle: async (answered) => {
        const events: MetricEvent[] = [];
        for (const one of answered) {
          const { id, trial } = one.item;
          const expression = printPrefix(one.item.expression);
          const probe = 'answer' in one ? one.answer : quarantine(one, expression, (event) => events.push(event));
          const which = { id, ...(trial !== undefined && { trial }) };
          const event = { kind: 'probed', ...which, expression, probe, seconds: one.seconds } as const;
          probes.set(questionOf(which), event);
          events.push(event);
        }
        await append(...events);
      },
    });
    return candidates.map((candidate) => probes.get(questionOf(candidate))!.probe);
  }

  /** @throws EspalierError `runs/diverged` where the journal's candidate of this id is another */
  private isProbed(candidate: Trial): boolean {
    const event = this.probes.get(questionOf(candidate));
    if (!event) return false;
    const asked = printPrefix(candidate.expression);
    if (event.expression !== asked) throw divergedError(`candidate ${questionOf(candidate)}`, event.expression, asked);
    return true;
  }
}

const SAID: ReadonlySet<MetricEvent['kind']> = new Set([
  ...(['baseline', 'candidate', 'generation', 'proposed', 'fallback'] as const),
]);
/** Names what is probed: "12", or "12, trial 0" for one of the forms that a candidate may take. */
function questionOf({ id, trial }: Pick<Trial, 'id' | 'trial'>): string {
  return trial === undefined ? String(id) : `${id}, trial ${trial}`;
}

/** Names an event's place in the run. */
function placeOf(event: MetricEvent): string {
  if (event.kind === 'candidate') return `candidate ${event.id}`;
  if (event.kind === 'generation' || event.kind === 'fallback') return `${event.kind} ${event.generation}`;
  if (event.kind === 'proposed') return `the reply ${event.call}`;
  if (event.kind === 'baseline') return `baseline ${event.name}`;
  return event.kind;
}
